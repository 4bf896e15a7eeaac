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

    /// <summary>With a state longer than a segment a snapshot begins in the very turn that goes to the checkpoint.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(70_000)]
    public void What_a_checkpoint_brought_is_there_after_a_restart_and_after_a_crash_at_any_point(int stateBytes)
    {
        var behind = LeaveBehind(stateBytes);
        for (var seed = 0; seed < 30; seed++)
        {
            var random = new Random(seed);
            var disk = behind.Reopened();
            var again = _world.Start(3, disk, JournalLimit, stateBytes);
            var crashed = seed % 2 == 0 ? CrashAtCheckpoint(again, random) : null;
            if (seed % 2 == 0) Assert.NotNull(crashed);
            for (var turn = seed % 2 == 0 ? 0 : random.Next(40); turn > 0; turn--) _world.Pass(10);
            var durable = crashed is null ? again.Tip().Durable : 3;
            crashed ??= disk.Crash(random);
            _world.Kill(3);
            again = _world.Start(3, crashed, JournalLimit, stateBytes);
            Assert.True(again.Tip().Durable >= durable);
            _world.Pass(3000);
            AssertCaughtUp(again);
            _world.Kill(3);
        }
    }

    [Fact]
    public void A_snapshot_behind_a_checkpoint_stands_alone_when_the_end_of_the_segment_before_it_is_lost()
    {
        var again = _world.Start(3, LeaveBehind(70_000), JournalLimit, 70_000);
        HostDisk? crashed = null;
        _world.Loses = (from, to, frame) =>
        {
            if (crashed is not null || to != again.Self || Frames.TypeOf(frame) != (byte)FrameType.CheckpointPart) return false;
            var (file, length) = (again.Disk.Files[^1], again.Disk.LengthOf(again.Disk.Files[^1]));
            again.Take(from, frame);
            again.Host.EndTurn(_world.Now);
            Assert.NotEqual(file, again.Disk.Files[^1]);
            crashed = again.Disk.Reopened();
            crashed.Medium.Truncate(file, length);
            return true;
        };
        _world.Pass(1500);
        _world.Loses = null;
        _world.Kill(3);
        again = _world.Start(3, crashed, JournalLimit, 70_000);
        Assert.Equal(320UL, again.Tip().Delivered);
        _world.Pass(3000);
        AssertCaughtUp(again);
    }

    [Fact]
    public void A_checkpoint_outlives_the_segment_that_it_was_written_to()
    {
        _world.StartAll(JournalLimit);
        for (ulong seq = 1; seq <= 64; seq++)
        {
            for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, seq, [1], incarnation: 9));
            _world.Run();
        }

        for (var i = 0; i < 40; i++) Publish(_world, 8);
        var disk = _world.Replicas[0]!.Disk.Reopened();
        _world.Kill(0);
        var again = _world.Start(0, disk, JournalLimit);
        _world.Pass(500);
        var life = again.Tip(9).Life;
        Assert.False(again.Host.TryRead(life, 64, out _));
        again.Take(HostWorld.Core(1), TransferFrames.BuildQuery(new(1, life.Stream, life.Incarnation, 1)));
        again.Host.EndTurn(_world.Now);
        again.AnswerDisk();
        Assert.Contains(again.Links.Sent, sent => Frames.TypeOf(sent.Frame.Span) == (byte)FrameType.CheckpointOffer);
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

    /// <summary>
    /// Replica 3 delivers three batches and is away for 320 more, which is past the memory and the journal of the others.
    /// </summary>
    private HostDisk LeaveBehind(int stateBytes = 0)
    {
        _world.StartAll(JournalLimit, stateBytes);
        Publish(_world, 3);
        var disk = _world.Replicas[3]!.Disk.Reopened();
        _world.Kill(3);
        for (var i = 0; i < 40; i++) Publish(_world, 8);
        Assert.False(_world.Replicas[0]!.Host.TryRead(_world.Replicas[0]!.Tip().Life, 4, out _));
        return disk;
    }

    /// <summary>Lets time go by until the replica goes to a checkpoint, and cuts its power before that turn's sync is answered.</summary>
    private HostDisk? CrashAtCheckpoint(ReplicaNode replica, Random random)
    {
        HostDisk? crashed = null;
        _world.Loses = (from, to, frame) =>
        {
            if (crashed is not null || to != replica.Self || Frames.TypeOf(frame) != (byte)FrameType.CheckpointPart) return false;
            replica.Take(from, frame);
            replica.Host.EndTurn(_world.Now);
            crashed = replica.Disk.Crash(random);
            return true;
        };
        _world.Pass(1500);
        _world.Loses = null;
        return crashed;
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
