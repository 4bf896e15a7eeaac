using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// The PRI part: "&lt;", one to three digits up to 191, "&gt;" (RFC 5424 section 6.2.1, RFC 3164 section 4.1.1).
/// </summary>
internal static class PriParser
{
    private const int Highest = (23 * 8) + 7;

    /// <summary>
    /// Sets facility and severity and returns the length of the PRI; 0 when there is none; -1, with the flag, when
    /// something like one is there that is none.
    /// </summary>
    public static int Read(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (text.IsEmpty || text[0] != '<') return 0;

        var value = 0;
        var at = 1;
        while (at < text.Length && at <= 3 && text[at] is >= (byte)'0' and <= (byte)'9')
            value = (value * 10) + (text[at++] - '0');
        if (at == 1 || at >= text.Length || text[at] != '>' || value > Highest)
        {
            draft.Flags |= EventFlags.BadPri;
            return -1;
        }

        if (text[1] == '0' && at > 2) draft.Flags |= EventFlags.PriLeadingZero;
        (draft.Facility, draft.Severity) = (value >> 3, value & 7);
        return at + 1;
    }
}
