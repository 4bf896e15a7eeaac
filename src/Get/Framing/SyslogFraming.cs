using System.Buffers;
using Massif.Events;

namespace Massif.Get.Framing;

/// <summary>One frame of a connection, valid until the next call on its framing.</summary>
public readonly ref struct SyslogFrame
{
    internal SyslogFrame(ReadOnlySpan<byte> bytes, EventFlags flags)
    {
        Bytes = bytes;
        Flags = flags;
    }

    /// <summary>Gets the message without length prefix and delimiter.</summary>
    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Gets what the framing noticed about this frame.</summary>
    public EventFlags Flags { get; }
}

/// <summary>
/// Cuts the byte stream of one connection into syslog messages. Both framings of RFC 6587 are understood, decided frame
/// by frame: octet counting (section 3.4.1) when a frame begins with a length, a space and a PRI; else everything up to
/// the next LF, or the next NUL in front of a PRI (section 3.4.2; any other NUL is part of the message).
/// </summary>
/// <remarks>
/// Use: <see cref="Push"/> a chunk, <see cref="TryRead"/> until it returns false, and so on; <see cref="End"/> and read
/// once more when the connection ends. Memory is bounded by the limit and one chunk, and grows only with what arrived;
/// <see cref="Compact"/> gives back what is not needed at the moment.
/// Bytes that are no part of any frame are counted in <see cref="DiscardedBytes"/>.
/// </remarks>
/// <param name="limit">Largest frame in bytes; a longer one is cut there and flagged.</param>
/// <param name="overTls">The connection is under TLS, where RFC 5425 section 4.3 allows octet counting only.</param>
public sealed class SyslogFraming(int limit, bool overTls)
{
    /// <summary>
    /// Longest announced length that is believed, 16 MiB: so much is skipped behind the limit to stay in step with the
    /// sender. A larger number is taken for a framing error.
    /// </summary>
    public const int CountMax = 16 * 1024 * 1024;

    private static readonly SearchValues<byte> ResyncStarts = SearchValues.Create("\n123456789"u8);

    private byte[] _buffer = [];
    private int _start;
    private int _end;
    private int _scanned;
    private long _skip;
    private State _state = State.ConnectionStart;
    private EventFlags _pending;
    private bool _ended;
    private bool _previousCounted;

    private enum State : byte
    {
        ConnectionStart,
        FrameStart,
        Line,
        Counted,
        Lost,
        SkipCounted,
        SkipLine,
    }

    /// <summary>Gets everything that was noticed on this connection so far.</summary>
    public EventFlags Flags { get; private set; }

    /// <summary>
    /// Gets the number of bytes that became part of no frame: cut or unintelligible ones, not delimiters.
    /// </summary>
    public long DiscardedBytes { get; private set; }

    /// <summary>Gets the number of bytes received and not yet part of a frame.</summary>
    public int BufferedBytes => _end - _start;

    /// <summary>Gets the memory that is held, in bytes: room for what is buffered, and for what was before.</summary>
    public int CapacityBytes => _buffer.Length;

    /// <summary>Gets the number of frames read so far.</summary>
    public long Frames { get; private set; }

