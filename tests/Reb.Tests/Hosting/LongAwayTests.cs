using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>What is older than the digests in memory comes from the journals of the peers, batch by batch (R9, R11).</summary>
public sealed class LongAwayTests : IDisposable
{
    private const int Interval = 16;
    private readonly HostWorld _world = new(constants: new() { Window = 16, DigestMemory = 1, CheckpointInterval = Interval });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_replica_that_was_away_for_longer_than_memory_gets_every_batch(bool wiped)
    {
        _world.StartAll();
        var behind = LeaveBehind(rounds: 30);
        var again = _world.Start(3, wiped ? null : behind);
        _world.Pass(3000);
        AssertEqual(again);
        Assert.Empty(again.Host.Gaps);
        for (ulong seq = 1; seq <= again.Tip().Delivered; seq++) Assert.True(again.Host.TryRead(again.Tip().Life, seq, out _), $"#{seq}");
    }

    [Fact]
    public void Those_who_help_may_have_been_restarted_and_the_end_of_a_page_may_have_been_lost_with_a_crash()
    {
        _world.StartAll();
        var behind = LeaveBehind(rounds: 10);
        for (var i = 0; i < 3; i++)
        {
            var disk = _world.Replicas[i]!.Disk.Crash(new Random(i));
            _world.Kill(i);
            _world.Start(i, disk);
        }

        _world.Pass(1500);
        var again = _world.Start(3, behind);
        _world.Pass(3000);
        AssertEqual(again);
        Assert.Empty(again.Host.Gaps);
    }

    [Fact]
    public void A_page_that_a_crash_took_is_written_again_and_one_that_is_there_is_not()
    {
        _world.StartAll();
        LeaveBehind(rounds: 4); // 35 batches: two pages.
        var intact = _world.Replicas[0]!.Disk.Reopened();
        Assert.Equal([1UL, 17UL], PagesIn(intact));
        var torn = intact.Reopened();
        var cut = AddressOfPage(torn, 17);
        torn.Medium.Truncate(SegmentFormat.FileName("journal", cut.FileIndex), cut.Offset);
        foreach (var disk in new[] { intact, torn })
        {
            _world.Kill(0);
            _world.Start(0, disk);
            _world.Pass(1500);
            Assert.Equal([1UL, 17UL], PagesIn(_world.Replicas[0]!.Disk.Reopened()));
        }
    }

    [Fact]
    public void Past_retention_the_lowest_checkpoint_is_taken_from_which_the_peers_can_help_on()
    {
        const long JournalLimit = 1024 * 1024;
        _world.StartAll(JournalLimit);
        var behind = LeaveBehind(rounds: 60);
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(4000);
        AssertEqual(again);
        var gap = Assert.Single(again.Host.Gaps);
        var peer = _world.Replicas[0]!;
        var lowest = gap.To + 1;
        while (peer.Host.TryRead(peer.Tip().Life, lowest - 1, out _)) lowest--;
        Assert.True(gap.To < peer.Tip().Delivered - (2 * Interval), $"{gap} while all have {peer.Tip().Delivered}");
        Assert.InRange(gap.To + 1 - lowest, 0UL, 2UL * Interval); // Not more than a rung above what retention left.
        Assert.True(again.Host.TryRead(again.Tip().Life, gap.To + 1, out _));
        Assert.Equal(gap.To, (ulong)again.Count("massif_batches_skipped_total{reason=\"state_transfer\"}") + 3);
    }

    [Fact]
    public void A_liar_who_is_quick_to_name_the_highest_checkpoint_does_not_make_the_gap_longer()
    {
        const long JournalLimit = 1024 * 1024;
        _world.StartAll(JournalLimit);
        var behind = LeaveBehind(rounds: 60);
        var newest = _world.Replicas[0]!.Tip().Delivered / Interval * Interval;
        _world.Loses = (from, _, frame) => Frames.TypeOf(frame) == (byte)FrameType.CheckpointOffer && from == HostWorld.Core(0)
            && TransferFrames.TryReadOffer(Frames.BodyOf(frame), out var _, out var offer) && offer.Seq != newest;
        var again = _world.Start(3, behind, JournalLimit);
        _world.Pass(4000);
        AssertEqual(again);
        Assert.True(Assert.Single(again.Host.Gaps).To < newest - Interval);
    }

    [Fact]
    public void A_journal_whose_limit_was_lowered_loses_no_checkpoint_that_a_peer_may_need()
    {
        const ulong Resting = 9;
        const long Before = 4 * 1024 * 1024, After = 512 * 1024;
        _world.StartAll(Before);
        var behind = _world.Replicas[3]!.Disk.Reopened();
        _world.Kill(3);
        PublishRounds(50);
        for (ulong seq = 1; seq <= 20; seq++)
        {
            for (var i = 0; i < 3; i++)
                _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, seq, [(byte)seq], incarnation: Resting));
            _world.Pass(10);
        }

        PublishRounds(20);
        for (var i = 0; i < 3; i++)
        {
            var disk = _world.Replicas[i]!.Disk.Reopened();
            _world.Kill(i);
            _world.Start(i, disk, After);
        }

        _world.Pass(1500);
        PublishRounds(30);
        Assert.All(_world.Replicas[..3], replica => Assert.InRange(replica!.Host.JournalBytes, 0, 2 * After));
        var again = _world.Start(3, behind, After);
        _world.Pass(10_000);
        Assert.Equal(20UL, again.Tip(Resting).Delivered);
        AssertEqual(again);
    }

    public void Dispose() => _world.Dispose();

    private void PublishRounds(int rounds)
    {
        for (var i = 0; i < rounds; i++) Publish(8);
    }

    /// <summary>Replica 3 delivers three batches and is away for eight more each round.</summary>
    private HostDisk LeaveBehind(int rounds)
    {
        Publish(3);
        var disk = _world.Replicas[3]!.Disk.Reopened();
        _world.Kill(3);
        for (var i = 0; i < rounds; i++) Publish(8);
        return disk;
    }

    private void Publish(int count)
    {
        for (var i = 0; i < count; i++) _world.Source!.Publish(new string((char)('a' + i), 8000));
        _world.Pass(30);
    }

    private void AssertEqual(ReplicaNode replica)
    {
        Assert.Equal(_world.Replicas[0]!.Tip().Delivered, replica.Tip().Delivered);
        Assert.Equal(_world.Replicas[0]!.Tip().Chain, replica.Tip().Chain);
        Assert.Equal(_world.Replicas[0]!.Application.State, replica.Application.State);
    }

    private static List<ulong> PagesIn(HostDisk disk) => [.. Pages(disk).Select(page => page.First)];

    private static RecordAddress AddressOfPage(HostDisk disk, ulong first) => Pages(disk).Single(page => page.First == first).Address;

    private static List<(ulong First, RecordAddress Address)> Pages(HostDisk disk)
    {
        var pages = new List<(ulong, RecordAddress)>();
        SegmentLog.Open(disk, "journal").Scan((address, kind, body) =>
        {
            if ((JournalKind)kind == JournalKind.Page) pages.Add((JournalRecords.ReadPage(body).First, address));
        });
        return pages;
    }
}
