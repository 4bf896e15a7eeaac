using System.Buffers.Binary;
using System.Text;
using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

public sealed class SegmentLogTests
{
    private const string FirstFile = "log-0000000000000001.log";
    private const string SecondFile = "log-0000000000000002.log";

    private readonly MemoryDisk _disk = new();

    [Fact]
    public void The_check_value_is_that_of_the_standard() => Assert.Equal(0xE306_9283, Crc32C.Of("123456789"u8));

    [Fact]
    public void The_format_is_that_of_version_1()
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        log.Append(1, "first"u8.ToArray());
        log.Append(0xAB, "se"u8.ToArray(), "cond"u8.ToArray());
        log.Roll();
        log.Append(2, default);

        // Computed once by another program from the description of the format. Changed bytes here mean a new version
        // number, and a sentence for those who have files of the old one.
        Assert.Equal(
            "4D4153534946534C010000002331D2AF"
            + "0100000000000000000000003CAB5A80"
            + "0500000050A13E8A01000000B4E9C277"
            + "6669727374"
            + "060000002894FD7AAB00000046CB1FC0"
            + "7365636F6E64",
            Convert.ToHexString(_disk.Content(FirstFile)));
        Assert.Equal(
            "4D4153534946534C010000002331D2AF"
            + "02000000000000004B0000004E2356A4"
            + "000000000000000002000000083DC9D0",
            Convert.ToHexString(_disk.Content(SecondFile)));
    }

    [Fact]
    public void Records_come_back_in_order_with_their_addresses()
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        var first = log.Append(1, Text("one"));
        var second = log.Append(2, Text("tw"), Text("o"));
        log.Roll();
        var third = log.Append(3, Text("three"));
        _disk.Sync(1);

        var again = SegmentLog.Open(_disk, "log", 4096);

        Assert.Equal([(first, (byte)1, "one"), (second, (byte)2, "two"), (third, (byte)3, "three")], Records(again));
        Assert.Equal([(second, (byte)2, "two"), (third, (byte)3, "three")], Records(again, from: second));
        Assert.Equal(LogReadResult.Read, again.Read(second, out var kind, out var body));
        Assert.Equal((2, "two"), (kind, Encoding.UTF8.GetString(body)));
        Assert.Equal(_disk.LengthOf(FirstFile) + _disk.LengthOf(SecondFile), again.TotalBytes);
        Assert.Equal(log.TotalBytes, again.TotalBytes);
        Assert.Null(again.Cut);
        Assert.Empty(again.Damage);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2031)]
    [InlineData(2032)]
    [InlineData(2033)]
    [InlineData(SegmentLog.BodyBytesMax)]
    public void Bodies_of_every_size_come_back(int bytes)
    {
        var log = SegmentLog.Open(_disk, "log");
        var body = new byte[bytes];
        new Random(bytes).NextBytes(body);
        var addresses = Enumerable.Range(0, 3).Select(_ => log.Append(7, body.AsMemory(0, bytes / 3), body.AsMemory(bytes / 3))).ToArray();
        _disk.Sync(1);

        foreach (var address in addresses)
        {
            Assert.Equal(LogReadResult.Read, log.Read(address, out _, out var read));
            Assert.Equal(body, read);
        }

        var visited = 0;
        SegmentLog.Open(_disk, "log").Scan((_, _, read) => visited += read.SequenceEqual(body) ? 1 : 0);
        Assert.Equal(3, visited);
    }

    [Fact]
    public void A_large_body_is_handed_on_without_a_copy_and_a_larger_one_is_refused()
    {
        var log = SegmentLog.Open(_disk, "log");
        var body = new byte[128 * 1024];
        log.Append(1, Text("header"), body);

        Assert.True(_disk.Pieces[^1].Span.Overlaps(body));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(1, new byte[SegmentLog.BodyBytesMax], new byte[1]));
        Assert.Throws<ArgumentOutOfRangeException>(() => log.Append(0, body));
    }

    [Fact]
    public void A_full_file_asks_for_a_roll_and_the_snapshot_comes_first_in_the_new_one()
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        while (!log.NeedsRoll) log.Append(1, new byte[1000]);
        log.Roll(self => self.Append(9, Text("snapshot")));
        log.Append(1, Text("next"));
        _disk.Sync(1);

        var again = SegmentLog.Open(_disk, "log", 4096);
        Assert.Equal((2, 1, 2), (again.Files, again.OldestFile, again.NewestFile));
        Assert.Equal(["snapshot", "next"], Records(again, from: new(2, 0)).Select(record => record.Body));
    }

    [Fact]
    public void The_oldest_files_are_dropped_but_never_the_newest()
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        var first = log.Append(1, Text("a"));
        for (var i = 0; i < 3; i++) log.Roll(self => self.Append(1, Text("b")));
        log.DropBefore(3);
        _disk.Sync(1);

        Assert.Equal((3, 4), (log.OldestFile, log.NewestFile));
        Assert.Equal(LogReadResult.Gone, log.Read(first, out _, out _));
        Assert.True(log.DropOldest());
        Assert.False(log.DropOldest());
        Assert.Equal(_disk.LengthOf("log-0000000000000004.log"), log.TotalBytes);
        Assert.Single(_disk.Files);
        Assert.Empty(SegmentLog.Open(_disk, "log", 4096).Damage);
    }

    [Fact]
    public void Logs_of_one_directory_do_not_see_each_other()
    {
        var log = SegmentLog.Open(_disk, "log");
        var other = SegmentLog.Open(_disk, "log2");
        log.Append(1, Text("mine"));
        other.Append(1, Text("yours"));
        _disk.Append("log-1.log", Text("not a segment"));
        _disk.Append("log-000000000000000A.log", Text("not ours either"));

        Assert.Equal(["mine"], Records(SegmentLog.Open(_disk, "log")).Select(record => record.Body));
        Assert.Throws<ArgumentException>(() => SegmentLog.Open(_disk, "no-dash"));
    }

    [Fact]
    public void A_file_of_another_log_under_our_name_is_damage()
    {
        SegmentLog.Open(_disk, "log").Append(1, Text("mine"));
        _disk.Append("other-0000000000000001.log", _disk.Content(FirstFile));

        Assert.Contains("file header", Assert.Single(SegmentLog.Open(_disk, "other").Damage).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_format_version_is_refused_with_what_to_do()
    {
        SegmentLog.Open(_disk, "log").Append(1, Text("x"));
        var bytes = _disk.Content(FirstFile);
        bytes[8] = 2;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), Crc32C.Of(bytes.AsSpan(0, 12)));
        _disk.Replace(FirstFile, bytes);

        var refusal = Assert.Throws<StorageFormatException>(() => SegmentLog.Open(_disk, "log"));

        Assert.Equal(
            "log-0000000000000001.log has format version 2, this program reads and writes version 1. "
            + "Run the program version that wrote it, or move the node's data directory away: the node then starts empty.",
            refusal.Message);
        Assert.Equal(bytes, _disk.Content(FirstFile));
    }

    [Fact]
    public void A_torn_tail_of_any_length_is_cut_and_appending_goes_on_there()
    {
        var log = SegmentLog.Open(_disk, "log");
        log.Append(1, Text("kept"));
        var torn = log.Append(1, Text("torn away"));
        var whole = _disk.Content(FirstFile);

        for (var length = torn.Offset + 1; length < whole.Length; length++)
        {
            var disk = new MemoryDisk();
            disk.Append(FirstFile, whole.AsMemory(0, length));
            var again = SegmentLog.Open(disk, "log");

            Assert.Equal(new LogCut(FirstFile, torn.Offset, length - torn.Offset), again.Cut);
            Assert.Equal(torn, again.Append(1, Text("new")));
            Assert.Equal(["kept", "new"], Records(again).Select(record => record.Body));
            Assert.Equal(disk.LengthOf(FirstFile), again.TotalBytes);
            Assert.Empty(again.Damage);
        }
    }

    [Fact]
    public void A_file_of_which_a_crash_left_no_record_and_no_header_is_removed_and_made_again()
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        log.Append(1, Text("kept"));
        log.Roll();
        _disk.Sync(1);
        _disk.Truncate(SecondFile, 31);

        var again = SegmentLog.Open(_disk, "log", 4096);

        Assert.Equal([FirstFile], _disk.Files);
        Assert.Equal(new LogCut(SecondFile, 0, 31), again.Cut);
        again.Roll();
        Assert.Equal(new RecordAddress(2, 32), again.Append(1, Text("new")));
        Assert.Equal(["kept", "new"], Records(SegmentLog.Open(_disk, "log", 4096)).Select(record => record.Body));
    }

    [Fact]
    public void A_log_of_nothing_but_a_torn_header_is_empty()
    {
        _disk.Append(FirstFile, new byte[7]);
        var log = SegmentLog.Open(_disk, "log");
        Assert.Equal((0, 0L), (log.Files, log.TotalBytes));
        log.Append(1, Text("first"));
        Assert.Equal(["first"], Records(log).Select(record => record.Body));
    }

    private static ReadOnlyMemory<byte> Text(string text) => Encoding.UTF8.GetBytes(text);

    private static List<(RecordAddress Address, byte Kind, string Body)> Records(SegmentLog log, RecordAddress from = default)
    {
        var records = new List<(RecordAddress, byte, string)>();
        log.Scan(from, (address, kind, body) => records.Add((address, kind, Encoding.UTF8.GetString(body))));
        return records;
    }
}
