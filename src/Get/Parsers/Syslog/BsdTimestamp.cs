using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// Timestamps of RFC 3164 section 4.1.2, "Mmm dd hh:mm:ss", and what devices make of them: a weekday, a year in any of
/// three places, a fraction, a zone by name or number, Cisco's * or . for a clock out of step.
/// </summary>
internal static class BsdTimestamp
{
    /// <summary>Reads a timestamp at the start of the text.</summary>
    /// <param name="text">Text behind the PRI.</param>
    /// <param name="receivedNanoseconds">The receiver's clock, for stamps without a year.</param>
    /// <param name="defaultOffsetMinutes">The listener's zone, for stamps without one.</param>
    /// <param name="anyZone">Accept an unknown zone name in front of a colon, as Cisco's format has it.</param>
    public static ClaimedTime Read(
        ReadOnlySpan<byte> text, long receivedNanoseconds, int defaultOffsetMinutes, bool anyZone = false)
    {
        var time = default(CivilTime);
        var flags = EventFlags.None;
        var at = 0;
        if (text.Length > 0 && text[0] is (byte)'*' or (byte)'.')
        {
            flags = EventFlags.ClockUnsynced;
            at = 1;
        }

        SkipWeekday(text, ref at);
        TryYear(text, ref at, ref time, before: true);
        if (!TryMonth(text, ref at, ref time, ref flags) || !TryDay(text, ref at, ref time, ref flags)) return default;
        if (time.Year == 0) TryYear(text, ref at, ref time, before: true);
        if (!TryTime(text, ref at, ref time, ref flags)) return default;

        // "Aug 24 05:34:00 CST 1987" (RFC 3164 section 5.4) has the year last, date(1) has it so too.
        if (time.Year == 0) TryYear(text, ref at, ref time, before: false);
        var zone = ZoneNames.Read(text, ref at, anyZone);
        if (time.Year == 0) TryYear(text, ref at, ref time, before: false);
        if (at < text.Length && text[at] is not ((byte)' ' or (byte)':' or (byte)'\t')) return default;
        return Finish(at, time, zone, flags, receivedNanoseconds, defaultOffsetMinutes);
    }

    private static ClaimedTime Finish(
        int length, CivilTime time, Zone zone, EventFlags flags, long receivedNanoseconds, int defaultOffsetMinutes)
    {
        var offset = zone.OffsetMinutes ?? defaultOffsetMinutes;
        if (zone.OffsetMinutes is null) flags |= EventFlags.TimeZoneAssumed;
        else if (zone.IsName) flags |= EventFlags.TimeZoneName;

        flags |= time.Year == 0 ? EventFlags.YearAssumed : EventFlags.YearInTimestamp;
        if (time.Year == 0 && !time.AssumeYear(receivedNanoseconds, offset)) return ClaimedTime.Bad(length);
        var instant = time.ToNanoseconds(offset);
        return instant is null ? ClaimedTime.Bad(length) : new(length, instant, zone.OffsetMinutes, flags);
    }

    private static void SkipWeekday(ReadOnlySpan<byte> text, ref int at)
    {
        if (text.Length < at + 5 || text[at + 3] is not ((byte)' ' or (byte)',')) return;
        if (!IsWeekday(Lower(text, at))) return;
        at += 3;
        while (at < text.Length && text[at] is (byte)' ' or (byte)',') at++;
    }

    private static bool IsWeekday(int letters) => letters switch
    {
        0x6D6F6E => true, // mon
        0x747565 => true, // tue
        0x776564 => true, // wed
        0x746875 => true, // thu
        0x667269 => true, // fri
        0x736174 => true, // sat
        0x73756E => true, // sun
        _ => false,
    };

    // Three letters as one number, in lower case.
    private static int Lower(ReadOnlySpan<byte> text, int at) =>
        ((text[at] | 0x20) << 16) | ((text[at + 1] | 0x20) << 8) | (text[at + 2] | 0x20);

    private static bool TryMonth(ReadOnlySpan<byte> text, ref int at, ref CivilTime time, ref EventFlags flags)
    {
        if (text.Length < at + 4 || text[at + 3] != ' ') return false;
        time.Month = Lower(text, at) switch
        {
            0x6A616E => 1, // jan
            0x666562 => 2, // feb
            0x6D6172 => 3, // mar
            0x617072 => 4, // apr
            0x6D6179 => 5, // may
            0x6A756E => 6, // jun
            0x6A756C => 7, // jul
            0x617567 => 8, // aug
            0x736570 => 9, // sep
            0x6F6374 => 10, // oct
            0x6E6F76 => 11, // nov
            0x646563 => 12, // dec
            _ => 0,
        };
        var (first, second, third) = (text[at], text[at + 1], text[at + 2]);
        if ((first & 0x20) != 0 || (second & 0x20) == 0 || (third & 0x20) == 0) flags |= EventFlags.TimestampCase;
        at += 4;
        return time.Month != 0;
    }

    private static bool TryDay(ReadOnlySpan<byte> text, ref int at, ref CivilTime time, ref EventFlags flags)
    {
        var spaces = 1;
        while (at < text.Length && text[at] == ' ')
        {
            at++;
            spaces++;
        }

        var digits = Digits.Run(text, at);
        if (digits is not (1 or 2)) return false;
        time.Day = digits == 2 ? Digits.Two(text, at) : text[at] - '0';

        // A day below 10 is padded with a space, so that the field keeps its width (RFC 3164 section 4.1.2).
        if (digits + spaces < 3) flags |= EventFlags.TimestampSingleDigit;
        if (digits + spaces > 3) flags |= EventFlags.ExtraSpace;
        at += digits;
        if (at >= text.Length || text[at] != ' ') return false;
        at++;
        return true;
    }

    private static bool TryTime(ReadOnlySpan<byte> text, ref int at, ref CivilTime time, ref EventFlags flags)
    {
        var digits = Digits.Run(text, at);
        if (digits is not (1 or 2)) return false;
        if (digits == 1) flags |= EventFlags.TimestampSingleDigit;
        time.Hour = digits == 2 ? Digits.Two(text, at) : text[at] - '0';
        at += digits;
        if (at + 6 > text.Length || text[at] != ':' || text[at + 3] != ':') return false;
        (time.Minute, time.Second) = (Digits.Two(text, at + 1), Digits.Two(text, at + 4));
        if (time.Minute < 0 || time.Second < 0) return false;
        at += 6;

        if (at >= text.Length || text[at] is not ((byte)'.' or (byte)',')) return true;
        var fraction = Digits.Run(text, at + 1);
        if (fraction == 0) return true;
        time.Nanosecond = Digits.Fraction(text.Slice(at + 1, fraction));
        if (fraction > 6) flags |= EventFlags.TimestampFractionOver6;
        at += 1 + fraction;
        return true;
    }

    // Before the time a year ends with a space; behind it, it begins with one.
    private static void TryYear(ReadOnlySpan<byte> text, ref int at, ref CivilTime time, bool before)
    {
        var from = before ? at : at + 1;
        if (!before && (at >= text.Length || text[at] != ' ')) return;
        if (Digits.Run(text, from) != 4) return;
        var year = Digits.Four(text, from);
        if (year is < 1970 or > 2199) return;

        var end = from + 4;
        if (before && (end >= text.Length || text[end] != ' ')) return;
        if (!before && !ZoneNames.Ends(text, end)) return;
        time.Year = year;
        at = before ? end + 1 : end;
    }
}
