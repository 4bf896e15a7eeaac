using System.Buffers.Binary;
using System.Numerics;

namespace Massif.Events;

/// <summary>
/// The binary form, version 1; numbers little-endian. A batch is {version u8, reserved u8, count u16, length u32,
/// start u32 × count, events}. An event is a fixed head, one table entry per present field, and the area: the raw bytes
/// followed by whatever text does not occur in them.
/// </summary>
/// <remarks>
/// <para>A field's entry is found by counting the bits below its own in the field mask, so reading one field costs the
/// same whatever else the event holds. An entry is (offset, length) into the area, or the two halves of a number;
/// 2 × u16 while the area is below 64 KiB, else 2 × u32.</para>
/// <para>Whoever reads a batch got it from somebody who may lie: <see cref="ValidateBatch"/> checks every offset and
/// every closed list once, and the views rely on that.</para>
/// </remarks>
internal static class EventFormat
{
    public const byte Version = 1;

    public const int BatchHead = 8;
    public const int BatchCountAt = 2;
    public const int BatchLengthAt = 4;

    public const int FlagsAt = 0;
    public const int TimeObservedAt = 8;
    public const int TimeAt = 16;
    public const int MaskAt = 24;
    public const int ErrorAt = 32;
    public const int CountAt = 36;
    public const int RawLengthAt = 40;
    public const int OffsetMinutesAt = 44;
    public const int PriAt = 46;
    public const int ShapeAt = 47;
    public const int QualityAt = 48; // Low nibble: time quality; high nibble: transport.
    public const int CategoryAt = 49;
    public const int ActionAt = 50;
    public const int OutcomeAt = 51;
    public const int SourceTypeAt = 52;
    public const int ParserAt = 53;
    public const int ParserVersionAt = 54;
    public const int ConfidenceAt = 55;
    public const int EventHead = 56;

    public const byte Wide = 1;
    public const byte HasTime = 2;
    public const byte HasError = 4;
    public const byte HasOffset = 8;
    private const byte AllShapes = Wide | HasTime | HasError | HasOffset;

    public const byte PriMax = (23 * 8) + 7; // RFC 5424 section 6.2.1.

    public const ulong NumberFields =
        (1UL << (int)EventField.PeerPort) | (1UL << (int)EventField.SourcePort)
        | (1UL << (int)EventField.DestinationPort) | (1UL << (int)EventField.InvalidUser);

    public const ulong AddressFields =
        (1UL << (int)EventField.PeerAddress) | (1UL << (int)EventField.SourceAddress)
        | (1UL << (int)EventField.DestinationAddress);

    public const ulong TimeFields = (1UL << (int)EventField.TimeFirst) | (1UL << (int)EventField.TimeLast);
    public const ulong AttributeFields = 1UL << (int)EventField.Attributes;
    private const ulong AllFields = (1UL << ((int)EventField.Attributes + 1)) - 1;

    /// <summary>Bytes of one table entry of an event with that shape.</summary>
    public static int EntryLength(byte shape) => (shape & Wide) != 0 ? 8 : 4;

    /// <summary>Reads one entry: offset and length, or the low and high half of a number.</summary>
    public static (uint First, uint Second) Entry(ReadOnlySpan<byte> body, byte shape, int index)
    {
        if ((shape & Wide) != 0)
        {
            var wide = body[(EventHead + (8 * index))..];
            return (BinaryPrimitives.ReadUInt32LittleEndian(wide), BinaryPrimitives.ReadUInt32LittleEndian(wide[4..]));
        }

        var both = BinaryPrimitives.ReadUInt32LittleEndian(body[(EventHead + (4 * index))..]);
        return (both & 0xFFFF, both >> 16);
    }

    /// <summary>
    /// Checks a whole batch. Returns null when every later read is within bounds, else what is wrong.
    /// </summary>
    public static string? ValidateBatch(ReadOnlySpan<byte> batch)
    {
        if (ValidateHead(batch) is { } wrongHead) return wrongHead;

        var count = BinaryPrimitives.ReadUInt16LittleEndian(batch[BatchCountAt..]);
        var expected = (uint)(BatchHead + (4 * count));
        for (var i = 0; i < count; i++)
        {
            // Events lie one behind the other, so that no two of them share bytes.
            if (Start(batch, i) != expected) return "events do not follow each other";
            var end = End(batch, count, i);
            if (end <= expected || end > batch.Length) return "an event lies outside the batch";
            if (ValidateEvent(batch[(int)expected..(int)end]) is { } wrong) return wrong;
            expected = end;
        }

        return expected == batch.Length ? null : "bytes that belong to no event"; // Only when there is no event.
    }

