using System.Text;

namespace Massif.Get.Parsers.Syslog;

/// <summary>A time zone as written; no offset when there is none or its name means nothing to us.</summary>
internal readonly record struct Zone(short? OffsetMinutes, bool IsName);

/// <summary>Zone names that mean one offset nearly everywhere, with their minutes east of UTC.</summary>
internal static class ZoneNames
{
    private const int NameMax = 5;

    // Keyed by the name's letters as one number; IST and the like mean several zones and are left out.
    private static readonly Dictionary<ulong, short> Offsets = Table(
        ("UTC", 0), ("GMT", 0), ("WET", 0), ("Z", 0), ("WEST", 60), ("BST", 60), ("CET", 60), ("MEZ", 60),
        ("CEST", 120), ("MESZ", 120), ("EET", 120), ("SAST", 120), ("EEST", 180), ("MSK", 180), ("SGT", 480),
        ("HKT", 480), ("AWST", 480), ("JST", 540), ("KST", 540), ("ACST", 570), ("AEST", 600), ("AEDT", 660),
        ("NZST", 720), ("NZDT", 780), ("NST", -210), ("AST", -240), ("ADT", -180), ("EST", -300), ("EDT", -240),
        ("CST", -360), ("CDT", -300), ("MST", -420), ("MDT", -360), ("PST", -480), ("PDT", -420), ("AKST", -540),
        ("AKDT", -480), ("HST", -600));

    /// <summary>
    /// Reads a zone behind a time, a number with or without a space in front, and moves behind it; stays when there is
    /// none.
    /// </summary>
    public static Zone Read(ReadOnlySpan<byte> text, ref int at, bool anyName)
    {
        if (at >= text.Length) return default;

        var from = text[at] == ' ' ? at + 1 : at;
        if (NumericOffset.TryRead(text[from..], out var length, out var minutes) && Ends(text, from + length))
        {
            at = from + length;
            return new(minutes, IsName: false);
        }

        if (from == at) return default;
        var letters = 0;
        while (from + letters < text.Length && IsLetter(text[from + letters], anyName)) letters++;
        if (letters is 0 or > NameMax) return default;
        var end = from + letters;
        if (Ends(text, end) && Offsets.TryGetValue(Key(text[from..end]), out minutes))
        {
            at = end;
            return new(minutes, IsName: true);
        }

        // "TZ-6" (RFC 3164 section 5.4): a name with a number, whose sign nobody agrees on.
        var signed = end < text.Length && text[end] is (byte)'+' or (byte)'-';
        var digits = signed ? Digits.Run(text, end + 1) : 0;
        if (digits is 1 or 2 && Ends(text, end + 1 + digits)) at = end + 1 + digits;
        else if (anyName && end < text.Length && text[end] == ':' && !text[from..end].ContainsAnyInRange((byte)'a', (byte)'z')) at = end;
        return default;
    }

    /// <summary>
    /// Returns whether a word of the timestamp ends there: at a space, or at a colon with nothing behind it. The host
    /// "2001:db8::1" begins with no year.
    /// </summary>
    public static bool Ends(ReadOnlySpan<byte> text, int at) =>
        at >= text.Length || text[at] == ' ' || (text[at] == ':' && (at + 1 == text.Length || text[at + 1] == ' '));

    // In lower case a word behind the time is a host, unless the format says otherwise.
    private static bool IsLetter(byte c, bool anyCase) => char.IsAsciiLetterUpper((char)c) || (anyCase && char.IsAsciiLetterLower((char)c));

    private static ulong Key(ReadOnlySpan<byte> name)
    {
        var key = 0UL;
        foreach (var letter in name) key = (key << 8) | (letter & 0xDFU); // In upper case.
        return key;
    }

    private static Dictionary<ulong, short> Table(params (string Name, int Minutes)[] zones) =>
        zones.ToDictionary(zone => Key(Encoding.ASCII.GetBytes(zone.Name)), zone => (short)zone.Minutes);
}
