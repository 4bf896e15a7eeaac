using System.Text;
using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

public sealed class SegmentLogDamageTests
{
    private const string FirstFile = "log-0000000000000001.log";

    private readonly MemoryDisk _disk = new();
    private readonly List<RecordAddress> _addresses = [];

    /// <summary>Every byte of the log is changed once: what was written comes back, or the place is named.</summary>
    [Fact]
    public void No_changed_byte_in_the_middle_is_cut_or_read_as_something_else()
    {
        var log = Written(files: 2, recordsEach: 3);
        var last = _addresses[^1];
        var all = Bodies(log);

        foreach (var file in _disk.Files)
        {
            for (var offset = 0; offset < _disk.LengthOf(file); offset++)
            {
                var isLast = file == SegmentFormat.FileName("log", last.FileIndex) && offset >= last.Offset;
                _disk.Flip(file, offset);
                var copy = _disk.Crash(new Random(0));
                _disk.Flip(file, offset);

                var again = SegmentLog.Open(copy, "log", 4096);
                var bodies = Bodies(again);

                if (isLast)
                {
                    // Nothing valid follows: this cannot be told from a torn tail.
                    Assert.Equal(all[..^1], bodies);
                    Assert.Equal(last.Offset, again.Cut!.Offset);
                    Assert.Empty(again.Damage);
                    continue;
                }

                var damage = Assert.Single(again.Damage);
                Assert.Null(again.Cut);
                Assert.Equal(file, damage.File);
                Assert.InRange(offset, damage.Offset, damage.Offset + damage.Bytes - 1);
                Assert.Equal(all.Where((_, i) => !Covers(damage, _addresses[i])), bodies);
            }
        }
    }

    [Fact]
    public void A_read_of_changed_bytes_says_so_and_names_the_place()
    {
        var log = Written(files: 1, recordsEach: 3);
        _disk.Flip(FirstFile, _addresses[1].Offset + SegmentLog.RecordOverheadBytes);

        Assert.Equal(LogReadResult.Damaged, log.Read(_addresses[1], out _, out var body));
        Assert.Empty(body);
        Assert.Equal((FirstFile, _addresses[1].Offset), (log.Damage[0].File, log.Damage[0].Offset));
        Assert.Equal(LogReadResult.Damaged, log.Read(_addresses[1], out _, out _));
        Assert.Single(log.Damage);
        Assert.Equal(LogReadResult.Read, log.Read(_addresses[2], out _, out _));
    }

    [Fact]
    public void A_missing_file_is_reported()
    {
        Written(files: 3, recordsEach: 1);
        _disk.Delete(SegmentFormat.FileName("log", 2));

        var damage = Assert.Single(SegmentLog.Open(_disk, "log", 4096).Damage);
        Assert.Contains("Files are missing between", damage.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_lost_its_end_is_reported_even_when_the_cut_is_between_records()
    {
        Written(files: 2, recordsEach: 3);
        var whole = _disk.LengthOf(FirstFile);
        _disk.Truncate(FirstFile, _addresses[2].Offset);

        var damage = Assert.Single(SegmentLog.Open(_disk, "log", 4096).Damage);
        Assert.Equal(new(FirstFile, _addresses[2].Offset, whole - _addresses[2].Offset, damage.Reason), damage);
    }

    [Fact]
    public void A_record_inside_a_body_is_never_taken_for_one()
    {
        Written(files: 1, recordsEach: 1);
        var image = _disk.Content(FirstFile)[_addresses[0].Offset..];
        var log = SegmentLog.Open(_disk, "log", 4096);
        var outer = log.Append(1, image);
        log.Append(1, "after"u8.ToArray());
        _disk.Flip(FirstFile, outer.Offset); // Now the search for the next record goes through the body.

        var bodies = Bodies(SegmentLog.Open(_disk, "log", 4096));
        Assert.Equal(["record 0", "after"], bodies);
    }

    /// <summary>Bodies are attacker input: one may hold what would be a valid record at the very place where it comes to lie.</summary>
    [Fact]
    public void A_record_forged_for_its_place_inside_a_damaged_body_is_not_believed()
    {
        Written(files: 1, recordsEach: 1);
        var log = SegmentLog.Open(_disk, "log", 4096);
        var place = (int)_disk.LengthOf(FirstFile) + SegmentLog.RecordOverheadBytes + 100;
        var body = new byte[200];
        SegmentFormat.WriteRecordHeader(body.AsSpan(100), 1, 0, Crc32C.Of([]), new(1, place));
        var outer = log.Append(1, body);
        log.Append(1, "after"u8.ToArray());
        _disk.Flip(FirstFile, outer.Offset + SegmentLog.RecordOverheadBytes);

        var again = SegmentLog.Open(_disk, "log", 4096);
        Assert.Equal(["record 0", "after"], Bodies(again));
        Assert.Single(again.Damage);
    }

    [Fact]
    public void Garbage_is_searched_in_reasonable_time_and_never_throws()
    {
        var random = new Random(5);
        for (var i = 0; i < 200; i++)
        {
            var bytes = new byte[random.Next(1, 5000)];
            random.NextBytes(bytes);
            var disk = new MemoryDisk();
            disk.Append(FirstFile, bytes);
            Assert.Empty(Bodies(SegmentLog.Open(disk, "log", 4096)));
        }
    }

    private static bool Covers(LogDamage damage, RecordAddress address) =>
        damage.File == SegmentFormat.FileName("log", address.FileIndex)
        && address.Offset >= damage.Offset && address.Offset < damage.Offset + damage.Bytes;

    private SegmentLog Written(int files, int recordsEach)
    {
        var log = SegmentLog.Open(_disk, "log", 4096);
        for (var file = 0; file < files; file++)
        {
            if (file > 0) log.Roll();
            for (var i = 0; i < recordsEach; i++)
                _addresses.Add(log.Append(1, Encoding.UTF8.GetBytes($"record {_addresses.Count}")));
        }

        _disk.Sync(1);
        return log;
    }

    private static List<string> Bodies(SegmentLog log)
    {
        var bodies = new List<string>();
        log.Scan((_, _, body) => bodies.Add(Encoding.UTF8.GetString(body)));
        return bodies;
    }
}
