using Massif.Reb.Protocol;

namespace Massif.Reb.Storage;

/// <summary>An append-only log of records in segment files, over an <see cref="IDisk"/>: spool, journal, vote log.</summary>
/// <remarks>
/// <para>
/// Appending is not durable; the owner asks the disk for a sync and waits for its answer, once for all its logs. After a
/// crash the log holds every record that a sync had answered for, and perhaps more, without a hole. What a crash left of the
/// rest is cut at open (<see cref="Cut"/>); anything else that is not as it was written is never cut, but reported
/// (<see cref="Damage"/>), and the owner decides what it means.
/// </para>
/// <para>One thread at a time. The format is that of <c>SegmentFormat</c>; another version is refused.</para>
/// </remarks>
public sealed class SegmentLog
{
    /// <summary>Largest body of a record, in bytes: 1 MiB, as a frame.</summary>
    public const int BodyBytesMax = SegmentFormat.BodyBytesMax;

    /// <summary>What a record takes beside its body, in bytes.</summary>
    public const int RecordOverheadBytes = SegmentFormat.RecordHeaderBytes;

    /// <summary>Default size at which a file is full: 64 MiB, so that 10 GiB are 160 files and one is read in a blink.</summary>
    public const int SegmentBytesDefault = 64 * 1024 * 1024;

    /// <summary>
    /// Up to here a record is copied into one piece, because one copy is cheaper than one more piece to write; a larger body
    /// is handed on as it is.
    /// </summary>
    private const int CopiedBytesMax = 2048;
    private const int SlabBytes = 64 * 1024;

    private readonly IDisk _disk;
    private readonly int _segmentBytes;
    private readonly List<Segment> _segments = [];
    private readonly List<LogDamage> _damage = [];

    // Headers and small records are cut from a slab; the disk holds on to the slab as long as it needs the pieces.
    private byte[] _slab = [];
    private int _slabUsed;

    private SegmentLog(IDisk disk, string name, int segmentBytes) =>
        (_disk, Name, _segmentBytes) = (disk, name, segmentBytes);

    /// <summary>Gets the name; its files are called NAME-(16 hexadecimal digits).log.</summary>
    public string Name { get; }

    /// <summary>Gets the sum of the lengths of its files in bytes, with what was appended and is not yet written.</summary>
    public long TotalBytes { get; private set; }

    /// <summary>Gets the number of its files.</summary>
    public int Files => _segments.Count;

    /// <summary>Gets the index of the oldest file; 0 when there is none.</summary>
    public long OldestFile => _segments.Count == 0 ? 0 : _segments[0].Index;

    /// <summary>Gets the index of the file appended to; 0 when there is none yet.</summary>
    public long NewestFile => _segments.Count == 0 ? 0 : _segments[^1].Index;

    /// <summary>Gets whether the newest file is full, and <see cref="Roll"/> is due before the next append.</summary>
    public bool NeedsRoll => _segments.Count > 0 && _segments[^1].Length >= _segmentBytes;

    /// <summary>Gets what was found damaged so far: by open in the newest file, by a scan or a read in the others.</summary>
    public IReadOnlyList<LogDamage> Damage => _damage;

    /// <summary>Gets the torn tail that open cut; null when there was none.</summary>
    public LogCut? Cut { get; private set; }

    /// <summary>Opens the log of that name, or an empty one. The newest file is read whole, of the others their headers.</summary>
    /// <param name="disk">The directory; nothing may be waiting to be written to this log.</param>
    /// <param name="name">Name of the log, at most 32 of a-z, 0-9 and '_'.</param>
    /// <param name="segmentBytes">Size at which a file is full, from 4 KiB to 1 GiB.</param>
    /// <exception cref="StorageFormatException">A file has another format version.</exception>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public static SegmentLog Open(IDisk disk, string name, int segmentBytes = SegmentBytesDefault)
    {
        ArgumentNullException.ThrowIfNull(disk);
        ArgumentOutOfRangeException.ThrowIfLessThan(segmentBytes, 4096);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(segmentBytes, 1024 * 1024 * 1024);
        var isName = name is { Length: > 0 and <= SegmentFormat.NameCharactersMax }
            && name.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_');
        if (!isName) throw new ArgumentException("A log's name has 1 to 32 characters of a-z, 0-9 and '_'.", nameof(name));

        var log = new SegmentLog(disk, name, segmentBytes);
        log.FindFiles();
        log.CutTornTail();
        log.CheckSequence();
        return log;
    }

