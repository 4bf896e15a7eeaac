using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>What a replica says it does not hold any more, and what it must not say so of.</summary>
public sealed class ReplicaRetentionTests : IDisposable
{
    private readonly HostWorld _world = new(window: 16);

    [Fact]
    public void Retention_drops_the_oldest_segments_and_says_gone_also_after_a_restart()
    {
        _world.StartAll(journalLimit: 512 * 1024);
        for (var i = 0; i < 40; i++) PublishLong(8, 8000);
        var replica = _world.Replicas[0]!;
        Assert.True(replica.Host.JournalBytes < 900 * 1024);
        var life = replica.Tip().Life;
        Assert.False(replica.Host.TryRead(life, 1, out _));
        Assert.True(replica.Host.TryRead(life, replica.Tip().Delivered, out _));
        Assert.Equal(FrameType.Gone, AnswerToFetch(replica, life, 3, Digest.Of([1])));

        var disk = replica.Disk.Reopened();
        _world.Kill(0);
        var again = _world.Start(0, disk, journalLimit: 512 * 1024);
        _world.Pass(500);
        Assert.Equal(FrameType.Gone, AnswerToFetch(again, life, 3, Digest.Of([1])));
    }

    [Fact]
    public void A_file_stays_beyond_the_limit_until_what_it_holds_is_durable()
    {
        const int Limit = 128 * 1024; // Two files of the least length.
        _world.StartAll(journalLimit: Limit);
        var replica = _world.Replicas[0]!;
        for (var i = 0; i < 30; i++) PublishLong(1, 8000);
        replica.Disk.IsStuck = true;
        var newest = replica.Disk.Files[^1];
        for (var i = 0; i < 30; i++) PublishLong(1, 8000);
        Assert.Equal(newest, replica.Disk.Files[0]);
        Assert.True(replica.Disk.Files.Count > 3);
        Assert.True(replica.Host.JournalBytes > Limit);

        replica.Disk.IsStuck = false;
        _world.Pass(30); // Nothing more is written, and no segment begins.
        Assert.DoesNotContain(newest, replica.Disk.Files);
        Assert.Equal(2, replica.Disk.Files.Count);
    }

    [Fact]
    public void A_checkpoint_is_written_once_while_the_journal_is_far_from_its_limit()
    {
        using var world = new HostWorld(constants: new() { CheckpointInterval = 16 });
        world.StartAll(journalLimit: 4 * 1024 * 1024);
        var replica = world.Replicas[0]!;
        while (replica.Disk.Files.Count < 4)
        {
            world.Source!.Publish(new string('x', 8000));
            world.Pass(30);
        }

        var checkpoints = 0UL;
        var log = SegmentLog.Open(replica.Disk.Reopened(), "journal");
        log.Scan((_, kind, _) => checkpoints += kind == (byte)JournalKind.Checkpoint ? 1UL : 0);
        Assert.Equal(replica.Tip().Delivered / 16, checkpoints);
    }

    [Fact]
    public void A_checkpoint_that_could_not_move_while_the_disk_was_stuck_is_not_dropped_when_it_answers()
    {
        using var world = new HostWorld(constants: new() { CheckpointInterval = 16 });
        world.StartAll(journalLimit: 128 * 1024);
        var replica = world.Replicas[0]!;
        Publish(20);
        replica.Disk.IsStuck = true;
        Publish(40);
        replica.Disk.IsStuck = false;
        world.Pass(30);

        replica.Links.Sent.Clear();
        replica.Take(HostWorld.Core(1), TransferFrames.BuildQuery(new(1, replica.Tip().Life.Stream, replica.Tip().Life.Incarnation, 1)));
        replica.Host.EndTurn(world.Now);
        replica.AnswerDisk();
        var offers = replica.Links.Sent
            .Where(sent => (FrameType)Frames.TypeOf(sent.Frame.Span) == FrameType.CheckpointOffer)
            .Select(sent => TransferFrames.TryReadOffer(Frames.BodyOf(sent.Frame.Span), out var at, out _) ? at.Seq : 0);
        Assert.Equal([32, 48], offers); // From 16 the journal helps nobody on: retention took what follows before the disk stood still.

        void Publish(int count)
        {
            for (var i = 0; i < count; i++)
            {
                world.Source!.Publish(new string('x', 8000));
                world.Pass(30);
            }
        }
    }

    [Fact]
    public void A_seq_that_was_missing_at_a_restart_is_held_and_served_once_it_is_delivered()
    {
        _world.StartAll();
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 2, [2, 2], incarnation: 9));
        _world.Pass(100); // Everybody holds seq 2; seq 1 never came.
        var disk = _world.Replicas[0]!.Disk.Reopened();
        _world.Kill(0);
        var replica = _world.Start(0, disk);
        _world.Pass(500);
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 1, [1, 1], incarnation: 9));
        _world.Pass(500);
        var tip = replica.Tip(9);
        Assert.Equal(2UL, tip.Delivered);
        Assert.True(replica.Host.TryRead(tip.Life, 1, out var batch));
        Assert.Equal(FrameType.Payload, AnswerToFetch(replica, tip.Life, 1, Digest.Of(batch.Header.Span)));
    }

    public void Dispose() => _world.Dispose();

    /// <summary>Lets a peer ask for a payload; what is answered stays in the replica's hands.</summary>
    private FrameType AnswerToFetch(ReplicaNode replica, StreamLife life, ulong seq, in Digest digest)
    {
        replica.Links.Sent.Clear();
        replica.Take(HostWorld.Core(1), ReplicaFrames.BuildFetch(new(1, life.Stream, life.Incarnation, seq), digest));
        replica.Host.EndTurn(_world.Now);
        replica.AnswerDisk();
        var answers = replica.Links.Sent
            .Where(sent => sent.To == HostWorld.Core(1))
            .Select(sent => (FrameType)Frames.TypeOf(sent.Frame.Span));
        return answers.Single(type => type is FrameType.Payload or FrameType.Gone);
    }

    private void PublishLong(int count, int length)
    {
        for (var i = 0; i < count; i++) _world.Source!.Publish(new string((char)('a' + i), length));
        _world.Pass(30);
    }
}