    /// <summary>Checks only the head of a batch and that its table of starts is there.</summary>
    public static string? ValidateHead(ReadOnlySpan<byte> batch)
    {
        if (batch.Length < BatchHead) return "shorter than a batch head";
        if (batch[0] != Version) return "unknown format version";
        if (batch[1] != 0) return "reserved bits are set";
        if (BinaryPrimitives.ReadUInt32LittleEndian(batch[BatchLengthAt..]) != batch.Length) return "wrong length";
        var count = BinaryPrimitives.ReadUInt16LittleEndian(batch[BatchCountAt..]);
        if (count > BatchBuilder.EventsMax) return "too many events";
        return batch.Length < BatchHead + (4 * count) ? "shorter than its table" : null;
    }

    public static uint Start(ReadOnlySpan<byte> batch, int index) =>
        BinaryPrimitives.ReadUInt32LittleEndian(batch[(BatchHead + (4 * index))..]);

    public static uint End(ReadOnlySpan<byte> batch, int count, int index) =>
        index + 1 < count ? Start(batch, index + 1) : (uint)batch.Length;

    /// <summary>Checks one event. Returns null when every later read is within bounds, else what is wrong.</summary>
    public static string? ValidateEvent(ReadOnlySpan<byte> body)
    {
        if (body.Length < EventHead) return "an event is shorter than its head";
        if (ValidateWords(body) is { } wrong) return wrong;

        var mask = BinaryPrimitives.ReadUInt64LittleEndian(body[MaskAt..]);
        if ((mask & ~AllFields) != 0) return "unknown field";
        var shape = body[ShapeAt];
        var areaAt = EventHead + (EntryLength(shape) * BitOperations.PopCount(mask));
        if (areaAt > body.Length) return "an event is shorter than its table";

        var area = body[areaAt..];
        if (BinaryPrimitives.ReadUInt32LittleEndian(body[RawLengthAt..]) > area.Length) return "raw bytes exceed the event";
        return ValidateFields(body, shape, mask, area);
    }

    private static string? ValidateWords(ReadOnlySpan<byte> body)
    {
        var flags = BinaryPrimitives.ReadUInt64LittleEndian(body[FlagsAt..]);
        if ((flags & ~(ulong)FlagNames.All) != 0) return "unknown flag";
        if ((body[ShapeAt] & ~AllShapes) != 0) return "unknown shape";
        if (body[PriAt] > PriMax) return "facility or severity out of range";
        if ((body[QualityAt] & 0xF) > (byte)TimeQuality.Unsync) return "unknown time quality";
        if (body[QualityAt] >> 4 > (byte)EventTransport.Tls) return "unknown transport";
        if (body[CategoryAt] > (byte)EventCategory.Host) return "unknown category";
        if (body[ActionAt] > (byte)EventAction.Refused) return "unknown action";
        if (body[OutcomeAt] > (byte)EventOutcome.Unknown) return "unknown outcome";
        if (body[SourceTypeAt] > (byte)EventSourceType.Massif) return "unknown source type";
        if (body[ParserAt] > (byte)EventParser.Internal) return "unknown parser";
        if (body[ConfidenceAt] > 100) return "confidence above 100 percent";
        return BinaryPrimitives.ReadUInt32LittleEndian(body[CountAt..]) == 0 ? "a count of zero" : null;
    }

    private static string? ValidateFields(ReadOnlySpan<byte> body, byte shape, ulong mask, ReadOnlySpan<byte> area)
    {
        var index = 0;
        for (var rest = mask; rest != 0; rest &= rest - 1, index++)
        {
            var bit = rest & (~rest + 1);
            var (offset, length) = Entry(body, shape, index);
            if ((bit & NumberFields) != 0)
            {
                if ((offset | length) > ushort.MaxValue) return "a number is out of range";
                continue;
            }

            if ((ulong)offset + length > (ulong)area.Length) return "a field lies outside its event";
            if ((bit & AddressFields) != 0 && length is not (4 or 16)) return "an address is not 4 or 16 bytes";
            if ((bit & TimeFields) != 0 && length != 8) return "a time is not 8 bytes";
            if ((bit & AttributeFields) != 0 && !AttributeReader.IsWellFormed(area.Slice((int)offset, (int)length)))
                return "malformed attributes";
        }

        return null;
    }
}