    /// <summary>Appends one record, its body given in two parts, and returns where it is.</summary>
    /// <param name="kind">What the body is; the owner's numbering, not 0.</param>
    /// <param name="first">First part; its bytes must not change afterwards.</param>
    /// <param name="second">Second part, may be empty; its bytes must not change afterwards.</param>
    public RecordAddress Append(byte kind, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second = default)
    {
        ArgumentOutOfRangeException.ThrowIfZero(kind);
        var bodyBytes = first.Length + second.Length;
        ArgumentOutOfRangeException.ThrowIfGreaterThan(bodyBytes, BodyBytesMax, nameof(first));
        if (_segments.Count == 0) BeginFile();

        var segment = _segments[^1];
        var place = new RecordAddress(segment.Index, segment.Length);
        var check = Crc32C.Finish(Crc32C.Continue(Crc32C.Continue(Crc32C.Start, first.Span), second.Span));
        var recordBytes = SegmentFormat.RecordHeaderBytes + bodyBytes;
        if (recordBytes <= CopiedBytesMax)
        {
            var record = Slab(recordBytes);
            SegmentFormat.WriteRecordHeader(record.Span, kind, bodyBytes, check, place);
            first.Span.CopyTo(record.Span[SegmentFormat.RecordHeaderBytes..]);
            second.Span.CopyTo(record.Span[(SegmentFormat.RecordHeaderBytes + first.Length)..]);
            _disk.Append(segment.File, record);
        }
        else
        {
            var header = Slab(SegmentFormat.RecordHeaderBytes);
            SegmentFormat.WriteRecordHeader(header.Span, kind, bodyBytes, check, place);
            _disk.Append(segment.File, header);
            if (!first.IsEmpty) _disk.Append(segment.File, first);
            if (!second.IsEmpty) _disk.Append(segment.File, second);
        }

        Grow(segment, recordBytes);
        return place;
    }

    /// <summary>Begins a new file and lets the owner write first what a reader of it alone must know.</summary>
    /// <remarks>
    /// The disk makes a file only after everything appended before is durable, so only the newest file can have a torn tail.
    /// </remarks>
    public void Roll(Action<SegmentLog>? writeSnapshot = null)
    {
        BeginFile();
        writeSnapshot?.Invoke(this);
    }

    /// <summary>Removes the oldest file, after everything appended so far is durable; false when only the newest is left.</summary>
    public bool DropOldest()
    {
        if (_segments.Count < 2) return false;
        var oldest = _segments[0];
        _segments.RemoveAt(0);
        TotalBytes -= oldest.Length;
        _disk.Delete(oldest.File);
        return true;
    }

    /// <summary>Removes every file before that index (the newest stays), in the manner of <see cref="DropOldest"/>.</summary>
    public void DropBefore(long fileIndex)
    {
        while (OldestFile < fileIndex && DropOldest())
        {
        }
    }

    /// <summary>Visits all records in the order of their appending. For the start, before anything is appended.</summary>
    public void Scan(RecordVisitor visit) => Scan(default, visit);

