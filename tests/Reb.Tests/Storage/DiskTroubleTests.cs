using System.Diagnostics;
using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

public sealed class DiskTroubleTests
{
    [Fact]
    public async Task After_a_failed_sync_the_bytes_are_written_again_before_the_answer()
    {
        using var test = new DiskUnderTest();
        var failures = 2;
        test.Calls.Before = line =>
        {
            if (line == "sync a" && failures-- > 0) throw new IOException("Input/output error");
        };
        test.Disk.Append("a", new byte[] { 1, 2, 3 });
        var ticket = test.Sync();

        Assert.Equal($"{test.Directory}: Input/output error", await test.NextTrouble());
        Assert.Null(await test.NextTrouble());
        await test.Answer(ticket);

        Assert.Equal(
            ["open a", "write a 0+3", "sync a", "write a 0+3", "sync a", "write a 0+3", "sync a", "sync directory"],
            test.Calls.Log);
        Assert.Equal(2, test.Disk.Counters.Failures);
        Assert.Equal([1, 2, 3], test.Content("a"));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_named_with_the_place_and_the_reason()
    {
        using var test = new DiskUnderTest();
        test.Disk.Append("a", new byte[] { 1, 2, 3 });
        await test.SyncAndWait();
        test.Calls.Before = line =>
        {
            if (line == "read a") throw new IOException("Input/output error");
        };

        var failure = Assert.Throws<DiskFailedException>(() => { test.Disk.Read("a", 2, new byte[1]); });
        Assert.Equal($"{Path.Combine(test.Directory, "a")} cannot be read at byte 2: Input/output error", failure.Message);
    }

    [Fact]
    public async Task A_new_files_name_is_made_durable_even_when_the_first_attempt_failed_there()
    {
        using var test = new DiskUnderTest();
        var failures = 1;
        test.Calls.Before = line =>
        {
            if (line == "sync directory" && failures-- > 0) throw new IOException("Input/output error");
        };
        test.Disk.Append("a", new byte[] { 1 });
        await test.SyncAndWait();

        Assert.Equal(2, test.Calls.Log.Count(line => line == "sync directory"));
    }

    [Fact]
    public async Task Nothing_is_answered_while_the_disk_is_broken_and_a_stop_still_ends()
    {
        using var test = new DiskUnderTest();
        test.Disk.Append("a", new byte[] { 1 });
        await test.SyncAndWait();
        test.Calls.Before = _ => throw new IOException("Input/output error");
        test.Disk.Append("a", new byte[] { 2 });
        test.Sync();
        Assert.NotNull(await test.NextTrouble());
        Assert.NotNull(test.Disk.Trouble);

        test.Disk.Dispose();

        Assert.False(test.HasAnswer);
        Assert.Equal([1], test.Content("a"));
    }

    [Fact]
    public async Task At_the_byte_limit_nothing_is_written_or_answered_until_a_delete_makes_room()
    {
        using var test = new DiskUnderTest(new() { BytesMax = 1000, FreePercentMin = 0 });
        test.Disk.Append("old", new byte[600]);
        await test.SyncAndWait();
        test.Disk.Append("new", new byte[600]);
        var ticket = test.Sync();

        Assert.Equal(
            $"{test.Directory} holds 600 bytes; 600 more would pass its limit of 1000.", await test.NextTrouble());
        Assert.False(test.HasAnswer);
        Assert.Equal(600, test.Disk.Counters.BytesWaiting);

        test.Disk.Delete("old");
        Assert.Null(await test.NextTrouble());
        await test.Answer(ticket);
        Assert.Equal(["new"], test.Disk.Files);

        // The deleted bytes count no more: there is room for 400.
        test.Disk.Append("new", new byte[400]);
        await test.SyncAndWait();
        Assert.Null(test.Disk.Trouble);
    }

    [Fact]
    public async Task Writing_stops_at_the_floor_of_free_space_and_goes_on_above_it()
    {
        using var test = new DiskUnderTest(new() { FreePercentMin = 5 });
        test.Calls.SpaceIs = (Free: 50_000, Total: 1_000_000);
        test.Disk.Append("a", new byte[1]);
        var ticket = test.Sync();

        Assert.Equal(
            $"{test.Directory}: 50000 of 1000000 bytes are free; 5 % must stay free. Make room.", await test.NextTrouble());
        Assert.DoesNotContain(test.Calls.Log, line => line.StartsWith("write", StringComparison.Ordinal));
        Assert.Equal((50_000, 1_000_000), (test.Disk.FreeBytes, test.Disk.TotalBytes));

        test.Calls.SpaceIs = (Free: 50_001, Total: 1_000_000);
        Assert.Null(await test.NextTrouble());
        await test.Answer(ticket);
    }

    /// <summary>
    /// A really full file system when this user may mount one (root in CI), else one that fails as a full one does, after
    /// having written a part.
    /// </summary>
    [Fact]
    public async Task On_a_full_disk_nothing_is_answered_nothing_is_lost_and_room_is_enough_to_go_on()
    {
        using var volume = SmallVolume.Mount();
        using var test = new DiskUnderTest(directory: volume.Directory);
        var full = !volume.IsReal;
        if (full)
        {
            test.Calls.Before = line =>
            {
                if (Volatile.Read(ref full) && line.StartsWith("write spool", StringComparison.Ordinal))
                    throw new IOException("No space left on device");
            };
        }

        var ballast = Path.Combine(volume.Directory, "ballast");
        if (volume.IsReal) File.WriteAllBytes(ballast, new byte[SmallVolume.Bytes - (256 * 1024)]);
        var log = SegmentLog.Open(test.Disk, "spool");
        for (var i = 0; i < 8; i++) log.Append(1, Body(i));
        var ticket = test.Sync();

        Assert.Contains("No space left on device", await test.NextTrouble(), StringComparison.Ordinal);
        Assert.False(test.HasAnswer);

        Volatile.Write(ref full, false);
        File.Delete(ballast);
        Assert.Null(await test.NextTrouble());
        await test.Answer(ticket);

        test.Reopen();
        var visited = 0;
        var again = SegmentLog.Open(test.Disk, "spool");
        again.Scan((_, _, body) => Assert.True(body.SequenceEqual(Body(visited++))));
        Assert.Equal(8, visited);
        Assert.Empty(again.Damage);
    }

    private static byte[] Body(int seed)
    {
        var body = new byte[100 * 1024];
        new Random(seed).NextBytes(body);
        return body;
    }

    /// <summary>A small tmpfs, or a plain directory where none may be mounted.</summary>
    private sealed class SmallVolume : IDisposable
    {
        public const int Bytes = 2 * 1024 * 1024;

        private SmallVolume(string directory, bool isReal) => (Directory, IsReal) = (directory, isReal);

        public string Directory { get; }

        public bool IsReal { get; }

        public static SmallVolume Mount()
        {
            var directory = System.IO.Directory.CreateTempSubdirectory("massif-full-").FullName;
            return new(directory, OperatingSystem.IsLinux() && Run("mount", "-t", "tmpfs", "-o", $"size={Bytes}", "tmpfs", directory));
        }

        public void Dispose()
        {
            if (IsReal) Run("umount", Directory);
            System.IO.Directory.Delete(Directory, recursive: true);
        }

        private static bool Run(string program, params string[] arguments)
        {
            try
            {
                var start = new ProcessStartInfo(program, arguments) { RedirectStandardError = true };
                using var process = Process.Start(start)!;
                process.StandardError.ReadToEnd();
                process.WaitForExit();
                return process.ExitCode == 0;
            }
            catch (System.ComponentModel.Win32Exception)
            {
                return false;
            }
        }
    }
}
