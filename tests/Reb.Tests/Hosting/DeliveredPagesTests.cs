using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Tests.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>The pages of a journal say what it holds, no more and no less, whatever became of files, records and constants (R11).</summary>
public sealed class DeliveredPagesTests : IDisposable
{
    private const int Interval = 16;
    private readonly HostWorld _world = new(constants: new() { Window = 64, DigestMemory = 1, CheckpointInterval = Interval });

    [Theory]
    [InlineData(16, 32)]
    [InlineData(32, 16)]
    [InlineData(64, 16)]
    public void Pages_of_another_interval_are_written_anew(int before, int after)
    {
        _world.Change(new() { Window = 64, DigestMemory = 1, CheckpointInterval = before });
        _world.StartAll();
        for (var i = 0; i < 10; i++) Publish(8);
        _world.Change(new() { Window = 64, DigestMemory = 1, CheckpointInterval = after });
        for (var restart = 0; restart < 2; restart++)
        {
            var disk = _world.Replicas[0]!.Disk.Reopened();
            _world.Kill(0);
            _world.Start(0, disk);
            _world.Pass(1500);
            var tip = _world.Replicas[0]!.Tip();
            Assert.Equal(80UL, tip.Delivered);
            for (ulong seq = 1; seq <= tip.Delivered; seq++) Assert.True(_world.Replicas[0]!.Host.TryRead(tip.Life, seq, out _), $"#{seq}");
        }
    }