    /// <summary>Visits all records at or after an address. Damaged bytes are stepped over and added to <see cref="Damage"/>.</summary>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public void Scan(RecordAddress from, RecordVisitor visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        foreach (var segment in _segments)
        {
            if (segment.Index < from.FileIndex) continue;
            var offset = segment.Index == from.FileIndex ? from.Offset : 0;
            Walk(segment, Math.Max(offset, SegmentFormat.FileHeaderBytes), visit);
        }
    }

    /// <summary>Reads one record that a sync has answered for, and checks it.</summary>
    /// <exception cref="IOException">The disk cannot be read.</exception>
    public LogReadResult Read(RecordAddress address, out byte kind, out byte[] body)
    {
        (kind, body) = (0, []);
        var segment = Find(address.FileIndex);
        if (segment is null || address.Offset >= segment.Length) return LogReadResult.Gone;

        Span<byte> bytes = stackalloc byte[SegmentFormat.RecordHeaderBytes];
        var read = ReadFully(segment.File, address.Offset, bytes);
        if (!SegmentFormat.TryReadRecordHeader(bytes[..read], address, out var header))
            return Damaged(segment, address.Offset, read, "The header of a record is not what was written");

        var found = new byte[header.BodyBytes];
        read = ReadFully(segment.File, address.Offset + SegmentFormat.RecordHeaderBytes, found);
        if (read != found.Length || Crc32C.Of(found) != header.CheckOfBody)
            return Damaged(segment, address.Offset, bytes.Length + read, "The body of a record is not what was written");

        (kind, body) = (header.Kind, found);
        return LogReadResult.Read;
    }

    private void FindFiles()
    {
        foreach (var file in _disk.Files)
        {
            if (!SegmentFormat.TryParseFileName(Name, file, out var index)) continue;
            var segment = new Segment(index, file) { Length = checked((int)_disk.LengthOf(file)) };
            ReadHeader(segment);
            _segments.Add(segment);
            TotalBytes += segment.Length;
        }

        _segments.Sort((left, right) => left.Index.CompareTo(right.Index));
    }

    private void ReadHeader(Segment segment)
    {
        Span<byte> bytes = stackalloc byte[SegmentFormat.FileHeaderBytes];
        bytes = bytes[..ReadFully(segment.File, 0, bytes)];
        var verdict = SegmentFormat.ReadFileHeader(bytes, Name, segment.Index, out var version, out var before);
        if (verdict == SegmentFormat.FileHeaderVerdict.OtherVersion)
        {
            throw new StorageFormatException(
                $"{segment.File} has format version {version}, this program reads and writes version {SegmentFormat.Version}. "
                + "Run the program version that wrote it, or move the node's data directory away: the node then starts empty.");
        }

        segment.HeaderIsValid = verdict == SegmentFormat.FileHeaderVerdict.Valid;
        segment.LengthOfFileBefore = segment.HeaderIsValid ? before : 0;
    }

    /// <summary>Reads the newest file to its end, cuts its torn tail, and removes a file of which a crash left nothing.</summary>
    private void CutTornTail()
    {
        while (_segments.Count > 0)
        {
            var newest = _segments[^1];
            var records = 0;
            var end = Walk(newest, SegmentFormat.FileHeaderBytes, (_, _, _) => records++, tailIsTorn: true);
            var isEmpty = records == 0 && !newest.HeaderIsValid;
            if (isEmpty) end = 0;
            if (end < newest.Length) RememberCut(newest, end);
            if (!isEmpty) return;

            _disk.Delete(newest.File);
            _segments.RemoveAt(_segments.Count - 1);
        }
    }

    private void RememberCut(Segment segment, int end)
    {
        var bytes = segment.Length - end;
        Cut ??= new(segment.File, end, bytes);
        TotalBytes -= bytes;
        segment.Length = end;
        if (end > 0) _disk.Truncate(segment.File, end);
    }

    /// <summary>Reports files that are missing, shorter than their successor says, or have a bad header.</summary>
    private void CheckSequence()
    {
        for (var i = 0; i < _segments.Count; i++)
        {
            var segment = _segments[i];
            if (!segment.HeaderIsValid)
                Report(segment, 0, Math.Min(segment.Length, SegmentFormat.FileHeaderBytes), "The file header is not what was written");
            if (i == 0) continue;

            var before = _segments[i - 1];
            if (before.Index + 1 < segment.Index)
                Report(before, before.Length, 0, $"Files are missing between this one and {segment.File}");
            else if (before.Length < segment.LengthOfFileBefore)
                Report(before, before.Length, segment.LengthOfFileBefore - before.Length, "The end of the file is missing");
        }
    }

    /// <summary>Visits the records of a file, reports damage, and returns where its last valid record ends.</summary>
    private int Walk(Segment segment, int offset, RecordVisitor visit, bool tailIsTorn = false)
    {
        var scanner = new SegmentScanner(_disk, segment.File, segment.Index, Math.Min(offset, segment.Length));
        while (true)
        {
            switch (scanner.Next())
            {
                case SegmentScanner.Piece.Record:
                    visit(new(segment.Index, scanner.Start), scanner.Kind, scanner.Body);
                    break;
                case SegmentScanner.Piece.Damage:
                    ReportBadRecords(segment, scanner);
                    break;
                case SegmentScanner.Piece.Tail when tailIsTorn:
                    return scanner.Start;
                case SegmentScanner.Piece.Tail:
                    ReportBadRecords(segment, scanner);
                    return scanner.Start;
                default:
                    return scanner.Start;
            }
        }
    }

    private void ReportBadRecords(Segment segment, SegmentScanner scanner) =>
        Report(segment, scanner.Start, scanner.Position - scanner.Start, "Records are not what was written");

    private LogReadResult Damaged(Segment segment, long offset, long bytes, string reason)
    {
        Report(segment, offset, bytes, reason);
        return LogReadResult.Damaged;
    }

    private void Report(Segment segment, long offset, long bytes, string reason)
    {
        var damage = new LogDamage(segment.File, offset, bytes, $"{reason}: {segment.File}, byte {offset}, {bytes} bytes.");
        if (!_damage.Contains(damage)) _damage.Add(damage); // Open and a scan, or two reads, may meet the same.
    }

    private void BeginFile()
    {
        var index = NewestFile + 1;
        var before = _segments.Count == 0 ? 0 : _segments[^1].Length;
        var segment = new Segment(index, SegmentFormat.FileName(Name, index)) { HeaderIsValid = true };
        var header = Slab(SegmentFormat.FileHeaderBytes);
        SegmentFormat.WriteFileHeader(header.Span, Name, index, before);
        _segments.Add(segment);
        _disk.Append(segment.File, header);
        Grow(segment, header.Length);
    }

    private void Grow(Segment segment, int bytes)
    {
        // An owner that never rolls would run into the format's 2 GiB; it is told long before that this is its mistake.
        segment.Length += bytes;
        Invariant.Holds(segment.Length < int.MaxValue - (2 * BodyBytesMax));
        TotalBytes += bytes;
    }

    private Memory<byte> Slab(int bytes)
    {
        if (_slabUsed + bytes > _slab.Length) (_slab, _slabUsed) = (GC.AllocateUninitializedArray<byte>(SlabBytes), 0);
        var piece = _slab.AsMemory(_slabUsed, bytes);
        _slabUsed += bytes;
        return piece;
    }

    private Segment? Find(long fileIndex)
    {
        // Files are numbered without a gap, except after damage.
        var guess = fileIndex - OldestFile;
        if (guess >= 0 && guess < _segments.Count && _segments[(int)guess].Index == fileIndex) return _segments[(int)guess];
        return _segments.Find(segment => segment.Index == fileIndex);
    }

    private int ReadFully(string file, long offset, Span<byte> destination)
    {
        var got = 0;
        while (got < destination.Length)
        {
            var read = _disk.Read(file, offset + got, destination[got..]);
            if (read == 0) break;
            got += read;
        }

        return got;
    }

    private sealed class Segment(long index, string file)
    {
        public long Index { get; } = index;

        public string File { get; } = file;

        public int Length { get; set; }

        public bool HeaderIsValid { get; set; }

        public int LengthOfFileBefore { get; set; }
    }
}
