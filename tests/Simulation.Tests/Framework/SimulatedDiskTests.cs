using Massif.Reb.Protocol;

namespace Massif.Simulation.Tests.Framework;

public sealed class SimulatedDiskTests
{
    private readonly List<long> _asked = [];

    [Fact]
    public void What_a_sync_answered_for_survives_every_power_cut_and_the_rest_is_a_prefix()
    {
        var (torn, lost, whole) = (0, 0, 0);
        for (ulong seed = 0; seed < 300; seed++)
        {
            var disk = Disk(seed);
            disk.Append("a", new byte[] { 1, 2, 3 });
            disk.Sync(1);
            Assert.True(disk.CompleteSync(1));
            disk.Append("a", new byte[] { 4, 5, 6 });
            disk.Append("b", new byte[] { 7 });
            disk.CutPower();
            var a = Content(disk, "a");
            Assert.Equal([1, 2, 3], a[..3]);
            if (disk.LengthOf("b") > 0) Assert.Equal([1, 2, 3, 4, 5, 6], a);
            if (a.Length == 3) lost++;
            else if (a.Length == 6 && a[5] == 6) whole++;
            else torn++;
        }

        Assert.True(torn > 0 && lost > 0 && whole > 0);
    }

    [Fact]
    public void What_a_killed_process_had_written_reads_back_but_a_power_cut_may_still_take_it()
    {
        var taken = false;
        for (ulong seed = 0; seed < 100 && !taken; seed++)
        {
            var disk = Disk(seed);
            disk.Append("a", new byte[] { 1 });
            disk.KillProcess();
            var readBack = disk.LengthOf("a") == 1;
            disk.CutPower();
            taken = readBack && disk.LengthOf("a") == 0;
        }

        Assert.True(taken);
    }

    [Fact]
    public void Reading_what_no_sync_answered_for_is_the_owners_mistake()
    {
        var disk = Disk(1);
        disk.Append("a", new byte[] { 1 });
        Assert.Throws<InvariantViolationException>(() => Content(disk, "a"));
        disk.Sync(9);
        Assert.Equal([9], _asked);
        Assert.True(disk.CompleteSync(9));
        Assert.Equal([1], Content(disk, "a"));
    }

    [Fact]
    public void A_full_disk_answers_late_and_says_why()
    {
        var disk = Disk(1);
        disk.TotalBytes = 2;
        disk.Append("a", new byte[] { 1, 2, 3 });
        disk.Sync(1);
        Assert.False(disk.CompleteSync(1));
        Assert.NotNull(disk.Trouble);
        disk.TotalBytes = 100;
        Assert.True(disk.CompleteSync(1));
        Assert.Null(disk.Trouble);
        Assert.Equal([1, 2, 3], Content(disk, "a"));
    }

    [Fact]
    public void A_deleted_file_may_come_back_after_a_power_cut_but_not_after_a_sync()
    {
        var cameBack = false;
        for (ulong seed = 0; seed < 50; seed++)
        {
            var disk = Disk(seed);
            disk.Append("a", new byte[] { 1 });
            disk.Sync(1);
            disk.CompleteSync(1);
            disk.Delete("a");
            disk.CutPower();
            cameBack |= disk.Files.Count == 1;
            disk.Delete("a");
            disk.Sync(2);
            disk.CompleteSync(2);
            disk.CutPower();
            Assert.Empty(disk.Files);
        }

        Assert.True(cameBack);
    }

    [Fact]
    public void A_replaced_file_is_durable_at_once()
    {
        var disk = Disk(1);
        disk.Replace("a", [1, 2]);
        disk.Replace("a", [3]);
        disk.CutPower();
        Assert.Equal([3], Content(disk, "a"));
    }

    [Fact]
    public void A_disk_that_lies_loses_what_it_said_was_durable()
    {
        var disk = Disk(1);
        disk.Lies = true;
        disk.Append("a", new byte[] { 1 });
        disk.Sync(1);
        Assert.True(disk.CompleteSync(1));
        Assert.Equal([1], Content(disk, "a"));
        disk.CutPower();
        Assert.Equal(0, disk.LengthOf("a"));
    }

    private static byte[] Content(SimulatedDisk disk, string file)
    {
        var bytes = new byte[disk.LengthOf(file)];
        Assert.Equal(bytes.Length, disk.Read(file, 0, bytes));
        return bytes;
    }

    private SimulatedDisk Disk(ulong seed) => new(1_000_000, new(seed), _asked.Add);
}
