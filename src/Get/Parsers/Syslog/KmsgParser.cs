using System.Buffers.Text;
using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// A record of /dev/kmsg: "prefix,sequence,microseconds,flags[,...];text" (Linux Documentation/ABI/testing/dev-kmsg).
/// The
/// prefix is a PRI without brackets, the time counts from the start of the machine.
/// </summary>
internal static class KmsgParser
{
    /// <summary>Reads the record's head into the draft; false when the text is no such record.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, EventDraft draft, out ReadOnlySpan<byte> message)
    {
        message = [];
        if (!TakeNumber(ref text, 191, out var pri, out _)) return false;
        if (!TakeNumber(ref text, long.MaxValue, out var sequence, out _)) return false;
        if (!TakeNumber(ref text, long.MaxValue, out var microseconds, out var stamp)) return false;
        var semicolon = text.IndexOf((byte)';');
        if (semicolon is < 1 or > 64 || text[..semicolon].Contains((byte)' ')) return false;

        draft.Parser = EventParser.Kmsg;
        draft.ConfidencePercent = 90;
        (draft.Facility, draft.Severity) = ((int)(pri >> 3), (int)(pri & 7));
        draft.SetText(EventField.TimestampText, stamp);
        draft.Flags |= EventFlags.UptimeTimestamp;
        draft.AddAttribute("sequence_id"u8, sequence);
        draft.AddAttribute("uptime_us"u8, microseconds);

        // A program that wrote into the buffer names itself as in RFC 3164; the kernel does not.
        message = text[(semicolon + 1)..];
        if (pri >= 8) message = SyslogTag.TakeFrom(message, draft);
        return true;
    }

    private static bool TakeNumber(ref ReadOnlySpan<byte> text, long highest, out long number, out ReadOnlySpan<byte> digits)
    {
        digits = [];
        if (!Utf8Parser.TryParse(text, out number, out var length) || number < 0 || number > highest) return false;
        if (length >= text.Length || text[length] != ',' || text[0] is (byte)'+' or (byte)'-') return false;
        digits = text[..length];
        text = text[(length + 1)..];
        return true;
    }
}
