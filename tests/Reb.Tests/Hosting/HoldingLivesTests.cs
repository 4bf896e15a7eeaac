namespace Massif.Reb.Tests.Hosting;

/// <summary>
/// What an edge that invents incarnations can make a replica hold, and that a correct one that lost
/// its spool again and again goes on (R8).
/// </summary>
public sealed class HoldingLivesTests : IDisposable
{
    private const int Window = 16;
    private const long JournalLimit = 512 * 1024;
    private const long SegmentBytes = JournalLimit / 8;

    private readonly HostWorld _world = new(Window, new() { Window = Window, CheckpointInterval = Window, HoldingLivesPerStream = 2 });

    [Fact]
    public void Windows_left_undecided_in_many_lives_are_held_for_two_of_them_in_memory_and_in_the_journal()
    {
        _world.StartAll(JournalLimit);
        var replica = Alone();
        for (ulong incarnation = 1; incarnation <= 40; incarnation++)
        {
            Fill(replica, incarnation, from: 900); // Enrolled by what is far above its window, so that it holds nothing when it is.
            Fill(replica, incarnation, from: 2);
            Assert.InRange(replica.Host.Core.Footprint.Payloads, Window - 1, 2 * (Window - 1));
            Assert.InRange(replica.Host.JournalBytes, 0, JournalLimit);
        }

        Fill(replica, 3, from: 1); // The lowest instance of a life is held all the same.
        Assert.Equal((2 * (Window - 1)) + 1, replica.Host.Core.Footprint.Payloads);
        var bound = replica.Host.Core.Bound(streams: 1);
        Assert.Equal(2 * ((2 * Window) + bound.Lives), bound.Payloads);

        // The others do not know of any of it, and the edge's honest stream goes on.
        _world.Heal();
        _world.Source!.Publish("one", "two");
        _world.Pass(2_000);
        Assert.All(_world.Replicas, node => Assert.Equal(2UL, node!.Tip().Delivered));
    }

    [Fact]
    public void What_is_undecided_survives_retention_and_moves_along_a_segment_at_a_time()
    {
        _world.StartAll(JournalLimit);
        var replica = Alone();
        Fill(replica, 1, from: 2);
        Fill(replica, 2, from: 2);
        _world.Heal();
        var largest = 0L;
        for (var i = 0; i < 600; i++)
        {
            var before = replica.Disk.Medium.AppendedBytes;
            _world.Source!.Publish(new string('x', 4000));
            _world.Run();
            largest = Math.Max(largest, replica.Disk.Medium.AppendedBytes - before);
            Assert.InRange(replica.Host.JournalBytes, 0, JournalLimit + (2 * SegmentBytes));
        }

        Assert.InRange(largest, SegmentBytes, 2 * SegmentBytes); // A snapshot moves a part of it, never all.
        Assert.Equal(2 * (Window - 1), replica.Host.Core.Footprint.Payloads);

        // The operator gives it less room: many files should go at once, and wait for what is still held in them.
        var disk = replica.Disk.Reopened();
        _world.Kill(0);
        replica = _world.Start(0, disk, JournalLimit / 4);
        for (var i = 0; i < 300; i++)
        {
            _world.Source!.Publish(new string('x', 4000));
            _world.Run();
        }

        _world.Pass(1_000);
        Assert.InRange(replica.Host.JournalBytes, 0, JournalLimit);
        Assert.Equal(2 * (Window - 1), replica.Host.Core.Footprint.Payloads);

        // Their lowest instances come at last, and the rest comes to the others too: nothing of it was lost.
        foreach (var node in _world.Replicas)
        {
            Fill(node!, 1, from: 1);
            Fill(node!, 2, from: 1);
        }

        _world.Pass(3_000);
        Assert.Equal((Window - 1UL, Window - 1UL), (replica.Tip(1).Delivered, replica.Tip(2).Delivered));
    }

    [Fact]
    public void A_correct_edge_that_loses_its_spool_again_and_again_is_never_kept_out()
    {
        for (var i = 0; i < 4; i++) _world.Start(i);
        for (var life = 1; life <= 6; life++)
        {
            _world.Source = new(_world, new HostDisk());
            _world.Run();
            _world.Source.Publish([.. Enumerable.Range(0, 3 * Window).Select(i => $"{life}/{i}")]);
            _world.Pass(3_000);
            var incarnation = _world.Source.Host.Life.Incarnation;
            Assert.All(_world.Replicas, node => Assert.Equal(3UL * Window, node!.Tip(incarnation).Delivered));
            Assert.Equal(3UL * Window, _world.Source.Host.Released);

            // The last thing that it does is to send half of the replicas what the others never see.
            _world.Loses = (from, to, _) => from == HostWorld.Edge && to.Value > 1;
            _world.Source.Publish([.. Enumerable.Range(0, Window).Select(i => $"{life}/lost/{i}")]);
            _world.Pass(20);
            _world.Loses = null;
            _world.Source = null;
            Assert.True(_world.Replicas[0]!.Tip(incarnation).Undecided > 0);
        }

        Assert.InRange(_world.Replicas[0]!.Host.Core.Footprint.Payloads, Window, (2 * Window) + 6);
    }

    public void Dispose() => _world.Dispose();

    private ReplicaNode Alone()
    {
        for (var i = 1; i < 4; i++) _world.Cut(HostWorld.Core(0), HostWorld.Core(i));
        return _world.Replicas[0]!;
    }

    /// <summary>A window without its last instance: from 2 on nothing of it can be delivered.</summary>
    private void Fill(ReplicaNode replica, ulong incarnation, ulong from)
    {
        for (var seq = from; seq < from + Window - 1; seq++)
        {
            var payload = new byte[8 * 1024];
            payload[0] = (byte)seq;
            replica.Take(HostWorld.Edge, _world.InitialFor(replica.Self.Value, seq, payload, incarnation));
        }

        _world.Run();
    }
}
