using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;

namespace Massif.Events;

/// <summary>One event of a checked batch, read in place: each property decodes only its own bytes.</summary>
public readonly ref struct EventView
{
    private readonly ReadOnlySpan<byte> _body;

    internal EventView(ReadOnlySpan<byte> body) => _body = body;

    /// <summary>Gets the trusted time of the edge, nanoseconds since 1970 UTC.</summary>
    public long TimeObserved => BinaryPrimitives.ReadInt64LittleEndian(_body[EventFormat.TimeObservedAt..]);

    /// <summary>Gets the quality of the trusted time.</summary>
    public TimeQuality Quality => (TimeQuality)(_body[EventFormat.QualityAt] & 0xF);

    /// <summary>Gets the bound of the trusted time's error in microseconds; null when there is none.</summary>
    public uint? ErrorMicros => HasShape(EventFormat.HasError)
        ? BinaryPrimitives.ReadUInt32LittleEndian(_body[EventFormat.ErrorAt..])
        : null;

    /// <summary>
    /// Gets the time that the source claims, nanoseconds since 1970 UTC; null when absent or invalid.
    /// </summary>
    public long? Time => HasShape(EventFormat.HasTime)
        ? BinaryPrimitives.ReadInt64LittleEndian(_body[EventFormat.TimeAt..])
        : null;

    /// <summary>Gets the offset of the claimed time from UTC in minutes; null when it came without one.</summary>
    public short? TimeOffsetMinutes => HasShape(EventFormat.HasOffset)
        ? BinaryPrimitives.ReadInt16LittleEndian(_body[EventFormat.OffsetMinutesAt..])
        : null;

    /// <summary>
    /// Gets the time that correlation uses: the trusted time, or the claimed one where the input was declared a replay.
    /// A live source can never choose it.
    /// </summary>
    public long EventTime => (Flags & EventFlags.Replayed) != 0 ? Time ?? TimeObserved : TimeObserved;

    /// <summary>Gets the syslog facility, 0..23.</summary>
    public int Facility => _body[EventFormat.PriAt] >> 3;

    /// <summary>Gets the syslog severity, 0..7.</summary>
    public int Severity => _body[EventFormat.PriAt] & 7;

    /// <summary>Gets how many events this one stands for, at least 1.</summary>
    public uint Count => BinaryPrimitives.ReadUInt32LittleEndian(_body[EventFormat.CountAt..]);

    /// <summary>Gets the time of the first event of an aggregate.</summary>
    public long? TimeFirst => Has(EventField.TimeFirst) ? Long(EventField.TimeFirst) : null;

    /// <summary>Gets the time of the last event of an aggregate.</summary>
    public long? TimeLast => Has(EventField.TimeLast) ? Long(EventField.TimeLast) : null;

    /// <summary>Gets the flags.</summary>
    public EventFlags Flags => (EventFlags)BinaryPrimitives.ReadUInt64LittleEndian(_body[EventFormat.FlagsAt..]);

    /// <summary>Gets the category.</summary>
    public EventCategory Category => (EventCategory)_body[EventFormat.CategoryAt];

    /// <summary>Gets the action.</summary>
    public EventAction Action => (EventAction)_body[EventFormat.ActionAt];

    /// <summary>Gets the outcome.</summary>
    public EventOutcome Outcome => (EventOutcome)_body[EventFormat.OutcomeAt];

    /// <summary>Gets the kind of source.</summary>
    public EventSourceType SourceType => (EventSourceType)_body[EventFormat.SourceTypeAt];

    /// <summary>Gets the parser of the header.</summary>
    public EventParser Parser => (EventParser)_body[EventFormat.ParserAt];

    /// <summary>Gets the version of that parser.</summary>
    public byte ParserVersion => _body[EventFormat.ParserVersionAt];

    /// <summary>Gets how sure the dispatcher is, in percent.</summary>
    public byte ConfidencePercent => _body[EventFormat.ConfidenceAt];

    /// <summary>Gets how the event reached the edge.</summary>
    public EventTransport Transport => (EventTransport)(_body[EventFormat.QualityAt] >> 4);

    /// <summary>Gets the bytes as they came.</summary>
    public ReadOnlySpan<byte> Raw =>
        Area[..(int)BinaryPrimitives.ReadUInt32LittleEndian(_body[EventFormat.RawLengthAt..])];

    /// <summary>Gets the attributes; empty when there are none.</summary>
    public AttributeReader Attributes => new(Stored(EventField.Attributes));

    /// <summary>Gets the whole binary form of this event.</summary>
    public ReadOnlySpan<byte> Encoded => _body;

    private ulong Mask => BinaryPrimitives.ReadUInt64LittleEndian(_body[EventFormat.MaskAt..]);

    private ReadOnlySpan<byte> Area
    {
        get
        {
            var table = EventFormat.EntryLength(_body[EventFormat.ShapeAt]) * BitOperations.PopCount(Mask);
            return _body[(EventFormat.EventHead + table)..];
        }
    }

    /// <summary>Returns whether the event has that field.</summary>
    public bool Has(EventField field) => field switch
    {
        EventField.Time => HasShape(EventFormat.HasTime),
        EventField.TimeError => HasShape(EventFormat.HasError),
        EventField.TimeOffset => HasShape(EventFormat.HasOffset),
        EventField.Category => Category != EventCategory.None,
        EventField.Action => Action != EventAction.None,
        EventField.Outcome => Outcome != EventOutcome.None,
        EventField.Transport => Transport != EventTransport.None,
        _ => (int)field >= 64 || (Mask & (1UL << (int)field)) != 0,
    };

    /// <summary>
    /// Returns the bytes of a text field (a source's bytes, which need not be valid UTF-8) or the word of a closed
    /// list;
    /// empty when absent or of another kind.
    /// </summary>
    public ReadOnlySpan<byte> Text(EventField field) => field switch
    {
        EventField.Category => EventWords.Of(Category),
        EventField.Action => EventWords.Of(Action),
        EventField.Outcome => EventWords.Of(Outcome),
        EventField.SourceType => EventWords.Of(SourceType),
        EventField.Parser => EventWords.Of(Parser),
        EventField.TimeQuality => EventWords.Of(Quality),
        EventField.Transport => EventWords.Of(Transport),
        EventField.Level => EventWords.OfSeverity(Severity),
        EventField.Original => Raw,
        _ => FieldNames.KindOf(field) == FieldKind.Text ? Stored(field) : [],
    };

    /// <summary>Reads an address field; false when absent.</summary>
    public bool TryGetAddress(EventField field, out IpAddress address)
    {
        address = default;
        return FieldNames.KindOf(field) == FieldKind.Address && IpAddress.TryRead(Stored(field), out address);
    }

    /// <summary>Reads a number or time field; false when absent.</summary>
    public bool TryGetNumber(EventField field, out long number)
    {
        number = 0;
        if (FieldNames.KindOf(field) is not (FieldKind.Number or FieldKind.Time) || !Has(field)) return false;

        number = field switch
        {
            EventField.Time => Time.GetValueOrDefault(),
            EventField.TimeObserved => TimeObserved,
            EventField.TimeError => ErrorMicros.GetValueOrDefault(),
            EventField.TimeOffset => TimeOffsetMinutes.GetValueOrDefault(),
            EventField.Facility => Facility,
            EventField.Severity => Severity,
            EventField.ParserVersion => ParserVersion,
            EventField.Confidence => ConfidencePercent,
            EventField.Count => Count,
            EventField.TimeFirst or EventField.TimeLast => Long(field),
            _ => StoredNumber(field),
        };
        return true;
    }

    /// <summary>
    /// Writes any single-valued field as the text that rules, keys and people see: text as it is, addresses and numbers
    /// in their usual form, times as nanoseconds. Nothing is written when it is absent; false when it does not fit.
    /// </summary>
    public bool TryFormat(EventField field, Span<byte> destination, out int written)
    {
        written = 0;
        if (TryGetAddress(field, out var address)) return address.TryFormat(destination, out written);
        if (TryGetNumber(field, out var number))
            return number.TryFormat(destination, out written, default, CultureInfo.InvariantCulture);

        var text = Text(field);
        if (!text.TryCopyTo(destination)) return false;
        written = text.Length;
        return true;
    }

    private bool HasShape(byte bit) => (_body[EventFormat.ShapeAt] & bit) != 0;

    private long Long(EventField field) => BinaryPrimitives.ReadInt64LittleEndian(Stored(field));

    private ReadOnlySpan<byte> Stored(EventField field)
    {
        if ((int)field >= 64 || !Has(field)) return [];
        var (offset, length) = Entry(field);
        return Area.Slice((int)offset, (int)length);
    }

    private long StoredNumber(EventField field)
    {
        var (low, high) = Entry(field);
        return low | (high << 16);
    }

    private (uint First, uint Second) Entry(EventField field)
    {
        var below = Mask & ((1UL << (int)field) - 1);
        return EventFormat.Entry(_body, _body[EventFormat.ShapeAt], BitOperations.PopCount(below));
    }
}
