using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>Nothing that a turn sends leaves before what it logged is durable; what waits is bounded.</summary>
public sealed class ReplicaOutboxTests : IDisposable
{
    private readonly HostWorld _world = new();
    private readonly FakeLinks _links = HostWorld.AllLinks(HostWorld.Core(0));
    private readonly Counters _counters = new();

    [Fact]
    public void Frames_wait_for_their_ticket_and_leave_in_order()
    {
        var outbox = Outbox();
        outbox.AddFrame(new(1), Frame(1, 10));
        outbox.EndTurn(gate: 5);
        outbox.AddFrame(new(1), Frame(2, 10));
        outbox.EndTurn(gate: 6);
        outbox.OnSynced(4);
        Assert.Empty(_links.Sent);
        outbox.OnSynced(5);
        Assert.Equal(1, Assert.Single(_links.Sent).Frame.Span[6]);
        outbox.OnSynced(6);
        Assert.Equal([1, 2], _links.Sent.Select(s => (int)s.Frame.Span[6]));
        outbox.AddFrame(new(2), Frame(3, 10));
        outbox.EndTurn(gate: 0);
        Assert.Equal(3, _links.Sent.Count);
    }

    [Fact]
    public void Votes_and_statuses_of_a_turn_are_packed_for_each_peer()
    {
        var outbox = Outbox();
        var all = ReplicaSet.FirstOf(4).Without(new(0));
        for (ulong seq = 1; seq <= 70; seq++)
            outbox.AddVote(all, new(VoteKind.Echo, new(1, new(6, StreamClass.Bulk), 7, seq), Digest.Of([1])));
        outbox.AddStatus(ReplicaSet.Of(new(2)), toSource: true, new(1, new(new(6, StreamClass.Bulk), 7), 1, 257, 0, default));
        outbox.AddStatus(default, toSource: true, new(1, new(new(999, StreamClass.Bulk), 7), 1, 257, 0, default)); // No such node.
        outbox.EndTurn(gate: 0);
        Assert.Equal(2, _links.Sent.Count(s => s.To == HostWorld.Core(1)));
        Assert.Equal(3, _links.Sent.Count(s => s.To == HostWorld.Core(2)));
        Assert.Equal((byte)FrameType.Envelope, Frames.TypeOf(Assert.Single(_links.Sent, s => s.To == HostWorld.Edge).Frame.Span));
        Assert.Equal(210, _counters.Of("massif_votes_sent_total").Value);
    }

    [Fact]
    public void A_frame_holds_no_more_votes_than_the_domain_says()
    {
        using var world = new HostWorld(constants: new() { VotesPerFrameMax = 10 });
        var outbox = Outbox(world);
        for (ulong seq = 1; seq <= 25; seq++)
            outbox.AddVote(ReplicaSet.Of(new(1)), new(VoteKind.Echo, new(1, new(6, StreamClass.Bulk), 7, seq), Digest.Of([1])));
        outbox.EndTurn(gate: 0);
        var votes = new Vote[VotesFrame.MaxVotes];
        Assert.Equal([10, 10, 5], _links.Sent.Select(sent => VotesFrame.Read(Frames.BodyOf(sent.Frame.Span), votes)));
    }

    [Fact]
    public void Statuses_for_a_source_turn_through_the_paths_and_skip_one_that_is_down()
    {
        var outbox = Outbox();
        var status = new StreamStatus(1, new(new(6, StreamClass.Bulk), 7), 1, 257, 0, default);
        var first = new List<NodeIndex>();
        for (var i = 0; i < 4; i++)
        {
            if (i == 3) _links.Down(HostWorld.Edge);
            outbox.AddStatus(default, toSource: true, status);
            outbox.EndTurn(gate: 0);
            first.Add(Assert.Single(_links.Take()).To);
        }

        Assert.Equal([HostWorld.Edge, HostWorld.Relay1, TestDomain.Index("relay2"), HostWorld.Relay1], first);
    }

    [Fact]
    public void As_many_frames_a_turn_as_there_are_paths_do_not_keep_their_paths()
    {
        var outbox = Outbox();
        var ways = new HashSet<NodeIndex>();
        for (var turn = 0; turn < 3; turn++)
        {
            for (ulong life = 1; life <= 3 * StatusFrame.MaxStatuses; life++)
                outbox.AddStatus(default, toSource: true, new(1, new(new(6, StreamClass.Bulk), life), 1, 257, 0, default));
            outbox.EndTurn(gate: 0);
            var sent = _links.Take();
            Assert.Equal(3, sent.Select(frame => frame.To).Distinct().Count());
            ways.Add(sent[0].To);
        }

        Assert.Equal(3, ways.Count);
    }

    [Fact]
    public void What_waits_for_the_disk_is_bounded_and_the_newest_is_dropped_and_counted()
    {
        var outbox = Outbox();
        for (var i = 0; i < 70; i++) outbox.AddFrame(new(1), Frame(1, 1024 * 1024 - 6));
        outbox.EndTurn(gate: 1);
        Assert.Equal(6, _counters.Of("massif_frames_dropped_total{reason=\"outbox_full\"}").Value);
        outbox.OnSynced(1);
        Assert.Equal(64, _links.Sent.Count);
        outbox.AddFrame(new(1), Frame(1, 10));
        outbox.EndTurn(gate: 2);
        outbox.OnSynced(2);
        Assert.Equal(65, _links.Sent.Count);
    }

    [Fact]
    public void A_replica_sends_nothing_of_a_turn_before_its_sync_is_answered()
    {
        for (var i = 0; i < 4; i++) _world.Start(i);
        _world.Run();
        var replica = _world.Replicas[0]!;
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, [1]));
        replica.Host.EndTurn(_world.Now);
        Assert.Empty(replica.Links.Sent);
        var asked = replica.Disk.Asked;
        Assert.Equal(1, asked); // Payload and ECHO in one sync (R3).
        replica.AnswerDisk();
        Assert.Equal(3, replica.Links.Sent.Count(s => Frames.TypeOf(s.Frame.Span) == (byte)FrameType.Votes));

        // A turn that logs nothing does not overtake one that waits.
        replica.Links.Sent.Clear();
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 2, [2]));
        replica.Host.EndTurn(_world.Now);
        replica.Host.Step(HostInput.OfLinkUp(HostWorld.Core(1)), _world.Now);
        replica.Host.EndTurn(_world.Now);
        Assert.Empty(replica.Links.Sent);
        replica.AnswerDisk();
        Assert.NotEmpty(replica.Links.Sent);
    }

    public void Dispose() => _world.Dispose();

    private static byte[] Frame(byte first, int length)
    {
        var body = new byte[length];
        body[0] = first;
        return Frames.Make(200, body);
    }

    private ReplicaOutbox Outbox(HostWorld? world = null)
    {
        world ??= _world;
        var paths = new OverlayPaths(world.Domain, HostWorld.Core(0), [HostWorld.Edge]);
        var sender = new EnvelopeSender(HostWorld.Core(0), 1, paths, world.KeysOf(HostWorld.Core(0)), world.Domain.Nodes.Count, _counters);
        return new(world.Domain, _links, sender, _counters);
    }
}
