using System.Buffers.Text;
using Massif.Events;
using Massif.Get.Recognition;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// The syslog protocol, RFC 5424 section 6: VERSION SP TIMESTAMP SP HOSTNAME SP APP-NAME SP PROCID SP MSGID SP
/// STRUCTURED-DATA [SP MSG], and its usual damage.
/// </summary>
internal static class Rfc5424Parser
{
    // SD-IDs compared for repeats; an attacker's thousands must not cost the square of their number.
    private const int IdsCompared = 32;

    /// <summary>
    /// Returns whether text behind a PRI is meant as this format: a version, then a plausible timestamp.
    /// </summary>
    public static bool IsHeader(ReadOnlySpan<byte> text)
    {
        var digits = Digits.Run(text, 0);
        if (digits is 0 or > 3 || text[0] == '0') return false;
        var isKnownVersion = digits == 1 && text[0] == '1';
        if (digits == text.Length) return isKnownVersion;
        if (text[digits] != ' ') return false;
        var rest = text[digits..].TrimStart((byte)' ');
        if (rest.IsEmpty) return isKnownVersion;
        return BeginsWithYear(rest) || (isKnownVersion && (IsNil(rest) || BeginsWithEpoch(rest))) || HasAllFields(rest);
    }

    /// <summary>Returns whether a line without PRI is this format beyond doubt.</summary>
    public static bool IsCertainHeader(ReadOnlySpan<byte> text) =>
        text.StartsWith("1 "u8) && IsoTimestamp.Read(text[2..], 0).Length > 0;

    /// <summary>Reads the header into the draft and returns the message.</summary>
    public static ReadOnlySpan<byte> Read(ReadOnlySpan<byte> text, scoped in ReceiveContext context, EventDraft draft)
    {
        draft.Parser = EventParser.Rfc5424;
        draft.ConfidencePercent = 100;
        var version = TakeField(ref text, draft);
        if (!version.SequenceEqual("1"u8)) draft.Flags |= EventFlags.UnknownVersion;
        if (text.IsEmpty) return Truncated(draft);

        var isEpoch = ReadTimestamp(TakeField(ref text, draft), context, draft);
        if (text.IsEmpty) return Truncated(draft);
        SetField(EventField.Host, TakeField(ref text, draft), 255, draft);
        if (text.IsEmpty) return Truncated(draft);
        SetField(EventField.App, TakeField(ref text, draft), 48, draft);
        if (text.IsEmpty) return Truncated(draft);

        var behindApp = text;
        var procId = TakeField(ref text, draft);
        var msgId = TakeField(ref text, draft);
        if (isEpoch && !(text.StartsWith("["u8) || IsNil(text)))
        {
            // Cisco Meraki: seconds since 1970, host, application, and then at once the message.
            draft.Flags |= EventFlags.MissingFields;
            return behindApp;
        }

        SetField(EventField.ProcId, procId, 128, draft);
        SetField(EventField.MsgId, msgId, 32, draft);
        return text.IsEmpty ? Truncated(draft) : ReadStructuredData(text, draft);
    }

    private static ReadOnlySpan<byte> Truncated(EventDraft draft)
    {
        draft.Flags |= EventFlags.TruncatedHeader;
        return [];
    }

    // Takes the text up to the next space, and the space; further spaces are somebody's mistake.
    private static ReadOnlySpan<byte> TakeField(ref ReadOnlySpan<byte> text, EventDraft draft)
    {
        var end = text.IndexOf((byte)' ');
        if (end < 0) end = text.Length;
        var field = text[..end];
        text = end < text.Length ? text[(end + 1)..] : [];
        while (text.Length > 0 && text[0] == ' ')
        {
            draft.Flags |= EventFlags.ExtraSpace;
            text = text[1..];
        }

        return field;
    }

    private static void SetField(EventField field, ReadOnlySpan<byte> value, int longest, EventDraft draft)
    {
        if (value.IsEmpty || value.SequenceEqual("-"u8)) return;
        if (value.Length > longest) draft.Flags |= EventFlags.FieldOverLimit;
        draft.SetText(field, value);
    }

