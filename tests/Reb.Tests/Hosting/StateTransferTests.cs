using Massif.Reb.Links;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>A replica behind everybody's memory goes to a checkpoint that enough peers name alike, and stays there (R11).</summary>
public sealed class StateTransferTests : IDisposable
{
    private const long JournalLimit = 512 * 1024;
    private readonly HostWorld _world = new(constants: new() { Window = 16, DigestMemory = 256, CheckpointInterval = 64 });

    [Fact]
    public void A_replica_that_was_away_for_longer_than_the_peers_remember_comes_to_their_state_and_says_what_it_skipped()
    {
        var behind = LeaveBehind();
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(3000);
        AssertCaughtUp(again);
        var gap = Assert.Single(again.Host.Gaps);
        Assert.Equal((4UL, 320UL), (gap.From, gap.To)); // 320 is the last multiple of the interval.
        Assert.Equal(317, again.Count("massif_batches_skipped_total{reason=\"state_transfer\"}"));
        Assert.Equal(1, again.Count("massif_state_transfers_total"));

        Publish(_world, 8); // It takes part again: with another one down, nothing would be delivered without it.
        _world.Kill(0);
        Publish(_world, 8);
        Assert.Equal(_world.Source!.Host.NextSeq - 1, again.Tip().Delivered);
        Assert.Equal(_world.Source.Host.NextSeq - 1, _world.Source.Host.Released);
    }

    [Fact]
    public void A_wiped_replica_comes_to_the_state_of_the_others_too()
    {
        LeaveBehind();
        var again = _world.Start(3, journalLimit: JournalLimit);
        _world.Pass(3000);
        AssertCaughtUp(again);
        Assert.True(again.Host.EchoForbidden);
    }

    [Fact]
    public void What_a_checkpoint_brought_is_there_after_a_restart_and_after_a_crash_at_any_point()
    {
        var behind = LeaveBehind();
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var disk = behind.Reopened();
            var again = _world.Start(3, disk, JournalLimit);
            var point = random.Next(1, 40);
            for (var turn = 0; turn < point; turn++) _world.Pass(10);
            var crashed = disk.Crash(random);
            var durable = again.Tip().Durable;
            _world.Kill(3);
            again = _world.Start(3, crashed, JournalLimit);
            Assert.True(again.Tip().Durable >= durable);
            _world.Pass(3000);
            AssertCaughtUp(again);
            _world.Kill(3);
        }
    }

    [Fact]
    public void A_stream_that_rests_between_two_checkpoints_strands_nobody()
    {
        using var world = new HostWorld(constants: new() { Window = 16, DigestMemory = 256, CheckpointInterval = 4096 });
        world.StartAll(JournalLimit);
        Publish(world, 3);
        var disk = world.Replicas[3]!.Disk.Reopened();
        world.Kill(3);
        for (var i = 0; i < 40; i++) Publish(world, 8);
        var again = world.Start(3, disk, JournalLimit);
        world.Pass(4000);
        Assert.Equal(323UL, again.Tip().Delivered);
        Assert.Equal(world.Replicas[0]!.Application.State, again.Application.State);
    }

    [Fact]
    public void A_checkpoint_is_served_after_a_restart_of_those_who_hold_it()
    {
        var behind = LeaveBehind();
        for (var i = 0; i < 3; i++)
        {
            var disk = _world.Replicas[i]!.Disk.Reopened();
            _world.Kill(i);
            _world.Start(i, disk, JournalLimit);
        }

        _world.Pass(500);
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(3000);
        AssertCaughtUp(again);
        Assert.Equal(320UL, Assert.Single(again.Host.Gaps).To);
    }

    [Fact]
    public void A_state_that_is_not_what_was_named_is_evidence_and_comes_from_another()
    {
        var behind = LeaveBehind();
        var forged = 0;
        _world.Loses = (from, to, frame) =>
        {
            if (Frames.TypeOf(frame) == (byte)FrameType.CheckpointPart && from == HostWorld.Core(0) && forged++ >= 0) frame[^1] ^= 1;
            return false;
        };
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(3000);
        Assert.Equal(1, forged);
        Assert.Equal(1, again.Count("massif_evidence_total{kind=\"wrong_state\"}"));
        AssertCaughtUp(again);
    }

    [Fact]
    public void What_only_one_replica_names_is_not_gone_to()
    {
        var behind = LeaveBehind();
        _world.Loses = (from, to, frame) => Frames.TypeOf(frame) == (byte)FrameType.CheckpointOffer && from != HostWorld.Core(0);
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(3000);
        Assert.Equal(3UL, again.Tip().Delivered);
        _world.Loses = null;
        _world.Pass(3000);
        AssertCaughtUp(again);
    }

    public void Dispose() => _world.Dispose();

    /// <summary>Replica 3 delivers three batches and is away for 320 more, which is past the memory and the journal of the others.</summary>
    private HostDisk LeaveBehind()
    {
        _world.StartAll(JournalLimit);
        Publish(_world, 3);
        var disk = _world.Replicas[3]!.Disk.Reopened();
        _world.Kill(3);
        for (var i = 0; i < 40; i++) Publish(_world, 8);
        Assert.False(_world.Replicas[0]!.Host.TryRead(_world.Replicas[0]!.Tip().Life, 4, out _));
        return disk;
    }

    private static void Publish(HostWorld world, int count)
    {
        for (var i = 0; i < count; i++) world.Source!.Publish(new string((char)('a' + i), 8000));
        world.Pass(30);
    }

    private void AssertCaughtUp(ReplicaNode replica)
    {
        Assert.Equal(_world.Replicas[0]!.Tip().Chain, replica.Tip().Chain);
        Assert.Equal(_world.Replicas[0]!.Application.State, replica.Application.State);
    }
}