    /// <summary>
    /// Takes the next bytes of the connection, which are copied. Read all frames before the next call.
    /// </summary>
    public void Push(ReadOnlySpan<byte> chunk)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, BufferedBytes).CopyTo(_buffer);
            (_start, _end) = (0, BufferedBytes);
        }

        if (_end + chunk.Length > _buffer.Length) Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _end + chunk.Length));
        chunk.CopyTo(_buffer.AsSpan(_end));
        _end += chunk.Length;
    }

    /// <summary>Gives back the memory that what is buffered does not need. Read all frames before.</summary>
    public void Compact()
    {
        if (_buffer.Length == BufferedBytes) return;
        (_buffer, _start, _end) = (Buffered.ToArray(), 0, BufferedBytes);
    }

    /// <summary>Says that the connection ended: what is left is a frame as it is.</summary>
    public void End() => _ended = true;

    /// <summary>Returns the next whole frame; false when more bytes are needed.</summary>
    public bool TryRead(out SyslogFrame frame)
    {
        while (true)
        {
            frame = default;
            var step = _state switch
            {
                State.ConnectionStart => StripByteOrderMark(),
                State.FrameStart => StartFrame(),
                State.Line => ReadLine(out frame),
                State.Counted => ReadCounted(out frame),
                State.Lost => ReadUntilResync(out frame),
                State.SkipCounted => SkipCounted(),
                _ => SkipLine(),
            };
            if (step == Step.NeedMore) return false;
            if (step != Step.Frame) continue;
            Frames++;
            return true;
        }
    }

    private enum Step : byte
    {
        Again,
        Frame,
        NeedMore,
    }

    private ReadOnlySpan<byte> Buffered => _buffer.AsSpan(_start, BufferedBytes);

    private Step StripByteOrderMark()
    {
        var bom = "\uFEFF"u8;
        if (Buffered.Length < bom.Length && !_ended && bom.StartsWith(Buffered)) return Step.NeedMore;
        if (Buffered.StartsWith(bom))
        {
            _start += bom.Length;
            Note(EventFlags.LeadingBom);
        }

        _state = State.FrameStart;
        return Step.Again;
    }

    private Step StartFrame()
    {
        if (!StripDelimiters() || Buffered.Length == 0) return Step.NeedMore;

        // Some firewalls send LF SP between messages, so that the space seems to belong to the next one. As many spaces
        // as a whole frame holds are text, whatever follows: what is decided must not depend on how much has arrived.
        var spaces = Buffered.IndexOfAnyExcept((byte)' ');
        if (spaces < 0 && !_ended && Buffered.Length < limit) return Step.NeedMore;
        if (spaces > 0 && spaces < limit && Buffered[spaces] == '<')
        {
            _start += spaces;
            Note(EventFlags.ExtraSpace);
        }

        var prefix = CountPrefix.Read(Buffered, _ended);
        if (prefix.Kind == CountPrefixKind.Incomplete) return Step.NeedMore;
        return Decide(prefix);
    }

    private Step Decide(CountPrefix prefix)
    {
        _scanned = 0;
        switch (prefix.Kind)
        {
            case CountPrefixKind.Count:
                _start += prefix.Length;
                _skip = prefix.Count;
                _state = State.Counted;
                break;
            case CountPrefixKind.TooLarge:
                Flags |= EventFlags.FramingError;
                _state = State.SkipLine;
                _pending |= EventFlags.Resync;
                break;
            case CountPrefixKind.LeadingZero: // MSG-LEN = NONZERO-DIGIT *DIGIT
                Note(EventFlags.FramingError);
                _state = State.Line;
                break;
            case CountPrefixKind.None when _previousCounted && Buffered[0] != '<':
                // A sender that counts left bytes over, as one that counts characters instead of octets does.
                Note(EventFlags.FramingError);
                _state = State.Lost;
                break;
            default:
                _state = State.Line;
                break;
        }

        return Step.Again;
    }

    private Step ReadLine(out SyslogFrame frame)
    {
        frame = default;
        var found = FindEndOfLine(ref _scanned);
        var noted = overTls ? EventFlags.NonconformantFraming : EventFlags.None;
        if (_scanned - 1 > limit) return Cut(State.SkipLine, noted, out frame); // - 1: a CR does not count.
        if (found && Buffered[_scanned] == 0) noted |= EventFlags.TrailerStripped;
        if (found) return Emit(_scanned, 1, noted, out frame);
        return _ended ? Emit(_scanned, 0, noted | EventFlags.Unterminated, out frame) : Step.NeedMore;
    }

    // Moves to the LF that ends the line, or to a NUL that a PRI follows, or that is the last byte of all; else to where
    // to look when more bytes are there.
    private bool FindEndOfLine(ref int at)
    {
        var bytes = Buffered;
        while (true)
        {
            var found = bytes[at..].IndexOfAny((byte)'\n', (byte)0);
            at = found < 0 ? bytes.Length : at + found;
            if (found < 0) return false;
            if (bytes[at] == '\n') return true;
            if (at + 1 == bytes.Length) return _ended;
            if (bytes[at + 1] == '<') return true;
            at++;
        }
    }

    private Step ReadCounted(out SyslogFrame frame)
    {
        frame = default;
        _previousCounted = true;
        if (_skip <= limit && Buffered.Length >= _skip) return Emit((int)_skip, 0, EventFlags.None, out frame, counted: true);
        if (_skip > limit && Buffered.Length >= limit)
        {
            _skip -= limit;
            return Cut(State.SkipCounted, EventFlags.None, out frame);
        }

        if (!_ended) return Step.NeedMore;
        if (Buffered.Length == 0)
        {
            Flags |= EventFlags.Truncated;
            return Step.NeedMore;
        }

        return Emit(Buffered.Length, 0, EventFlags.Truncated, out frame, counted: true);
    }

    // After a framing error the next LF, or the next length in front of a PRI, is where frames begin again. Until there
    // everything is kept, in pieces of at most the limit.
    private Step ReadUntilResync(out SyslogFrame frame)
    {
        var bytes = Buffered;
        while (_scanned < bytes.Length)
        {
            var found = bytes[_scanned..].IndexOfAny(ResyncStarts);
            if (found < 0) break;
            _scanned += found;
            if (_scanned > limit) return EmitLostPiece(out frame);
            if (bytes[_scanned] == '\n') return Emit(_scanned, 1, EventFlags.None, out frame);

            var prefix = CountPrefix.Read(bytes[_scanned..], _ended);
            frame = default;
            if (prefix.Kind == CountPrefixKind.Incomplete) return Step.NeedMore;
            if (prefix.Kind == CountPrefixKind.Count) return Emit(_scanned, 0, EventFlags.None, out frame);
            _scanned += Math.Max(1, prefix.Length);
        }

        if (bytes.Length > limit) return EmitLostPiece(out frame);
        frame = default;
        _scanned = bytes.Length;
        return _ended ? Emit(bytes.Length, 0, EventFlags.None, out frame) : Step.NeedMore;
    }

    private Step EmitLostPiece(out SyslogFrame frame)
    {
        frame = Take(Buffered[..limit], EventFlags.None);
        _start += limit;
        _scanned = 0;
        _pending = EventFlags.FramingError;
        return Step.Frame;
    }

    private Step SkipCounted()
    {
        var skipped = (int)Math.Min(_skip, Buffered.Length);
        _start += skipped;
        _skip -= skipped;
        DiscardedBytes += skipped;
        if (_skip > 0) return Step.NeedMore;
        _state = State.FrameStart;
        return Step.Again;
    }

    private Step SkipLine()
    {
        var skipped = 0;
        var found = FindEndOfLine(ref skipped);
        DiscardedBytes += skipped;
        _start += found ? skipped + 1 : skipped;
        if (!found) return Step.NeedMore;
        _previousCounted = false;
        _state = State.FrameStart;
        return Step.Again;
    }

    // Between frames LF, CR LF and NUL are delimiters that end nothing. False when one may be incomplete.
    private bool StripDelimiters()
    {
        while (Buffered.Length > 0)
        {
            var length = Buffered[0] switch
            {
                (byte)'\n' or 0 => 1,
                (byte)'\r' when Buffered.Length == 1 => _ended ? 1 : -1,
                (byte)'\r' when Buffered[1] == '\n' => 2,
                _ => 0,
            };
            if (length == 0) return true;
            if (length < 0) return false;
            _start += length;
            Flags |= EventFlags.StrayDelimiter;
        }

        return true;
    }

    private Step Cut(State next, EventFlags noted, out SyslogFrame frame)
    {
        var bytes = Buffered[..limit];
        _start += limit;
        _state = next;
        frame = Take(bytes, noted | EventFlags.Truncated);
        return Step.Frame;
    }

    private Step Emit(int length, int delimiter, EventFlags noted, out SyslogFrame frame, bool counted = false)
    {
        var bytes = Buffered[..length];
        var kept = SyslogTrailer.Strip(bytes, beforeLineFeed: delimiter > 0 && Buffered[length] == '\n');
        if (kept < length) noted |= EventFlags.TrailerStripped;
        if (kept > limit)
        {
            DiscardedBytes += kept - limit;
            (kept, noted) = (limit, noted | EventFlags.Truncated);
        }

        _start += length + delimiter;
        _state = State.FrameStart;
        _previousCounted = counted;
        frame = Take(bytes[..kept], noted);
        return Step.Frame;
    }

    private SyslogFrame Take(ReadOnlySpan<byte> bytes, EventFlags noted)
    {
        var flags = _pending | noted;
        Flags |= flags;
        // What follows a frame that was not understood has been found again, not continued.
        _pending = (flags & EventFlags.FramingError) != 0 ? EventFlags.Resync : EventFlags.None;
        return new(bytes, flags);
    }

    private void Note(EventFlags flags) => _pending |= flags;
}