    private static bool ReadTimestamp(ReadOnlySpan<byte> field, scoped in ReceiveContext context, EventDraft draft)
    {
        if (field.SequenceEqual("-"u8))
        {
            draft.Flags |= EventFlags.NilTimestamp;
            return false;
        }

        var time = IsoTimestamp.Read(field, context.DefaultOffsetMinutes);
        var isEpoch = time.Length == 0 && (time = IsoTimestamp.ReadEpoch(field)).Length > 0;
        if (time.Length != field.Length) time = ClaimedTime.Bad(field.Length);
        time.Set(field, draft);
        return isEpoch;
    }

    private static ReadOnlySpan<byte> ReadStructuredData(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (IsNil(text)) return text.Length > 2 ? text[2..] : [];
        if (text[0] != '[')
        {
            draft.Flags |= EventFlags.MissingStructuredData;
            return text;
        }

        var reader = new StructuredDataReader(text);
        var flags = WalkElements(ref reader, draft);
        var length = reader.Position;
        if (reader.IsBroken || (length < text.Length && text[length] != ' '))
        {
            draft.Flags |= EventFlags.BadStructuredData;
            return text;
        }

        if (reader.HasUnescapedBracket) flags |= EventFlags.UnescapedBracket;
        if (reader.HasLongName) flags |= EventFlags.FieldOverLimit;
        draft.Flags |= flags;
        draft.SetText(EventField.StructuredData, text[..length]);
        ReadSelfDescription(text[..length], draft);
        return length < text.Length ? text[(length + 1)..] : [];
    }

    private static EventFlags WalkElements(ref StructuredDataReader reader, EventDraft draft)
    {
        Span<(int Start, int Length)> ids = stackalloc (int, int)[IdsCompared];
        var flags = EventFlags.None;
        var raw = draft.Raw;
        for (var count = 0; reader.NextElement(); count++)
        {
            foreach (var (start, length) in ids[..Math.Min(count, IdsCompared)])
            {
                // The same SD-ID must not occur twice (section 6.3.2).
                if (raw.Slice(start, length).SequenceEqual(reader.Id)) flags |= EventFlags.DuplicateStructuredDataId;
            }

            if (count >= IdsCompared) continue;
            raw.Overlaps(reader.Id, out var at);
            ids[count] = (at, reader.Id.Length);
        }

        return flags;
    }

    // What the sender says about its clock and its numbering (RFC 5424 sections 7.1 and 7.3).
    private static void ReadSelfDescription(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (!text.StartsWith("[timeQuality"u8) && text.IndexOf("[meta "u8) < 0 && text.IndexOf("[timeQuality "u8) < 0) return;

        var reader = new StructuredDataReader(text);
        while (reader.NextElement())
        {
            var isTimeQuality = reader.Id.SequenceEqual("timeQuality"u8);
            var isMeta = reader.Id.SequenceEqual("meta"u8);
            while ((isTimeQuality || isMeta) && reader.NextParameter())
            {
                if (isTimeQuality && reader.Name.SequenceEqual("isSynced"u8) && reader.Value.SequenceEqual("0"u8))
                    draft.Flags |= EventFlags.ClockUnsynced;
                if (isMeta && reader.Name.SequenceEqual("sequenceId"u8)
                    && Utf8Parser.TryParse(reader.Value, out uint id, out var digits) && digits == reader.Value.Length)
                    draft.AddAttribute("sequence_id"u8, id);
            }
        }
    }

    private static bool IsNil(ReadOnlySpan<byte> text) => text is [(byte)'-'] or [(byte)'-', (byte)' ', ..];

    // "3 20 of 21 done" is a message, "1 2026-11-20T12:0" a header that was cut.
    private static bool BeginsWithYear(ReadOnlySpan<byte> text) =>
        Digits.Run(text, 0) == 4 && (text.Length == 4 || text[4] == '-');

    private static bool BeginsWithEpoch(ReadOnlySpan<byte> text) => Digits.Run(text, 0) is 9 or 10;

    // With a timestamp of no known form, only structured data in its place shows that the header is this one.
    private static bool HasAllFields(ReadOnlySpan<byte> text)
    {
        for (var field = 0; field < 5; field++)
        {
            var end = text.IndexOf((byte)' ');
            if (end < 0) return false;
            text = text[(end + 1)..];
        }

        return IsNil(text) || text.StartsWith("["u8);
    }
}
