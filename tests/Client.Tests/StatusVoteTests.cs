namespace Massif.Client.Tests;

/// <summary>The judgement alone, where every case is cheap. A report is written as <c>3:abc</c>: the digests behind seqs 1 to 3.</summary>
public sealed class StatusVoteTests
{
    private static readonly ClientOptions Options = new(
        "test", 1, [.. Enumerable.Range(1, 4).Select(i => new ReplicaAddress($"core{i}", "127.0.0.1", i))], null!, null!);

    [Theory]
    // All equal; one behind; two behind: the seq that f+1 have.
    [InlineData("abc abc abc abc", 3, "agrees agrees agrees agrees")]
    [InlineData("abc abc abc ab", 3, "agrees agrees agrees behind")]
    [InlineData("abc abc ab a", 3, "agrees agrees behind behind")]
    // One ahead of all: nobody can confirm its last batch, and that is no contradiction.
    [InlineData("abcd abc abc abc", 3, "agrees agrees agrees agrees")]
    // A liar at the end, and a liar who is behind as well.
    [InlineData("abc abc abc abx", 3, "agrees agrees agrees differs")]
    [InlineData("abc abc abc ax", 3, "agrees agrees agrees differs")]
    // Claims to be far, and shows nothing at the seq that counts.
    [InlineData("abc abc abc ......g", 3, "agrees agrees agrees differs")]
    // Nobody agrees with anybody.
    [InlineData("a b c d", 0, "agrees agrees agrees agrees")]
    // One knows nothing of the stream, one is silent.
    [InlineData("ab ab - !", 2, "agrees agrees behind silent")]
    public void Replicas_are_compared_at_the_highest_seq_that_f_plus_1_have(string reports, int seq, string states)
    {
        var status = StatusVote.Count(Options, [.. reports.Split(' ').Select(Answer)]);
        Assert.Equal((ulong)seq, Assert.Single(status.Streams).Seq);
        Assert.Equal(states.Split(' '), status.Replicas.Select(replica => replica.State.ToString().ToLowerInvariant()));
        Assert.Equal(seq > 0, status.Agreed);
    }

    [Fact]
    public void A_stream_that_one_replica_invents_is_not_shown_and_makes_nobody_behind()
    {
        var liar = Report("ab", "invented");
        var status = StatusVote.Count(Options, [Answer("-"), Answer("-"), Answer("-"), (liar, ReplicaState.Agrees, null)]);
        Assert.Empty(status.Streams);
        Assert.True(status.Agreed);
    }

    [Fact]
    public void One_voice_per_replica_also_when_it_lists_a_stream_twice()
    {
        var liar = Report("x", "edge1");
        liar = liar with { Streams = [.. liar.Streams, .. liar.Streams] };
        var status = StatusVote.Count(Options, [Answer("a"), (liar, ReplicaState.Agrees, null), Answer("-"), Answer("-")]);
        Assert.Equal(0UL, Assert.Single(status.Streams).Seq);
    }

    [Fact]
    public void Other_rules_are_told()
    {
        var odd = Report("a", "edge1") with { RulesDigest = "other" };
        var status = StatusVote.Count(Options, [Answer("a"), Answer("a"), Answer("a"), (odd, ReplicaState.Agrees, null)]);
        Assert.Equal((ReplicaState.Differs, "has other rules"), (status.Replicas[3].State, status.Replicas[3].Note));
    }

    private static (ReplicaReport? Report, ReplicaState State, string? Trouble) Answer(string text) =>
        text == "!" ? (null, ReplicaState.Silent, "no answer") : (Report(text, "edge1"), ReplicaState.Agrees, null);

    private static ReplicaReport Report(string chain, string edge) => chain == "-" ? new() : new()
    {
        Streams =
        [
            new()
            {
                Edge = edge,
                Incarnation = 7,
                Delivered = (ulong)chain.Length,
                Chain =
                [
                    .. chain.Select((digest, i) => new ChainReport((ulong)i + 1, digest.ToString()))
                        .Where(point => point.Digest != "."),
                ],
            },
        ],
    };
}
