using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// Timestamps of RFC 5424 section 6.2.3 and their relatives: a space or lower-case letter for T, a comma for the point,
/// an offset without colon or none at all; and seconds since 1970.
/// </summary>
internal static class IsoTimestamp
{
    private const int SecondsEnd = 19; // 2026-11-20T12:00:01

    /// <summary>Reads an ISO 8601 timestamp at the start of the text.</summary>
    public static ClaimedTime Read(ReadOnlySpan<byte> text, int defaultOffsetMinutes)
    {
        if (!HasShape(text)) return default;

        var time = new CivilTime
        {
            Year = Digits.Four(text, 0),
            Month = Digits.Two(text, 5),
            Day = Digits.Two(text, 8),
            Hour = Digits.Two(text, 11),
            Minute = Digits.Two(text, 14),
            Second = Digits.Two(text, 17),
        };
        var flags = text[10] == 't' ? EventFlags.TimestampLowercase : EventFlags.None;
        var at = SecondsEnd;
        if (at < text.Length && text[at] is (byte)'.' or (byte)',')
        {
            var digits = Digits.Run(text, at + 1);
            if (digits == 0) return ClaimedTime.Bad(at + 1);
            time.Nanosecond = Digits.Fraction(text.Slice(at + 1, digits));
            if (digits > 6) flags |= EventFlags.TimestampFractionOver6;
            at += 1 + digits;
        }

        var offset = ReadOffset(text, ref at, ref flags);
        var instant = time.ToNanoseconds(offset ?? defaultOffsetMinutes);
        return instant is null ? ClaimedTime.Bad(at) : new(at, instant, offset, flags);
    }

    /// <summary>Reads seconds since 1970, with or without a fraction, ending at a space or the end.</summary>
    public static ClaimedTime ReadEpoch(ReadOnlySpan<byte> text)
    {
        // Nine and ten digits are the years 1973 to 2286; anything else is some other number.
        var digits = Digits.Run(text, 0);
        if (digits is < 9 or > 10) return default;

        var seconds = 0L;
        foreach (var digit in text[..digits]) seconds = (seconds * 10) + (digit - '0');
        var (at, nanosecond) = (digits, 0);
        var flags = EventFlags.EpochTimestamp;
        if (at < text.Length && text[at] == '.')
        {
            var fraction = Digits.Run(text, at + 1);
            if (fraction == 0) return default;
            nanosecond = Digits.Fraction(text.Slice(at + 1, fraction));
            at += 1 + fraction;
        }

        if (at < text.Length && text[at] != ' ') return default;
        if (seconds > 9_000_000_000) return ClaimedTime.Bad(at); // Beyond 64 bits of nanoseconds.
        return new(at, (seconds * 1_000_000_000) + nanosecond, null, flags);
    }

    /// <summary>Reads Z, ±hh:mm, ±hhmm or ±hh; null, with the flag, when there is none.</summary>
    private static short? ReadOffset(ReadOnlySpan<byte> text, ref int at, ref EventFlags flags)
    {
        if (at < text.Length && text[at] is (byte)'Z' or (byte)'z')
        {
            if (text[at] == 'z') flags |= EventFlags.TimestampLowercase;
            at++;
            return 0;
        }

        if (NumericOffset.TryRead(text[at..], out var length, out var minutes))
        {
            at += length;
            return minutes;
        }

        flags |= EventFlags.TimeZoneAssumed;
        return null;
    }

    private static bool HasShape(ReadOnlySpan<byte> text) =>
        text.Length >= SecondsEnd
        && text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':'
        && text[10] is (byte)'T' or (byte)'t' or (byte)' '
        && Digits.Four(text, 0) >= 0 && Digits.Two(text, 5) >= 0 && Digits.Two(text, 8) >= 0
        && Digits.Two(text, 11) >= 0 && Digits.Two(text, 14) >= 0 && Digits.Two(text, 17) >= 0;
}

/// <summary>Offsets from UTC as numbers.</summary>
internal static class NumericOffset
{
    /// <summary>Reads ±hh:mm, ±hhmm or ±hh; the sign applies to the minutes too.</summary>
    public static bool TryRead(ReadOnlySpan<byte> text, out int length, out short minutes)
    {
        (length, minutes) = (0, 0);
        if (text.IsEmpty || text[0] is not ((byte)'+' or (byte)'-')) return false;

        var hour = Digits.Two(text, 1);
        if (hour is < 0 or > 23) return false;
        var colon = text.Length > 3 && text[3] == ':' ? 1 : 0;
        var minute = Digits.Two(text, 3 + colon);
        if (minute > 59 || (minute < 0 && colon == 1)) return false;
        length = minute < 0 ? 3 : 5 + colon;
        var total = (hour * 60) + Math.Max(0, minute);
        minutes = (short)(text[0] == '-' ? -total : total);
        return true;
    }
}
