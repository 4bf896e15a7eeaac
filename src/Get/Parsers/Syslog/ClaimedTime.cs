using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>A timestamp as the source wrote it.</summary>
/// <param name="Length">Bytes that it takes; 0 when the text does not begin with one.</param>
/// <param name="Nanoseconds">The instant, nanoseconds since 1970 UTC; null when the text names none.</param>
/// <param name="OffsetMinutes">The zone that came with it, minutes east of UTC; null when none did.</param>
/// <param name="Flags">What was unusual.</param>
internal readonly record struct ClaimedTime(int Length, long? Nanoseconds, short? OffsetMinutes, EventFlags Flags)
{
    /// <summary>Returns a timestamp of that length which names no instant.</summary>
    public static ClaimedTime Bad(int length) => new(length, null, null, EventFlags.BadTimestamp);

    /// <summary>Puts the timestamp into the draft.</summary>
    public void Set(ReadOnlySpan<byte> text, EventDraft draft)
    {
        draft.SetText(EventField.TimestampText, text[..Length]);
        (draft.Time, draft.TimeOffsetMinutes) = (Nanoseconds, OffsetMinutes);
        draft.Flags |= Flags;
    }
}

/// <summary>A date and time of day, not yet checked.</summary>
internal struct CivilTime
{
    // The range of nanoseconds since 1970 in 64 bits, in whole years.
    private const int FirstYear = 1678;
    private const int LastYear = 2261;

    private static ReadOnlySpan<byte> DaysOfMonth => [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

    public int Year;
    public int Month;
    public int Day;
    public int Hour;
    public int Minute;
    public int Second;
    public int Nanosecond;

    /// <summary>
    /// Returns the instant, or null when there is none: RFC 5424 section 6.2.3 allows no leap second, and 24:00 is the
    /// next day's.
    /// </summary>
    public readonly long? ToNanoseconds(int offsetMinutes)
    {
        if (Year is < FirstYear or > LastYear || Month is < 1 or > 12 || Day < 1) return null;
        var days = DaysOfMonth[Month - 1] + (Month == 2 && DateTime.IsLeapYear(Year) ? 1 : 0);
        if (Day > days || Hour > 23 || Minute > 59 || Second > 59) return null;

        var seconds = (DaysSince1970(Year, Month, Day) * 86_400) + (Hour * 3600) + ((Minute - offsetMinutes) * 60) + Second;
        return (seconds * 1_000_000_000) + Nanosecond;
    }

    /// <summary>
    /// Sets the year that puts this time nearest to the receiver's clock; false when no near year has that day.
    /// </summary>
    public bool AssumeYear(long receivedNanoseconds, int offsetMinutes)
    {
        var local = receivedNanoseconds + (offsetMinutes * 60_000_000_000L);
        var received = DateTime.UnixEpoch.AddTicks(local / 100).Year;
        long? best = null;
        var bestYear = 0;
        for (var year = received - 1; year <= received + 1; year++)
        {
            Year = year;
            if (ToNanoseconds(offsetMinutes) is not { } instant) continue;
            var distance = Math.Abs(instant - receivedNanoseconds);
            if (best is null || distance < best) (best, bestYear) = (distance, year);
        }

        Year = bestYear;
        return best is not null;
    }

    // Days from a civil date, with the year beginning in March so that the leap day is its last
    // (Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil).
    private static long DaysSince1970(int year, int month, int day)
    {
        var y = month <= 2 ? year - 1 : year;
        var era = y / 400;
        var yearOfEra = y - (era * 400);
        var dayOfYear = (((153 * (month > 2 ? month - 3 : month + 9)) + 2) / 5) + day - 1;
        var dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097L) + dayOfEra - 719_468;
    }
}

/// <summary>Digits of timestamps.</summary>
internal static class Digits
{
    /// <summary>Returns two digits as a number, or -1.</summary>
    public static int Two(ReadOnlySpan<byte> text, int at)
    {
        if (at + 2 > text.Length) return -1;
        var (tens, ones) = (text[at] - '0', text[at + 1] - '0');
        return (uint)tens > 9 || (uint)ones > 9 ? -1 : (tens * 10) + ones;
    }

    /// <summary>Returns four digits as a number, or -1.</summary>
    public static int Four(ReadOnlySpan<byte> text, int at)
    {
        var (high, low) = (Two(text, at), Two(text, at + 2));
        return high < 0 || low < 0 ? -1 : (high * 100) + low;
    }

    /// <summary>Returns how many digits follow each other at that place.</summary>
    public static int Run(ReadOnlySpan<byte> text, int at)
    {
        var from = at;
        while (at < text.Length && text[at] is >= (byte)'0' and <= (byte)'9') at++;
        return at - from;
    }

    /// <summary>
    /// Reads the digits behind a decimal point as nanoseconds; digits beyond the ninth are below that.
    /// </summary>
    public static int Fraction(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        for (var i = 0; i < 9; i++) value = (value * 10) + (i < digits.Length ? digits[i] - '0' : 0);
        return value;
    }
}
