using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>What a replica makes of an INITIAL: every check from the envelope inwards, one lie at a time.</summary>
public sealed class InitialIntakeTests : IDisposable
{
    private static readonly byte[] Payload = [1, 2, 3, 4, 5];
    private readonly HostWorld _world = new();

    [Fact]
    public void A_true_initial_is_echoed_once_and_its_payload_is_held()
    {
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        Assert.Equal(1, replica.Count(Verdict("accepted")));
        _world.Run();
        Assert.Equal(1, replica.Tip().Undecided);
        Assert.Equal(3, replica.Count("massif_votes_sent_total"));
    }

    [Fact]
    public void An_envelope_with_any_other_byte_is_blamed_on_the_path_it_came_over()
    {
        var replica = Settled();
        var frame = _world.InitialFor(0, 1, Payload, number: 77);
        for (var at = 6; at < frame.Length; at++)
        {
            var changed = (byte[])frame.Clone();
            changed[at] ^= 0x20;
            replica.Take(HostWorld.Edge, changed);
            Assert.Equal(0, replica.Count(Verdict("accepted")));
        }

        Assert.Equal(frame.Length - 6, Faults(replica));
        Assert.True(replica.Count(Fault("misrouted")) > 0);
        Assert.True(replica.Count(Fault("bad_mac")) > 0);
        // A body changed under a good envelope uses up the envelope's number, on that path only.
        Assert.Equal(1, replica.Count(Fault("bad_body")));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload, number: 78));
        Assert.Equal(1, replica.Count(Verdict("accepted")));
    }

    [Theory]
    [InlineData("payload")]
    [InlineData("header")]
    [InlineData("macs")]
    public void A_changed_body_is_blamed_on_the_path(string part)
    {
        var replica = Settled();
        var frame = _world.InitialFor(0, 1, Payload);
        var body = frame.Length - Payload.Length - InitialMessage.PrefixLength(4);
        var at = part switch
        {
            "payload" => frame.Length - 1,
            "header" => body + 40,
            _ => body + BatchHeader.Length + 20,
        };
        frame[at] ^= 1;
        replica.Take(HostWorld.Edge, frame);
        Assert.Equal(1, replica.Count(Fault("bad_body")));
        Assert.Equal(0, replica.Count(Verdict("accepted")));
    }

    [Fact]
    public void A_header_that_is_not_the_sources_to_make_is_refused_and_counted()
    {
        var replica = Settled();
        var stream = new StreamId(HostWorld.Edge.Value, StreamClass.Bulk);
        Func<BatchHeader, BatchHeader>[] lies =
        [
            h => h with { Instance = h.Instance with { Stream = stream with { Source = 1 } } },
            h => h with { Instance = h.Instance with { Stream = stream with { Class = StreamClass.Urgent } } },
            h => h with { Channel = 1 },
            h => h with { Channel = 255 },
        ];
        foreach (var lie in lies) replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload, change: lie));
        Assert.Equal(lies.Length, replica.Count("massif_initial_refused_total{reason=\"not_entitled\"}"));
        Assert.Equal(0, replica.Count(Verdict("accepted")));
    }

    [Fact]
    public void A_payload_of_another_hash_or_length_than_the_header_says_is_blamed()
    {
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload, change: h => h with { PayloadHash = Digest.Of([9]) }));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload, change: h => h with { PayloadLength = Payload.Length + 1 }));
        Assert.Equal(2, replica.Count(Fault("bad_body")));
    }

    [Fact]
    public void An_empty_batch_is_no_batch()
    {
        // It could be echoed and stored, but neither served to a peer nor read back: the replicas would close their links on it.
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, []));
        Assert.Equal(1, replica.Count(Fault("bad_body")));
        Assert.Equal(0, replica.Count(Verdict("accepted")));
    }

    [Fact]
    public void A_batch_that_is_too_long_another_epoch_and_a_seq_beyond_the_window_are_refused_by_verdict()
    {
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, new byte[_world.Domain.Protocol.BatchBytesMax + 1]));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload, change: h => h with { Instance = h.Instance with { Epoch = 2 } }));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, ulong.MaxValue, Payload));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 300, Payload));
        Assert.Equal(1, replica.Count(Verdict("too_large")));
        Assert.Equal(2, replica.Count(Verdict("early")));
        Assert.Equal(1, replica.Count(Verdict("not_entitled")));
    }

    [Fact]
    public void A_bad_mac_entry_for_this_replica_alone_brings_no_echo_about()
    {
        var replica = Settled();
        var message = InitialMessage.Build(HeaderOf(Payload), 4, Payload, (ReplicaId _, in Digest _, Span<byte> mac) => mac.Fill(1));
        replica.Take(HostWorld.Edge, _world.Enveloped(0, message, 5));
        Assert.Equal(1, replica.Count(Verdict("unauthentic")));
    }

    [Fact]
    public void A_vector_without_an_entry_for_this_replica_is_not_authentic()
    {
        var replica = Settled();
        var message = InitialMessage.Build(HeaderOf(Payload), 0, Payload, (ReplicaId _, in Digest _, Span<byte> _) => { });
        var frame = Reb.Overlay.Envelope.Build(
            new(HostWorld.Edge, 1, 5, Reb.Overlay.EnvelopeContent.Initial, 0, default),
            [HostWorld.Core(0)],
            Digest.Of(message.AsSpan(0, InitialMessage.PrefixLength(0))),
            message,
            _world.KeysOf(HostWorld.Edge));
        replica.Take(HostWorld.Edge, frame);
        Assert.Equal(1, replica.Count(Verdict("unauthentic")));
    }

    [Fact]
    public void An_equal_second_copy_is_counted_and_a_different_one_is_blamed_on_its_path()
    {
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        Assert.Equal(1, replica.Count("massif_initial_copies_total"));

        var changed = _world.InitialFor(0, 1, Payload);
        changed[^1] ^= 1;
        replica.Take(HostWorld.Edge, changed);
        Assert.Equal(1, replica.Count(Fault("bad_body")));
        Assert.Equal(1, replica.Count(Verdict("accepted")));
    }

    [Fact]
    public void An_envelope_that_comes_twice_was_replayed()
    {
        var replica = Settled();
        var frame = _world.InitialFor(0, 1, Payload);
        replica.Take(HostWorld.Edge, frame);
        replica.Take(HostWorld.Edge, frame);
        Assert.Equal(1, replica.Count(Fault("replayed")));
    }

    [Fact]
    public void Another_batch_for_the_same_instance_is_evidence_that_is_kept()
    {
        var replica = Settled();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, [9, 9]));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, [8, 8]));
        Assert.Equal(2, replica.Count(Verdict("equivocation")));
        var evidence = Assert.Single(replica.Host.Evidence.Latest());
        Assert.Equal(
            (1, EvidenceKind.SourceEquivocation, "edge1", 1UL),
            (evidence.Number, evidence.Kind, evidence.Against, evidence.Instance.Seq));
        Assert.NotEqual(evidence.First, evidence.Second);
    }

    [Fact]
    public void A_disk_in_trouble_or_full_makes_new_payloads_wait()
    {
        var replica = Settled();
        replica.Disk.Medium.Trouble = "broken";
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        replica.Disk.Medium.Trouble = null;
        (replica.Disk.Medium.TotalBytes, replica.Disk.Medium.FreeBytes) = (1000, 49);
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        Assert.Equal(2, replica.Count("massif_initial_refused_total{reason=\"journal_behind\"}"));
        replica.Disk.Medium.FreeBytes = 50;
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, Payload));
        Assert.Equal(1, replica.Count(Verdict("accepted")));
    }

    [Fact]
    public void A_disk_in_trouble_makes_fetched_payloads_wait_too()
    {
        var replica = Settled();
        var header = new BatchHeader(
            new(1, new(HostWorld.Edge.Value, StreamClass.Bulk), 7, 1), 0, Payload.Length, Digest.Of(Payload), 5, 6, Guid.Empty);
        var bytes = new byte[BatchHeader.Length];
        header.Write(bytes);
        var done = VotesFrame.Build([new(VoteKind.Done, header.Instance, Digest.Of(bytes))]);
        for (var i = 1; i < 5; i++) replica.Take(HostWorld.Core(1 + (i % 2)), done); // The first only names the life.
        replica.Disk.Medium.Trouble = "broken";
        replica.Take(HostWorld.Core(1), ReplicaFrames.BuildPayload(bytes, Payload));
        Assert.Equal(1, replica.Count("massif_payloads_refused_total{reason=\"journal_behind\"}"));
        Assert.Equal(0, replica.Count("massif_batches_delivered_total"));
        replica.Disk.Medium.Trouble = null;
        replica.Take(HostWorld.Core(1), ReplicaFrames.BuildPayload(bytes, Payload));
        Assert.Equal(1, replica.Count("massif_batches_delivered_total"));
    }

    [Fact]
    public void Frames_that_are_malformed_or_not_the_neighbours_to_send_close_its_link()
    {
        var replica = Settled();
        var votes = VotesFrame.Build([new(VoteKind.Echo, new(1, new(6, StreamClass.Bulk), 7, 1), Digest.Of([1]))]);
        replica.Take(HostWorld.Edge, votes);
        replica.Take(HostWorld.Relay1, votes);
        replica.Take(HostWorld.Core(1), votes[..^1]);
        replica.Take(HostWorld.Core(1), [2, 0, 0, 0, 1, 200]);
        Assert.Equal([HostWorld.Edge, HostWorld.Relay1, HostWorld.Core(1), HostWorld.Core(1)], replica.Links.Closed.Select(c => c.To));
        replica.Take(HostWorld.Core(1), votes);
        Assert.Equal(4, replica.Links.Closed.Count);
    }

    [Fact]
    public void No_bytes_of_any_neighbour_end_the_replica()
    {
        var replica = Settled();
        var random = new Random(1);
        byte[][] seeds =
        [
            _world.InitialFor(0, 1, Payload),
            VotesFrame.Build([new(VoteKind.Done, new(1, new(6, StreamClass.Bulk), 7, 1), Digest.Of([1]))]),
            StatusFrame.Build([new(1, new(new(6, StreamClass.Bulk), 7), 1, 257, 0, default)]),
            ReplicaFrames.BuildFetch(new(1, new(6, StreamClass.Bulk), 7, 1), Digest.Of([1])),
            ReplicaFrames.BuildGone(new(1, new(6, StreamClass.Bulk), 7, 9)),
            ReplicaFrames.BuildPayload(new byte[BatchHeader.Length], Payload),
            ReplicaFrames.BuildStart(new(3, 4), new byte[64]),
            ReplicaFrames.BuildStartAnswer(new(3, 4), new(2, 4), new byte[64]),
        ];
        for (var i = 0; i < 20_000; i++)
        {
            var frame = (byte[])seeds[random.Next(seeds.Length)].Clone();
            for (var flips = random.Next(4); flips > 0; flips--) frame[6 + random.Next(frame.Length - 6)] = (byte)random.Next(256);
            if (random.Next(8) == 0) frame = frame[..(6 + random.Next(frame.Length - 6))];
            if (random.Next(8) == 0) frame[5] = (byte)random.Next(256);
            replica.Take(new((ushort)random.Next(1, TestDomain.Members.Length)), frame);
            if (i % 50 == 0) _world.Run();
        }

        _world.Run();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 2, [1, 1], incarnation: 99));
        Assert.True(replica.Count(Verdict("accepted")) > 0);
    }

    public void Dispose() => _world.Dispose();

    private static string Verdict(string verdict) => $"massif_verdicts_total{{input=\"initial\",verdict=\"{verdict}\"}}";

    private static string Fault(string reason) => $"massif_path_faults_total{{neighbour=\"edge1\",reason=\"{reason}\"}}";

    private static long Faults(ReplicaNode replica) =>
        replica.Counters.All().Where(c => c.Name.StartsWith("massif_path_faults_total", StringComparison.Ordinal)).Sum(c => c.Value);

    private static BatchHeader HeaderOf(byte[] payload) => new(
        new(1, new(HostWorld.Edge.Value, StreamClass.Bulk), 7, 1), 0, payload.Length, Digest.Of(payload), 5, 6, Guid.Empty);

    /// <summary>Replica 0, whose start three peers have confirmed; they are silent from then on.</summary>
    private ReplicaNode Settled()
    {
        for (var i = 0; i < 4; i++) _world.Start(i);
        _world.Run();
        var replica = _world.Replicas[0]!;
        Assert.True(replica.Host.IsSettled);
        for (var i = 1; i < 4; i++)
        {
            _world.Cut(HostWorld.Core(0), HostWorld.Core(i));
            _world.Cut(HostWorld.Core(i), HostWorld.Core(0));
        }

        return replica;
    }
}
