using System.Buffers.Binary;
using System.Numerics;

namespace Massif.Events;

/// <summary>
/// One event in the making. A collector keeps one draft and resets it for every line, so that making an event allocates
/// nothing: text that occurs in the raw line is kept as a slice of it, other text is appended.
/// </summary>
/// <remarks>
/// Parsers read <see cref="Raw"/>, and what they set as a span of it becomes a slice. Not thread-safe.
/// </remarks>
public sealed class EventDraft
{
    /// <summary>
    /// Longest raw line kept, in bytes; a longer one is cut and flagged. Bounds an event below a batch's limit.
    /// </summary>
    public const int RawBytesMax = 128 * 1024;

    /// <summary>Most text beside the raw line, in bytes; a field beyond it is left out and flagged.</summary>
    public const int ExtraBytesMax = 32 * 1024;

    /// <summary>Most bytes of attributes; an attribute beyond it is left out and flagged.</summary>
    public const int AttributeBytesMax = 16 * 1024;

    private readonly uint[] _first = new uint[64];
    private readonly uint[] _second = new uint[64];
    private byte[] _area = new byte[4096];
    private byte[] _attributes = new byte[512];
    private int _rawLength;
    private int _areaLength;
    private int _attributesLength;
    private ulong _mask;

    /// <summary>Gets the raw line of this event.</summary>
    public ReadOnlySpan<byte> Raw => _area.AsSpan(0, _rawLength);

    /// <summary>Gets or sets the trusted time, nanoseconds since 1970 UTC.</summary>
    public long TimeObserved { get; set; }

    /// <summary>Gets or sets the quality of the trusted time.</summary>
    public TimeQuality Quality { get; set; }

    /// <summary>Gets or sets the bound of the trusted time's error in microseconds; null when there is none.</summary>
    public uint? ErrorMicros { get; set; }

    /// <summary>Gets or sets the claimed time, nanoseconds since 1970 UTC; null when absent or invalid.</summary>
    public long? Time { get; set; }

    /// <summary>
    /// Gets or sets the offset of the claimed time from UTC in minutes; null when it came without one.
    /// </summary>
    public short? TimeOffsetMinutes { get; set; }

    /// <summary>Gets or sets the syslog facility, 0..23.</summary>
    public int Facility { get; set; }

    /// <summary>Gets or sets the syslog severity, 0..7.</summary>
    public int Severity { get; set; }

    /// <summary>Gets or sets how many events this one stands for, at least 1.</summary>
    public uint Count { get; set; }

    /// <summary>Gets or sets the flags.</summary>
    public EventFlags Flags { get; set; }

    /// <summary>Gets or sets the category.</summary>
    public EventCategory Category { get; set; }

    /// <summary>Gets or sets the action.</summary>
    public EventAction Action { get; set; }

    /// <summary>Gets or sets the outcome.</summary>
    public EventOutcome Outcome { get; set; }

    /// <summary>Gets or sets the kind of source.</summary>
    public EventSourceType SourceType { get; set; }

    /// <summary>Gets or sets the parser of the header.</summary>
    public EventParser Parser { get; set; }

    /// <summary>Gets or sets the version of that parser.</summary>
    public byte ParserVersion { get; set; }

    /// <summary>Gets or sets how sure the dispatcher is, in percent.</summary>
    public byte ConfidencePercent { get; set; }

    /// <summary>Gets or sets how the event reached the edge.</summary>
    public EventTransport Transport { get; set; }

    /// <summary>Gets the length of the binary form in bytes.</summary>
    public int EncodedLength
    {
        get
        {
            var fields = BitOperations.PopCount(_mask) + (_attributesLength > 0 ? 1 : 0);
            return EventFormat.EventHead + (fields * (IsWide ? 8 : 4)) + AreaLength;
        }
    }

    private int AreaLength => _areaLength + _attributesLength;

    private bool IsWide => AreaLength > ushort.MaxValue;

