namespace Massif.Client.Tests;

public sealed class TailVoteTests
{
    private static TailVote Events() => new(TailKind.Events, 4, 2);

    [Fact]
    public void An_item_is_believed_once_when_two_said_the_same()
    {
        var vote = Events();
        Assert.Null(vote.Offer(0, "e/1/1/0", "x", out _));
        Assert.Null(vote.Offer(0, "e/1/1/0", "x", out _)); // Saying it twice is one vote.
        Assert.Equal("x", vote.Offer(1, "e/1/1/0", "x", out _));
        Assert.Null(vote.Offer(2, "e/1/1/0", "x", out _));
        Assert.Null(vote.Offer(3, "e/1/1/0", "x", out _));
    }

    [Fact]
    public void Who_said_something_else_is_named_before_and_after()
    {
        var vote = Events();
        vote.Offer(3, "e/1/1/0", "lie", out _);
        vote.Offer(0, "e/1/1/0", "x", out _);
        Assert.Equal("x", vote.Offer(1, "e/1/1/0", "x", out var differs));
        Assert.Equal([3], differs);
        vote.Offer(2, "e/1/1/0", "another lie", out differs);
        Assert.Equal([2], differs);
    }

    [Fact]
    public void The_first_word_of_a_replica_counts_and_it_cannot_vote_for_two_values()
    {
        var vote = Events();
        vote.Offer(0, "e/1/1/0", "x", out _);
        vote.Offer(3, "e/1/1/0", "y", out _);
        Assert.Null(vote.Offer(3, "e/1/1/0", "x", out _));
        Assert.Equal("x", vote.Offer(1, "e/1/1/0", "x", out _));
    }

    [Fact]
    public void Order_holds_within_a_stream_and_streams_do_not_wait_for_each_other()
    {
        var vote = Events();
        foreach (var id in new[] { "e/1/1/0", "e/1/2/0", "d/1/1/0" }) vote.Offer(0, id, "x", out _);
        Assert.NotNull(vote.Offer(1, "e/1/2/0", "x", out _)); // Replica 1 was dialled behind 1/0.
        Assert.Null(vote.Offer(2, "e/1/1/0", "x", out _));
        Assert.NotNull(vote.Offer(2, "d/1/1/0", "x", out _));
        Assert.NotNull(vote.Offer(2, "e/1/2/1", "y", out _) ?? vote.Offer(3, "e/1/2/1", "y", out _));
    }

    [Fact]
    public void A_replica_that_floods_only_loses_its_own_votes()
    {
        var vote = Events();
        vote.Offer(0, "e/1/1/0", "x", out _);
        vote.Offer(3, "e/1/1/0", "x2", out _);
        for (var i = 2; i <= TailVote.WaitingMax + 10; i++) vote.Offer(3, $"f/1/{i}/0", "junk", out _);
        Assert.Equal("x", vote.Offer(1, "e/1/1/0", "x", out var differs));
        Assert.Empty(differs); // Its first vote was given up.
    }

    [Fact]
    public void What_is_no_event_id_is_a_difference() =>
        Assert.True(Events().Offer(0, "nonsense", "x", out var differs) is null && differs.Count == 1);
}
