using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Tests.Hosting;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Overlay;

/// <summary>The envelope from source to destination: what its MAC covers, how relays forward it, and whom a fault is blamed on.</summary>
public sealed class EnvelopeTests : IDisposable
{
    private static readonly NodeIndex Relay2 = TestDomain.Index("relay2");
    private static readonly byte[] Body = [1, 2, 3, 4];
    private readonly HostWorld _world = new();

    [Fact]
    public void The_mac_of_a_destination_covers_everything_but_the_hop_and_the_other_destinations()
    {
        var frame = Make([HostWorld.Core(0), HostWorld.Core(1)], HostWorld.Relay1);
        var keys = _world.KeysOf(HostWorld.Core(1));
        var authentic = new List<int>();
        for (var at = Frames.HeaderLength; at < frame.Length; at++)
        {
            var changed = (byte[])frame.Clone();
            changed[at] ^= 1;
            if (Envelope.TryOpen(changed, out var envelope)
                && envelope.Source.Value < 7
                && envelope.IsAuthentic(keys, HostWorld.Core(1)))
            {
                authentic.Add(at);
            }
        }

        // The hop; the entry of core1, but for the byte that would make it core2; and the body, which its hash covers.
        var entry = Frames.HeaderLength + 1 + 21 + 2 + 1;
        int[] expected =
        [
            Frames.HeaderLength,
            .. Enumerable.Range(entry + 1, 17),
            .. Enumerable.Range(frame.Length - Body.Length, Body.Length),
        ];
        Assert.Equal(expected, authentic);
    }

    [Fact]
    public void Only_the_listed_destination_and_the_true_source_fit()
    {
        var frame = Make([HostWorld.Core(1)], HostWorld.Relay1);
        Assert.True(Envelope.TryOpen(frame, out var envelope));
        Assert.True(envelope.IsAuthentic(_world.KeysOf(HostWorld.Core(1)), HostWorld.Core(1)));
        Assert.False(envelope.IsAuthentic(_world.KeysOf(HostWorld.Core(2)), HostWorld.Core(2)));

        // A relay that makes one of its own in the name of the edge has no key for it.
        var forged = Envelope.Build(
            new(HostWorld.Edge, 1, 1, EnvelopeContent.Initial, 0, default),
            [HostWorld.Core(1)],
            Digest.Of(Body),
            Body,
            _world.KeysOf(HostWorld.Relay1));
        Assert.True(Envelope.TryOpen(forged, out envelope));
        Assert.False(envelope.IsAuthentic(_world.KeysOf(HostWorld.Core(1)), HostWorld.Core(1)));
    }

    [Fact]
    public void A_destination_twice_none_or_too_many_and_a_long_route_are_malformed()
    {
        var core = HostWorld.Core(0);
        Assert.False(Envelope.TryOpen(Make([core, HostWorld.Core(1), core], HostWorld.Relay1), out _));
        Assert.False(Envelope.TryOpen(Make([], HostWorld.Relay1), out _));
        var route = Enumerable.Repeat(HostWorld.Relay1, Envelope.MaxRoute).ToArray();
        Assert.True(Envelope.TryOpen(Make([core], route), out _));
        var longer = Make([core], HostWorld.Relay1);
        longer[Frames.HeaderLength + 21] = Envelope.MaxRoute + 1;
        Assert.False(Envelope.TryOpen(longer, out _));
    }

    [Fact]
    public void A_relay_gives_every_destination_the_same_bytes_and_counts_the_hop()
    {
        var (links, counters) = (HostWorld.AllLinks(HostWorld.Relay1), new Counters());
        var relay = new RelayHost(HostWorld.Relay1, _world.Domain.Nodes.Count, links, counters);
        var frame = Make([HostWorld.Core(0), HostWorld.Core(2)], HostWorld.Relay1);
        relay.Step(HostInput.OfFrame(HostWorld.Edge, (byte[])frame.Clone()));
        Assert.Equal([HostWorld.Core(0), HostWorld.Core(2)], links.Sent.Select(s => s.To));
        Assert.True(links.Sent[0].Frame.Span.SequenceEqual(links.Sent[1].Frame.Span));
        frame[Frames.HeaderLength] = 1;
        Assert.Equal(frame, links.Sent[0].Frame.ToArray());

        Assert.True(Receiver(0, out var faults).TryOpen(HostWorld.Relay1, links.Sent[0].Frame.Span, out _));
        Assert.Empty(faults);
    }

