using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

public sealed class FileDiskTests : IDisposable
{
    private readonly DiskUnderTest _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public async Task What_was_synced_is_read_back_at_once_and_after_a_new_open()
    {
        _test.Disk.Append("b", new byte[] { 1, 2, 3 });
        _test.Disk.Append("a", new byte[] { 4 });
        _test.Disk.Append("b", new byte[] { 5 });
        await _test.SyncAndWait();

        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(["a", "b"], _test.Disk.Files);
            Assert.Equal((1, 4, 0), (_test.Disk.LengthOf("a"), _test.Disk.LengthOf("b"), _test.Disk.LengthOf("c")));
            var bytes = new byte[10];
            Assert.Equal(3, _test.Disk.Read("b", 1, bytes));
            Assert.Equal([2, 3, 5], bytes[..3]);
            Assert.Equal(0, _test.Disk.Read("b", 4, bytes));
            Assert.Equal(0, _test.Disk.Read("c", 0, bytes));
            _test.Reopen();
        }
    }

    [Fact]
    public void What_nobody_asked_a_sync_for_is_written_at_a_clean_end()
    {
        _test.Disk.Append("a", new byte[] { 1 });
        _test.Reopen();
        Assert.Equal(1, _test.Disk.LengthOf("a"));
    }

    [Fact]
    public async Task Appends_without_a_sync_are_written_when_they_become_many()
    {
        var megabyte = new byte[1024 * 1024];
        for (var i = 0; i < 9; i++) _test.Disk.Append("a", megabyte);
        await _test.SyncAndWait();
        Assert.True(_test.Disk.Counters.Rounds >= 2);
        Assert.Equal(9 * megabyte.Length, _test.Content("a").Length);
    }

    [Fact]
    public void A_second_process_is_kept_away_with_a_clear_text()
    {
        var refusal = Assert.Throws<IOException>(() => FileDisk.Open(_test.Directory, new(), _ => { }));
        Assert.StartsWith($"{_test.Directory} is in use by another process", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Others_may_not_read_the_files()
    {
        if (OperatingSystem.IsWindows()) return;
        _test.Disk.Append("a", new byte[] { 1 });
        _test.Reopen();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_test.Directory, "a")));
    }

    [Fact]
    public async Task Turns_that_wait_for_one_sync_share_the_next()
    {
        var inFirstSync = new TaskCompletionSource();
        using var goOn = new ManualResetEventSlim();
        _test.Calls.Before = line =>
        {
            if (!line.StartsWith("sync a", StringComparison.Ordinal) || !inFirstSync.TrySetResult()) return;
            goOn.Wait();
        };
        _test.Disk.Append("a", new byte[] { 0 });
        var tickets = new List<long> { _test.Sync() };
        await inFirstSync.Task;
        for (var i = 0; i < 100; i++)
        {
            _test.Disk.Append("a", new byte[] { 1, 2 });
            tickets.Add(_test.Sync());
        }

        Assert.False(_test.HasAnswer);
        goOn.Set();
        foreach (var ticket in tickets) await _test.Answer(ticket);

        Assert.Equal(2, _test.Disk.Counters.Syncs);
        Assert.Equal(201, _test.Content("a").Length);
    }

    [Fact]
    public async Task A_file_is_made_and_another_deleted_only_after_what_came_before_is_durable()
    {
        _test.Disk.Append("old", new byte[] { 1 });
        await _test.SyncAndWait();
        var before = _test.Calls.Log.Length;

        _test.Disk.Append("old", new byte[] { 2 });
        _test.Disk.Append("new", new byte[] { 3 });
        _test.Disk.Delete("old");
        _test.Disk.Append("old", new byte[] { 4 });
        await _test.SyncAndWait();

        Assert.Equal(
            [
                "write old 1+1", "sync old",
                "open new", "write new 0+1", "sync new", "sync directory", "delete old", "sync directory",
                "open old", "write old 0+1", "sync old", "sync directory",
            ],
            _test.Calls.Log[before..]);
        Assert.Equal([4], _test.Content("old"));
    }

    [Fact]
    public async Task A_name_that_is_deleted_and_appended_to_at_once_is_a_new_file()
    {
        _test.Disk.Append("a", new byte[] { 1, 2 });
        await _test.SyncAndWait();
        _test.Disk.Delete("a");
        _test.Disk.Append("a", new byte[] { 9 });
        await _test.SyncAndWait();
        Assert.Equal([9], _test.Content("a"));
        Assert.Equal(1, _test.Disk.LengthOf("a"));
    }

    [Fact]
    public async Task In_process_mode_nothing_is_synced_and_everything_is_answered()
    {
        using var test = new DiskUnderTest(new() { Durability = Durability.Process, FreePercentMin = 0 });
        test.Disk.Append("a", new byte[] { 1 });
        await test.SyncAndWait();
        test.Disk.Delete("a");
        test.Disk.Replace("b", [2]);
        await test.SyncAndWait();
        Assert.DoesNotContain(test.Calls.Log, line => line.StartsWith("sync", StringComparison.Ordinal));
        Assert.Equal(["b"], test.Disk.Files);
    }

    [Fact]
    public async Task A_cut_file_goes_on_at_the_cut()
    {
        _test.Disk.Append("a", new byte[] { 1, 2, 3, 4 });
        Assert.Throws<InvalidOperationException>(() => _test.Disk.Truncate("a", 2));
        await _test.SyncAndWait();
        _test.Reopen();
        _test.Disk.Truncate("a", 2);
        _test.Disk.Append("a", new byte[] { 9 });
        await _test.SyncAndWait();
        Assert.Equal([1, 2, 9], _test.Content("a"));
    }

    [Fact]
    public void A_replaced_file_is_the_old_or_the_new_one_and_never_a_part()
    {
        _test.Disk.Replace("a", [1, 2, 3]);
        _test.Disk.Replace("a", [4]);
        Assert.Equal([4], _test.Content("a"));
        var bytes = new byte[3];
        Assert.Equal(1, _test.Disk.Read("a", 0, bytes));

        _test.Calls.Before = line =>
        {
            if (line.StartsWith("sync .a", StringComparison.Ordinal)) throw new IOException("broken");
        };
        Assert.Throws<IOException>(() => _test.Disk.Replace("a", [5, 6]));
        _test.Calls.Before = null;
        Assert.Equal([4], _test.Content("a"));
        Assert.True(File.Exists(Path.Combine(_test.Directory, ".a.tmp")));

        _test.Reopen();
        Assert.Equal(["a"], _test.Disk.Files);
        Assert.False(File.Exists(Path.Combine(_test.Directory, ".a.tmp")));
        Assert.Equal([4], _test.Content("a"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("..")]
    [InlineData(".lock")]
    [InlineData("a/b")]
    public void A_name_that_is_none_of_ours_is_refused(string name)
    {
        Assert.Throws<ArgumentException>(() => _test.Disk.Append(name, new byte[1]));
        Assert.Throws<ArgumentException>(() => _test.Disk.Replace(name, new byte[1]));
    }

    [Fact]
    public async Task A_log_on_real_files_comes_back_after_rolls_and_drops()
    {
        var log = SegmentLog.Open(_test.Disk, "spool", 64 * 1024);
        var random = new Random(3);
        var written = new List<(RecordAddress Address, byte[] Body)>();
        for (var i = 0; i < 300; i++)
        {
            if (log.NeedsRoll) log.Roll();
            var body = new byte[random.Next(5000)];
            random.NextBytes(body);
            written.Add((log.Append(1, body.AsMemory(0, body.Length / 2), body.AsMemory(body.Length / 2)), body));
        }

        log.DropBefore(3);
        await _test.SyncAndWait();
        foreach (var (address, body) in written.Where(record => record.Address.FileIndex >= 3))
        {
            Assert.Equal(LogReadResult.Read, log.Read(address, out _, out var read));
            Assert.Equal(body, read);
        }

        _test.Reopen();
        var visited = new List<(RecordAddress Address, byte[] Body)>();
        var again = SegmentLog.Open(_test.Disk, "spool", 64 * 1024);
        again.Scan((address, _, body) => visited.Add((address, body.ToArray())));
        Assert.Equal(written.Where(record => record.Address.FileIndex >= 3), visited, (left, right) =>
            left.Address == right.Address && left.Body.AsSpan().SequenceEqual(right.Body));
        Assert.Empty(again.Damage);
        Assert.Null(again.Cut);
    }
}