    /// <summary>Forgets the previous event and takes the bytes of the next one, which are copied.</summary>
    public void Reset(ReadOnlySpan<byte> raw)
    {
        Flags = EventFlags.None;
        if (raw.Length > RawBytesMax)
        {
            raw = raw[..RawBytesMax];
            Flags = EventFlags.Truncated;
        }

        // Room for what a parser usually appends, so that the buffer does not move under its spans.
        if (_area.Length < raw.Length + 1024) _area = new byte[raw.Length + 4096];
        raw.CopyTo(_area);
        (_rawLength, _areaLength, _attributesLength, _mask) = (raw.Length, raw.Length, 0, 0);
        (TimeObserved, Quality, ErrorMicros, Time, TimeOffsetMinutes) = (0, TimeQuality.Unsync, null, null, null);
        (Facility, Severity, Count) = (1, 5, 1);
        (Category, Action, Outcome) = (EventCategory.None, EventAction.None, EventOutcome.None);
        (SourceType, Parser, ParserVersion) = (EventSourceType.Generic, EventParser.Raw, 0);
        (ConfidencePercent, Transport) = (0, EventTransport.None);
    }

    /// <summary>Returns whether a field of the table (not one of the fixed head) was set.</summary>
    public bool Has(EventField field) => (int)field < 64 && (_mask & (1UL << (int)field)) != 0;

    /// <summary>Returns the text of a text field; empty when it was not set.</summary>
    public ReadOnlySpan<byte> Text(EventField field) =>
        Has(field) ? _area.AsSpan((int)_first[(int)field], (int)_second[(int)field]) : [];

    /// <summary>Sets a text field. A span of <see cref="Raw"/> is not copied.</summary>
    public void SetText(EventField field, ReadOnlySpan<byte> text)
    {
        if (FieldNames.KindOf(field) != FieldKind.Text || (int)field >= 64)
            throw new ArgumentException($"{field} holds no text.", nameof(field));

        if (text.IsEmpty) SetEntry(field, 0, 0);
        else if (Raw.Overlaps(text, out var offset)) SetEntry(field, (uint)offset, (uint)text.Length);
        else Append(field, text);
    }

    /// <summary>Sets an address field.</summary>
    public void SetAddress(EventField field, IpAddress address)
    {
        if (FieldNames.KindOf(field) != FieldKind.Address)
            throw new ArgumentException($"{field} holds no address.", nameof(field));

        Span<byte> bytes = stackalloc byte[16];
        Append(field, bytes[..address.Write(bytes)]);
    }

    /// <summary>Sets a number field of the table, such as a port.</summary>
    public void SetNumber(EventField field, uint number)
    {
        if (FieldNames.KindOf(field) != FieldKind.Number || (int)field >= 64)
            throw new ArgumentException($"{field} is no number of the table.", nameof(field));

        SetEntry(field, number & 0xFFFF, number >> 16);
    }

