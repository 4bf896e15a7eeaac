namespace Massif.Reb.Storage;

/// <summary>Reads one segment file from an offset to its end and says of every byte what it is.</summary>
internal sealed class SegmentScanner
{
    /// <summary>One read of the disk: few calls for small records, little memory for a log that is read once.</summary>
    private const int WindowBytes = 256 * 1024;

    private readonly IDisk _disk;
    private readonly string _file;
    private readonly long _fileIndex;
    private readonly int _length;
    private byte[] _buffer = new byte[WindowBytes];
    private int _bufferStart;
    private int _bufferBytes;
    private int _bodyBytes;

    public SegmentScanner(IDisk disk, string file, long fileIndex, int offset)
    {
        (_disk, _file, _fileIndex, Position) = (disk, file, fileIndex, offset);
        _length = checked((int)disk.LengthOf(file));
    }

    public enum Piece : byte
    {
        /// <summary>A record; see <see cref="Start"/>, <see cref="Kind"/> and <see cref="Body"/>.</summary>
        Record,

        /// <summary>Bytes from <see cref="Start"/> to <see cref="Position"/> that are no record, with valid records after them.</summary>
        Damage,

        /// <summary>Bytes from <see cref="Start"/> to the end that are no record, with nothing valid after them.</summary>
        Tail,

        /// <summary>The file ends with a whole record.</summary>
        End,
    }

    /// <summary>Gets the first byte of the piece.</summary>
    public int Start { get; private set; }

    /// <summary>Gets the byte after the piece.</summary>
    public int Position { get; private set; }

    public int Length => _length;

    public byte Kind { get; private set; }

    /// <summary>Gets the body of the record; until the next call.</summary>
    public ReadOnlySpan<byte> Body => Window(Start + SegmentFormat.RecordHeaderBytes, _bodyBytes);

    public Piece Next()
    {
        Start = Position;
        if (Start >= _length) return Piece.End;
        switch (Look(Start, out var header))
        {
            case Sight.Record:
                Kind = header.Kind;
                _bodyBytes = header.BodyBytes;
                Position = EndOf(Start, header);
                return Piece.Record;
            case Sight.Unfinished:
                // Its header is authentic, so all that follows belongs to it: nothing valid can come after.
                Position = _length;
                return Piece.Tail;
            case Sight.BadBody:
                return SkipTo(FirstRecordFrom(EndOf(Start, header)));
            default:
                return SkipTo(FirstRecordFrom(Start + 1));
        }
    }

    private Piece SkipTo(int next)
    {
        Position = next;
        return next < _length ? Piece.Damage : Piece.Tail;
    }

    /// <summary>Returns the first place from here on with a whole valid record; the file's length when there is none.</summary>
    private int FirstRecordFrom(int offset)
    {
        for (; offset + SegmentFormat.RecordHeaderBytes <= _length; offset++)
        {
            if (Look(offset, out _) == Sight.Record) return offset;
        }

        return _length;
    }

    private Sight Look(int offset, out SegmentFormat.RecordHeader header)
    {
        var bytes = Window(offset, Math.Min(SegmentFormat.RecordHeaderBytes, _length - offset));
        if (!SegmentFormat.TryReadRecordHeader(bytes, new(_fileIndex, offset), out header)) return Sight.Nothing;
        if (EndOf(offset, header) > _length) return Sight.Unfinished;
        var body = Window(offset + SegmentFormat.RecordHeaderBytes, header.BodyBytes);
        return Crc32C.Of(body) == header.CheckOfBody ? Sight.Record : Sight.BadBody;
    }

    private static int EndOf(int offset, SegmentFormat.RecordHeader header) =>
        checked(offset + SegmentFormat.RecordHeaderBytes + header.BodyBytes);

    /// <summary>Returns those bytes of the file, which must lie within its length.</summary>
    private ReadOnlySpan<byte> Window(int offset, int count)
    {
        if (offset < _bufferStart || offset + count > _bufferStart + _bufferBytes) Fill(offset, count);
        return _buffer.AsSpan(offset - _bufferStart, count);
    }

    private void Fill(int offset, int count)
    {
        if (count > _buffer.Length) _buffer = new byte[count];
        var wanted = Math.Min(_buffer.Length, _length - offset);
        var got = 0;
        while (got < wanted)
        {
            var read = _disk.Read(_file, offset + got, _buffer.AsSpan(got, wanted - got));
            if (read == 0) throw new IOException($"{_file} ends at {offset + got}, before its length of {_length} bytes.");
            got += read;
        }

        (_bufferStart, _bufferBytes) = (offset, wanted);
    }

    private enum Sight : byte
    {
        Nothing,
        Record,
        Unfinished,
        BadBody,
    }
}