    [Fact]
    public void Of_a_page_whose_batches_stand_in_several_files_only_those_go_whose_file_goes()
    {
        const ulong Slow = 9;
        _world.StartAll(journalLimit: 1024 * 1024);
        var replica = _world.Replicas[0]!;
        for (ulong round = 1; round <= 80; round++)
        {
            for (var i = 0; i < 4; i++)
                _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, round, [(byte)round], incarnation: Slow));
            Publish(4);
            var tip = replica.Tip(Slow);
            Assert.Equal(round, tip.Delivered);
            if (round <= 20) continue;
            Assert.True(replica.Host.TryRead(tip.Life, round - 16, out _), $"#{round - 16} of {round}");
            Assert.NotEqual(FrameType.Gone, AnswerTo(replica, tip.Life, round - 16));
        }

        Assert.Equal(FrameType.Gone, AnswerTo(replica, replica.Tip(Slow).Life, 1));
        _world.Pass(100);
        for (var seq = 80UL; seq > 0; seq--)
        {
            var read = replica.Host.TryRead(replica.Tip(Slow).Life, seq, out _);
            Assert.Equal(read, AnswerTo(replica, replica.Tip(Slow).Life, seq) != FrameType.Gone);
        }
    }

    [Fact]
    public void A_batch_that_is_damaged_is_not_said_to_be_held()
    {
        _world.StartAll(journalLimit: 1024 * 1024);
        for (var i = 0; i < 10; i++) Publish(8);
        var disk = _world.Replicas[0]!.Disk.Reopened();
        var damaged = AddressOf(
            disk, JournalKind.Payload, body => ReplicaFrames.TryReadPayload(body, out var header) && header.Instance.Seq == 5);
        disk.Medium.Flip(SegmentFormat.FileName("journal", damaged.FileIndex), damaged.Offset + 2000);
        _world.Kill(0);
        var replica = _world.Start(0, disk, journalLimit: 1024 * 1024);
        _world.Pass(1500);
        var life = replica.Tip().Life;
        Assert.False(replica.Host.TryRead(life, 5, out _));
        Assert.True(replica.Host.TryRead(life, 6, out _));
        Assert.Equal(FrameType.Gone, AnswerTo(replica, life, 5));
        Assert.Equal(FrameType.Payload, AnswerTo(replica, life, 6));
    }

    [Fact]
    public void Where_damage_took_the_batch_that_was_delivered_the_other_one_of_a_lying_source_is_not_taken_for_it()
    {
        _world.StartAll(journalLimit: 1024 * 1024);
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 1, i == 0 ? [1] : [2], incarnation: 9));
        for (var i = 0; i < 10; i++) Publish(8);
        var life = _world.Replicas[0]!.Tip(9).Life;
        Assert.True(_world.Replicas[0]!.Host.TryRead(life, 1, out var delivered));
        Assert.Equal([2], delivered.Payload.ToArray());

        var disk = _world.Replicas[0]!.Disk.Reopened();
        var damaged = AddressOf(
            disk, JournalKind.Payload,
            body => ReplicaFrames.TryReadPayload(body, out var header) && header.PayloadHash == Digest.Of([2]));
        disk.Medium.Flip(SegmentFormat.FileName("journal", damaged.FileIndex), damaged.Offset + 20);
        _world.Kill(0);
        var replica = _world.Start(0, disk, journalLimit: 1024 * 1024);
        _world.Pass(1500);
        Assert.Equal(1UL, replica.Tip(9).Delivered);
        Assert.False(replica.Host.TryRead(life, 1, out _));
        Assert.Equal(FrameType.Gone, AnswerTo(replica, life, 1));
    }

    [Fact]
    public void A_page_that_is_damaged_hides_nothing_that_stands_before_it()
    {
        _world.StartAll(journalLimit: 1024 * 1024);
        for (var i = 0; i < 10; i++) Publish(8);
        var disk = _world.Replicas[0]!.Disk.Reopened();
        var damaged = AddressOf(disk, JournalKind.Page, body => JournalRecords.ReadPage(body).First == 17);
        disk.Medium.Flip(SegmentFormat.FileName("journal", damaged.FileIndex), damaged.Offset + 200);
        _world.Kill(0);
        var replica = _world.Start(0, disk, journalLimit: 1024 * 1024);
        _world.Pass(1500);
        foreach (var seq in new ulong[] { 1, 17, 33 }) Assert.Equal(FrameType.Payload, AnswerTo(replica, replica.Tip().Life, seq));
    }

    [Fact]
    public void The_pages_of_a_long_journal_without_any_are_not_written_all_at_once()
    {
        const ulong Batches = 50_000;
        var log = SegmentLog.Open(new MemoryDisk(), "journal");
        var address = log.Append((byte)JournalKind.Payload, new byte[300]);
        var store = new PayloadStore(log, Interval, 0);
        var life = new StreamLife(new(5, StreamClass.Bulk), 7);
        for (ulong seq = 1; seq <= Batches; seq++) store.AddStored(new(1, life.Stream, life.Incarnation, seq), Digest.Of([1]), address);
        store.OnRestored(life, Batches);
        var turns = 0;
        while (store.WritePages(++turns) is var bytes and > 0)
        {
            Assert.InRange(bytes, 1, 1100 * 1024);
            store.OnSynced(turns);
        }

        Assert.InRange(log.TotalBytes, (long)Batches * 44, (long)Batches * 50);
        for (ulong seq = 1; seq <= Batches; seq++) Assert.True(store.TryGetDigest(life, seq, out _));
    }

    public void Dispose() => _world.Dispose();

    private void Publish(int count)
    {
        for (var i = 0; i < count; i++) _world.Source!.Publish(new string((char)('a' + i), 8000));
        _world.Pass(30);
    }

    /// <summary>Lets a peer ask for a batch; null when it is not answered.</summary>
    private FrameType? AnswerTo(ReplicaNode replica, StreamLife life, ulong seq)
    {
        var digest = replica.Host.TryRead(life, seq, out var batch) ? Digest.Of(batch.Header.Span) : default;
        replica.Links.Sent.Clear();
        replica.Take(HostWorld.Core(1), ReplicaFrames.BuildFetch(new(1, life.Stream, life.Incarnation, seq), digest));
        replica.Host.EndTurn(_world.Now);
        replica.AnswerDisk();
        var answers = replica.Links.Sent
            .Where(sent => sent.To == HostWorld.Core(1))
            .Select(sent => (FrameType)Frames.TypeOf(sent.Frame.Span))
            .ToList();
        replica.Links.Sent.Clear();
        return answers.Contains(FrameType.Payload) ? FrameType.Payload : answers.Contains(FrameType.Gone) ? FrameType.Gone : null;
    }

    private static RecordAddress AddressOf(HostDisk disk, JournalKind wanted, Func<byte[], bool> isIt)
    {
        var found = default(RecordAddress);
        SegmentLog.Open(disk, "journal").Scan((address, kind, body) =>
        {
            if ((JournalKind)kind == wanted && isIt(body.ToArray())) found = address;
        });
        return found;
    }
}