    /// <summary>Sets first and last time of an aggregate, nanoseconds since 1970 UTC.</summary>
    public void SetSpan(long first, long last)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, first);
        Append(EventField.TimeFirst, bytes);
        BinaryPrimitives.WriteInt64LittleEndian(bytes, last);
        Append(EventField.TimeLast, bytes);
    }

    /// <summary>Adds a text attribute; names are 1..255 bytes.</summary>
    public void AddAttribute(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        AddAttribute(AttributeReader.TextKind, name, value);

    /// <summary>Adds a number attribute; names are 1..255 bytes.</summary>
    public void AddAttribute(ReadOnlySpan<byte> name, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        AddAttribute(AttributeReader.NumberKind, name, bytes);
    }

    /// <summary>Writes the binary form, exactly <see cref="EncodedLength"/> bytes.</summary>
    internal void Encode(Span<byte> destination)
    {
        var mask = _mask | (_attributesLength > 0 ? EventFormat.AttributeFields : 0);
        WriteHead(destination, mask);

        var wide = IsWide;
        var at = EventFormat.EventHead;
        for (var rest = _mask; rest != 0; rest &= rest - 1)
        {
            var field = BitOperations.TrailingZeroCount(rest);
            WriteEntry(destination, ref at, wide, _first[field], _second[field]);
        }

        // Attributes have the highest bit of the mask, so their entry comes last.
        if (_attributesLength > 0) WriteEntry(destination, ref at, wide, (uint)_areaLength, (uint)_attributesLength);
        _area.AsSpan(0, _areaLength).CopyTo(destination[at..]);
        _attributes.AsSpan(0, _attributesLength).CopyTo(destination[(at + _areaLength)..]);
    }

    private void WriteHead(Span<byte> head, ulong mask)
    {
        var shape = (IsWide ? EventFormat.Wide : 0) | (Time.HasValue ? EventFormat.HasTime : 0)
            | (ErrorMicros.HasValue ? EventFormat.HasError : 0) | (TimeOffsetMinutes.HasValue ? EventFormat.HasOffset : 0);
        BinaryPrimitives.WriteUInt64LittleEndian(head[EventFormat.FlagsAt..], (ulong)Flags);
        BinaryPrimitives.WriteInt64LittleEndian(head[EventFormat.TimeObservedAt..], TimeObserved);
        BinaryPrimitives.WriteInt64LittleEndian(head[EventFormat.TimeAt..], Time.GetValueOrDefault());
        BinaryPrimitives.WriteUInt64LittleEndian(head[EventFormat.MaskAt..], mask);
        BinaryPrimitives.WriteUInt32LittleEndian(head[EventFormat.ErrorAt..], ErrorMicros.GetValueOrDefault());
        BinaryPrimitives.WriteUInt32LittleEndian(head[EventFormat.CountAt..], Math.Max(1, Count));
        BinaryPrimitives.WriteUInt32LittleEndian(head[EventFormat.RawLengthAt..], (uint)_rawLength);
        BinaryPrimitives.WriteInt16LittleEndian(head[EventFormat.OffsetMinutesAt..], TimeOffsetMinutes.GetValueOrDefault());
        head[EventFormat.PriAt] = (byte)Math.Clamp((Facility * 8) + Severity, 0, EventFormat.PriMax);
        head[EventFormat.ShapeAt] = (byte)shape;
        head[EventFormat.QualityAt] = (byte)((byte)Quality | ((byte)Transport << 4));
        head[EventFormat.CategoryAt] = (byte)Category;
        head[EventFormat.ActionAt] = (byte)Action;
        head[EventFormat.OutcomeAt] = (byte)Outcome;
        head[EventFormat.SourceTypeAt] = (byte)SourceType;
        head[EventFormat.ParserAt] = (byte)Parser;
        head[EventFormat.ParserVersionAt] = ParserVersion;
        head[EventFormat.ConfidenceAt] = Math.Min((byte)100, ConfidencePercent);
    }

    private static void WriteEntry(Span<byte> destination, ref int at, bool wide, uint first, uint second)
    {
        if (wide)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(destination[at..], first);
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(at + 4)..], second);
            at += 8;
            return;
        }

        BinaryPrimitives.WriteUInt32LittleEndian(destination[at..], first | (second << 16));
        at += 4;
    }

    private void SetEntry(EventField field, uint first, uint second)
    {
        (_first[(int)field], _second[(int)field]) = (first, second);
        _mask |= 1UL << (int)field;
    }

    private void Append(EventField field, ReadOnlySpan<byte> bytes)
    {
        if (_areaLength - _rawLength + bytes.Length > ExtraBytesMax)
        {
            Flags |= EventFlags.FieldOverLimit;
            return;
        }

        if (_areaLength + bytes.Length > _area.Length) Array.Resize(ref _area, _area.Length + bytes.Length + 4096);
        bytes.CopyTo(_area.AsSpan(_areaLength));
        SetEntry(field, (uint)_areaLength, (uint)bytes.Length);
        _areaLength += bytes.Length;
    }

    private void AddAttribute(byte kind, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var length = AttributeReader.HeadLength + name.Length + value.Length;
        if (name.Length is 0 or > byte.MaxValue || _attributesLength + length > AttributeBytesMax)
        {
            Flags |= EventFlags.FieldOverLimit;
            return;
        }

        if (_attributesLength + length > _attributes.Length) Array.Resize(ref _attributes, _attributes.Length + length + 512);
        var destination = _attributes.AsSpan(_attributesLength, length);
        destination[0] = kind;
        destination[1] = (byte)name.Length;
        BinaryPrimitives.WriteUInt16LittleEndian(destination[2..], (ushort)value.Length);
        name.CopyTo(destination[AttributeReader.HeadLength..]);
        value.CopyTo(destination[(AttributeReader.HeadLength + name.Length)..]);
        _attributesLength += length;
    }
}
