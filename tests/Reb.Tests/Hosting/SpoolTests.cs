using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>The spool: no seq is ever given out twice, nothing synced is lost, memory and files are freed.</summary>
public sealed class SpoolTests
{
    private readonly Counters _counters = new();

    [Fact]
    public void What_is_synced_is_there_after_a_restart_and_goes_on_behind_it()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        Append(spool, 3);
        spool.EndTurn();
        Assert.Equal(3UL, spool.OnSynced(disk.Answer()!.Value));
        var again = Open(disk = disk.Reopened());
        Assert.Equal((spool.Incarnation, 1UL, 3UL, 103L), (again.Incarnation, again.Oldest, again.Newest, again.LastWallNanoseconds));
        Assert.Equal(Initial(2, 100), again.Read(2).ToArray());
        Append(again, 1);
        Assert.Equal(4UL, again.Newest);
    }

    [Fact]
    public void A_batch_that_the_disk_changed_is_not_sent_and_the_file_is_named()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        Append(spool, 2);
        spool.EndTurn();
        spool.OnSynced(disk.Answer()!.Value);
        var again = Open(disk = disk.Reopened());
        disk.Medium.Flip(disk.Files[0], (int)disk.LengthOf(disk.Files[0]) - 1);
        var failure = Assert.Throws<DiskFailedException>(() => { again.Read(2); });
        Assert.Contains("is not what was written", failure.Message, StringComparison.Ordinal);
        Assert.Contains($"{disk.Files[0]}, byte ", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_seq_is_not_used_again_after_all_was_released_and_the_files_went()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        for (var i = 0; i < 40; i++)
        {
            Append(spool, 1, length: 30_000);
            spool.EndTurn();
            spool.OnSynced(disk.Answer()!.Value);
            spool.Release(spool.Newest);
        }

        Assert.Single(disk.Files);
        Assert.Equal(41UL, spool.Oldest);
        var again = Open(disk.Reopened());
        Assert.Equal((40UL, spool.Incarnation), (again.Newest, again.Incarnation));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void From_any_crash_point_every_synced_batch_that_is_not_released_is_there(int seed)
    {
        var random = new Random(seed);
        var disk = new HostDisk();
        var spool = Open(disk);
        ulong durable = 0, released = 0, incarnation = 0;
        for (var step = 0; step < 1500; step++)
        {
            switch (random.Next(8))
            {
                case < 4: Append(spool, 1, random.Next(10, 20_000)); break;
                case 4: spool.EndTurn(); break;
                case 5 when disk.Asked > 0:
                    (durable, incarnation) = (Math.Max(durable, spool.OnSynced(disk.Answer()!.Value)), spool.Incarnation);
                    break;
                case 6 when durable > released:
                    released = (ulong)random.NextInt64((long)released + 1, (long)durable + 1);
                    spool.Release(released);
                    break;
                case 7 when random.Next(10) == 0:
                    spool = Open(disk = disk.Crash(random));
                    if (durable > 0) Assert.Equal(incarnation, spool.Incarnation);
                    Assert.True(spool.Newest >= durable, $"{spool.Newest} < {durable}");
                    Assert.True(spool.Oldest <= released + 1);
                    for (var seq = spool.Oldest; seq <= spool.Newest; seq++)
                    {
                        Assert.True(InitialMessage.TryRead(spool.Read(seq).Span, out var message));
                        Assert.Equal(seq, message.Header.Instance.Seq);
                    }

                    (durable, incarnation) = (spool.Newest, spool.Incarnation); // What was found at the start is durable.
                    break;
                default: break;
            }
        }
    }

    [Fact]
    public void Damage_begins_a_new_incarnation_and_leaves_the_old_files_for_people()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        Append(spool, 3, length: 1000);
        spool.EndTurn();
        spool.OnSynced(disk.Answer()!.Value);
        disk = disk.Reopened();
        var file = Assert.Single(disk.Files);
        var before = disk.Medium.Content(file);
        disk.Medium.Flip(file, before.Length / 2);
        var again = Open(disk);
        Assert.True(again.Incarnation > spool.Incarnation);
        Assert.NotNull(again.Damage);
        Assert.Equal((0UL, 1UL), (again.Newest, again.Oldest));
        Assert.Equal(103L, again.LastWallNanoseconds); // Trusted time does not go back even then.
        Assert.Equal(before.Length, disk.Medium.Content(file).Length);
        Assert.Equal(2, disk.Files.Count);
        Assert.Equal(1, _counters.Of("massif_spool_damaged_total{stream=\"bulk\"}").Value);

        Append(again, 1);
        again.EndTurn();
        disk.Answer();
        var third = Open(disk.Reopened());
        Assert.Equal(again.Incarnation, third.Incarnation);
        Assert.Null(third.Damage);
    }

    [Fact]
    public void A_spool_without_a_batch_may_be_an_old_copy_so_each_start_begins_a_new_incarnation()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        disk.Answer();
        var again = Open(disk = disk.Reopened());
        Assert.True(again.Incarnation > spool.Incarnation);
        Assert.Null(again.Damage);
        disk.Answer();
        Assert.Single(disk.Files);
    }

    [Fact]
    public void A_crash_before_batches_moved_to_a_new_incarnation_leaves_them_in_the_old_one()
    {
        var disk = new HostDisk();
        var spool = Open(disk);
        Append(spool, 3);
        spool.EndTurn();
        spool.OnSynced(disk.Answer()!.Value);
        var next = new Spool(
            disk, "bulk", new(64 * 1024 * 1024, 5), new(spool.Incarnation, spool.Incarnation + 5, spool.LastTicket), _counters);
        disk.Answer();
        var again = Open(disk.Reopened());
        Assert.Equal((spool.Incarnation, 3UL), (again.Incarnation, again.Newest));
        Assert.True(next.Incarnation > spool.Incarnation);
    }

    [Fact]
    public void It_is_full_by_bytes_by_trouble_by_free_space_and_by_a_disk_that_does_not_keep_up()
    {
        var disk = new HostDisk();
        var spool = Open(disk, limit: 1024 * 1024);
        Assert.False(EndTurn(spool));
        disk.Medium.Trouble = "no space";
        Assert.True(EndTurn(spool));
        disk.Medium.Trouble = null;
        (disk.Medium.TotalBytes, disk.Medium.FreeBytes) = (10_000, 499);
        Assert.True(EndTurn(spool));
        disk.Medium.FreeBytes = 500;
        Assert.False(EndTurn(spool));

        Append(spool, 9, length: 120_000);
        Assert.True(EndTurn(spool));
        spool.OnSynced(disk.Answer()!.Value);
        Assert.True(EndTurn(spool));
        spool.Release(9);
        Assert.False(EndTurn(spool));

        var slow = Open(new HostDisk(), limit: long.MaxValue);
        for (var i = 0; i < 33; i++)
        {
            Append(slow, 4, length: 255 * 1024);
            slow.EndTurn();
        }

        Assert.True(slow.IsFull);
    }

    [Fact]
    public void Above_its_memory_bound_synced_batches_are_read_back_from_the_disk()
    {
        var disk = new HostDisk();
        var spool = Open(disk, limit: long.MaxValue);
        for (var i = 0; i < 140; i++)
        {
            Append(spool, 1, length: 255 * 1024);
            spool.EndTurn();
            spool.OnSynced(disk.Answer()!.Value);
        }

        Assert.True(spool.MemoryBytes <= Spool.MemoryBytesMax);
        Assert.Equal(Initial(1, 255 * 1024), spool.Read(1).ToArray());
        Assert.Equal(Initial(140, 255 * 1024), spool.Read(140).ToArray());
        spool.Release(140);
        Assert.Equal(0, spool.MemoryBytes);
    }

    [Fact]
    public void A_record_of_another_version_is_refused_with_what_to_do()
    {
        var disk = new HostDisk();
        var log = Reb.Storage.SegmentLog.Open(disk, "spool_bulk_0000000000000005", 64 * 1024);
        log.Append(9, new byte[] { 1 });
        disk.Answer();
        Assert.Throws<Reb.Storage.StorageFormatException>(() => Open(disk.Reopened()));
    }

    private static bool EndTurn(Spool spool)
    {
        spool.EndTurn();
        return spool.IsFull;
    }

    private static void Append(Spool spool, int count, int length = 100)
    {
        for (; count > 0; count--) spool.Append(spool.Newest + 1, Initial(spool.Newest + 1, length), 100 + (long)spool.Newest + 1);
    }

    private static byte[] Initial(ulong seq, int length)
    {
        var payload = new byte[length];
        payload[0] = (byte)seq;
        var header = new BatchHeader(
            new(1, new(6, StreamClass.Bulk), 5, seq), 0, length, Digest.Of(payload), 100 + (long)seq, 0, Guid.Empty);
        return InitialMessage.Build(header, 4, payload, (ReplicaId _, in Digest _, Span<byte> mac) => mac.Clear());
    }

    private Spool Open(HostDisk disk, long limit = 2 * 1024 * 1024) => new(disk, "bulk", new(limit, 5), new(0, 5, 0), _counters);
}