    [Fact]
    public void A_longer_route_goes_from_relay_to_relay()
    {
        var links = HostWorld.AllLinks(HostWorld.Relay1);
        var relay = new RelayHost(HostWorld.Relay1, _world.Domain.Nodes.Count, links, new());
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Core(0)], HostWorld.Relay1, Relay2)));
        Assert.Equal(Relay2, Assert.Single(links.Sent).To);

        var links2 = HostWorld.AllLinks(Relay2);
        var relay2 = new RelayHost(Relay2, _world.Domain.Nodes.Count, links2, new());
        relay2.Step(HostInput.OfFrame(HostWorld.Relay1, links.Take()[0].Frame));
        var arrived = Assert.Single(links2.Sent);
        Assert.True(Receiver(0, out _).TryOpen(Relay2, arrived.Frame.Span, out _));
    }

    [Fact]
    public void A_relay_forwards_nothing_that_is_not_on_its_way()
    {
        var (links, counters) = (HostWorld.AllLinks(HostWorld.Relay1), new Counters());
        var relay = new RelayHost(HostWorld.Relay1, _world.Domain.Nodes.Count, links, counters);
        relay.Step(HostInput.OfFrame(HostWorld.Core(1), Make([HostWorld.Core(0)], HostWorld.Relay1))); // Not from its source.
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Core(0)], Relay2))); // Another relay's.
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Core(0)]))); // No relay at all.
        var hopped = Make([HostWorld.Core(0)], HostWorld.Relay1);
        foreach (var hop in (byte[])[1, 2, 8, 255])
        {
            var copy = (byte[])hopped.Clone();
            copy[Frames.HeaderLength] = hop;
            relay.Step(HostInput.OfFrame(HostWorld.Edge, copy));
        }

        Assert.Equal(7, counters.Of("massif_relay_dropped_frames_total{reason=\"not_on_route\"}").Value);
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Core(0)], HostWorld.Relay1, HostWorld.Relay1))); // To itself.
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Relay1], HostWorld.Relay1)));
        links.Down(HostWorld.Core(0));
        relay.Step(HostInput.OfFrame(HostWorld.Edge, Make([HostWorld.Core(0)], HostWorld.Relay1)));
        Assert.Equal(3, counters.Of("massif_relay_dropped_frames_total{reason=\"link_down_or_full\"}").Value);
        Assert.Empty(links.Sent);
        Assert.Empty(links.Closed);
    }

    [Fact]
    public void A_relay_is_not_used_to_pass_on_frames_of_another_type()
    {
        // The destination would take it for a lie of the relay and close the link to it, for all edges behind it.
        var links = HostWorld.AllLinks(HostWorld.Relay1);
        var relay = new RelayHost(HostWorld.Relay1, _world.Domain.Nodes.Count, links, new());
        var frame = Make([HostWorld.Core(0)], HostWorld.Relay1);
        frame[5] = (byte)FrameType.Votes;
        relay.Step(HostInput.OfFrame(HostWorld.Edge, frame));
        Assert.Empty(links.Sent);
        Assert.Equal(HostWorld.Edge, Assert.Single(links.Closed).To);
    }

    [Fact]
    public void Random_bytes_do_not_stop_a_relay()
    {
        var random = new Random(3);
        var relay = new RelayHost(HostWorld.Relay1, _world.Domain.Nodes.Count, HostWorld.AllLinks(HostWorld.Relay1), new());
        for (var i = 0; i < 20_000; i++)
        {
            var frame = Make([HostWorld.Core(0), HostWorld.Core(1)], HostWorld.Relay1, Relay2);
            for (var flips = random.Next(6); flips > 0; flips--) frame[6 + random.Next(frame.Length - 6)] = (byte)random.Next(256);
            relay.Step(HostInput.OfFrame(HostWorld.Edge, frame.AsMemory(0, random.Next(6, frame.Length + 1))));
        }
    }

    [Fact]
    public void A_receiver_blames_the_neighbour_that_delivered()
    {
        var receiver = Receiver(0, out var faults);
        var direct = Make([HostWorld.Core(0)]);
        Assert.False(receiver.TryOpen(HostWorld.Relay1, direct, out _)); // Says it came straight from the edge.
        Assert.False(receiver.TryOpen(HostWorld.Edge, Make([HostWorld.Core(1)]), out _)); // Another's.
        var viaRelay = Make([HostWorld.Core(0)], HostWorld.Relay1);
        Assert.False(receiver.TryOpen(HostWorld.Relay1, viaRelay, out _)); // The hop was not counted.
        viaRelay[Frames.HeaderLength] = 1;
        Assert.False(receiver.TryOpen(Relay2, viaRelay, out _));
        var unknown = (byte[])direct.Clone();
        (unknown[Frames.HeaderLength + 1], unknown[Frames.HeaderLength + 2]) = (200, 0);
        Assert.False(receiver.TryOpen(Relay2, unknown, out _));
        Assert.All(faults, fault => Assert.Equal(PathFault.Misrouted, fault.Fault));
        Assert.Equal([HostWorld.Relay1, HostWorld.Edge, HostWorld.Relay1, Relay2, Relay2], faults.Select(f => f.From));

        faults.Clear();
        Assert.True(receiver.TryOpen(HostWorld.Relay1, viaRelay, out _));
        Assert.False(receiver.TryOpen(HostWorld.Relay1, viaRelay, out _));
        Assert.False(receiver.TryOpen(HostWorld.Relay1, viaRelay.AsSpan(0, 40), out _));
        direct[Frames.HeaderLength + 3] ^= 1;
        Assert.False(receiver.TryOpen(HostWorld.Edge, direct, out _));
        Assert.Equal([PathFault.Replayed, PathFault.Malformed, PathFault.BadMac], faults.Select(f => f.Fault));
    }

    [Fact]
    public void A_source_with_two_relays_has_three_disjoint_paths_to_every_replica()
    {
        var paths = new OverlayPaths(_world.Domain, HostWorld.Edge, [.. _world.Domain.Replicas.Select(r => r.Index)]);
        Assert.Equal(["direct", "via relay1", "via relay2"], paths.Names);
        Assert.True(paths.AllDisjoint);
        foreach (var replica in _world.Domain.Replicas)
        {
            Assert.Equal(
                [[], [HostWorld.Relay1], [Relay2]],
                Enumerable.Range(0, 3).Select(p => paths.Route(p, replica.Index)!.Value.ToArray()));
            Assert.Equal(
                [replica.Index, HostWorld.Relay1, Relay2],
                Enumerable.Range(0, 3).Select(p => paths.FirstHop(p, replica.Index)!.Value));
        }

        var back = new OverlayPaths(_world.Domain, HostWorld.Core(0), [HostWorld.Edge]);
        Assert.Equal(["direct", "via relay1", "via relay2"], back.Names);
    }

    [Fact]
    public void With_fewer_relays_there_are_fewer_paths_and_it_is_said()
    {
        var nodes = _world.Domain.Nodes.Where(n => n.Id != "relay2").Select((n, i) => n with { Index = new((ushort)i) }).ToArray();
        var smaller = new Reb.Configuration.Domain("test", 1, 0, 1, 1, false, nodes, _world.Domain.Channels, _world.Domain.Protocol);
        var paths = new OverlayPaths(smaller, smaller.Find("edge1")!.Index, [.. smaller.Replicas.Select(r => r.Index)]);
        Assert.Equal(["direct", "via relay1"], paths.Names);
        Assert.False(paths.AllDisjoint);
    }

    [Fact]
    public void A_sender_makes_one_frame_per_route_and_one_per_direct_link()
    {
        var counters = new Counters();
        var replicas = _world.Domain.Replicas.Select(r => r.Index).ToArray();
        var paths = new OverlayPaths(_world.Domain, HostWorld.Edge, replicas);
        var sender = new EnvelopeSender(HostWorld.Edge, 5, paths, _world.KeysOf(HostWorld.Edge), _world.Domain.Nodes.Count, counters);
        var output = new Output();
        Assert.True(sender.Send(EnvelopeContent.Initial, Digest.Of(Body), Body, replicas, 1, output));
        Assert.Equal(HostWorld.Relay1, Assert.Single(output.Sent).To);
        Assert.True(Envelope.TryOpen(output.Sent[0].Frame.Span, out var envelope));
        Assert.Equal((4, 1UL, 1), (envelope.DestinationCount, envelope.Number, envelope.Path));

        output.Sent.Clear();
        Assert.True(sender.Send(EnvelopeContent.Initial, Digest.Of(Body), Body, replicas.AsSpan(1, 2), 0, output));
        Assert.Equal([replicas[1], replicas[2]], output.Sent.Select(s => s.To));
        Assert.True(Envelope.TryOpen(output.Sent[0].Frame.Span, out envelope));
        Assert.Equal((2, 1UL), (envelope.DestinationCount, envelope.Number)); // Every path numbers its own.

        output.Refuses = replicas[2];
        Assert.False(sender.Send(EnvelopeContent.Initial, Digest.Of(Body), Body, replicas, 0, output));
        Assert.Equal(5, counters.Of("massif_path_sent_envelopes_total{path=\"direct\"}").Value);
        Assert.Equal(1, counters.Of("massif_path_unsent_envelopes_total{path=\"direct\"}").Value);
    }

    [Fact]
    public void Links_of_an_attacker_tell_the_lies_asked_for_and_only_while_active()
    {
        var frame = Make([HostWorld.Core(0)], HostWorld.Relay1);
        var lies = Misbehaving(Misbehaviours.Corrupt, out var inner);
        for (var i = 0; i < 6; i++) lies.TrySend(HostWorld.Core(0), frame);
        Assert.Equal(2, inner.Sent.Count(s => !s.Frame.Span.SequenceEqual(frame)));
        lies.Active = false;
        for (var i = 0; i < 6; i++) lies.TrySend(HostWorld.Core(0), frame);
        Assert.Equal(2, inner.Sent.Count(s => !s.Frame.Span.SequenceEqual(frame)));

        lies = Misbehaving(Misbehaviours.Drop, out inner);
        Assert.True(lies.TrySend(HostWorld.Core(0), frame));
        Assert.Empty(inner.Sent);

        lies = Misbehaving(Misbehaviours.Misroute, out inner);
        for (var i = 0; i < 6; i++) lies.TrySend(HostWorld.Core(0), frame);
        Assert.Equal(2, inner.Sent.Count(s => s.To == HostWorld.Core(1)));

        lies = Misbehaving(Misbehaviours.Replay, out inner);
        for (var i = 0; i < 10; i++) lies.TrySend(HostWorld.Core(0), frame);
        Assert.Equal(12, inner.Sent.Count);

        lies = Misbehaving(Misbehaviours.Delay, out inner);
        for (var i = 0; i < 8; i++) lies.TrySend(HostWorld.Core(0), frame);
        Assert.Equal(6, inner.Sent.Count);
        Assert.Equal(new Instant(300_000_000), lies.NextDeadline);
        lies.OnTime(new(299_999_999));
        Assert.Equal(6, inner.Sent.Count);
        lies.OnTime(new(300_000_000));
        Assert.Equal(8, inner.Sent.Count);
        Assert.Null(lies.NextDeadline);
        for (var i = 0; i < 2000; i++) lies.TrySend(HostWorld.Core(0), frame); // It holds 256 at most.
        Assert.Equal(8 + 2000 - 256, inner.Sent.Count);
    }

    public void Dispose() => _world.Dispose();

    private MisbehavingLinks Misbehaving(Misbehaviours kinds, out FakeLinks inner)
    {
        inner = HostWorld.AllLinks(HostWorld.Relay1);
        return new(inner, kinds, _world.Domain.Nodes.Count) { Active = true };
    }

    private EnvelopeReceiver Receiver(int core, out List<(NodeIndex From, PathFault Fault)> faults)
    {
        var seen = faults = [];
        return new(_world.Domain, HostWorld.Core(core), _world.KeysOf(HostWorld.Core(core)), new())
        {

            Blamed = (from, fault) => seen.Add((from, fault)),
        };
    }

    private byte[] Make(NodeIndex[] destinations, params NodeIndex[] route) => Envelope.Build(
        new(HostWorld.Edge, 1, 1, EnvelopeContent.Initial, 0, route), destinations, Digest.Of(Body), Body, _world.KeysOf(HostWorld.Edge));

    private sealed class Output : IFrameOutput
    {
        public List<(NodeIndex To, ReadOnlyMemory<byte> Frame)> Sent { get; } = [];

        public NodeIndex? Refuses { get; set; }

        public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
        {
            if (to == Refuses) return false;
            Sent.Add((to, frame));
            return true;
        }
    }
}
