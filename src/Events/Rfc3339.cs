using System.Globalization;

namespace Massif.Events;

/// <summary>Times as text: RFC 3339 in UTC with nanoseconds, as JSON and the API write them.</summary>
public static class Rfc3339
{
    /// <summary>Length of the text form in bytes: <c>2026-11-20T12:00:01.123456789Z</c>.</summary>
    public const int Length = 30;

    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>
    /// Writes the text form into at least <see cref="Length"/> bytes. Any long is a valid time (years 1677 to 2262).
    /// </summary>
    public static void Format(long nanoseconds, Span<byte> destination)
    {
        var seconds = Math.DivRem(nanoseconds, NanosecondsPerSecond, out var fraction);
        if (fraction < 0) (seconds, fraction) = (seconds - 1, fraction + NanosecondsPerSecond);
        var time = DateTime.UnixEpoch.AddSeconds(seconds);

        Digits(time.Year, destination[..4]);
        destination[4] = (byte)'-';
        Digits(time.Month, destination[5..7]);
        destination[7] = (byte)'-';
        Digits(time.Day, destination[8..10]);
        destination[10] = (byte)'T';
        Digits(time.Hour, destination[11..13]);
        destination[13] = (byte)':';
        Digits(time.Minute, destination[14..16]);
        destination[16] = (byte)':';
        Digits(time.Second, destination[17..19]);
        destination[19] = (byte)'.';
        Digits(fraction, destination[20..29]);
        destination[29] = (byte)'Z';
    }

    /// <summary>Returns the text form.</summary>
    public static string ToString(long nanoseconds)
    {
        Span<byte> text = stackalloc byte[Length];
        Format(nanoseconds, text);
        return System.Text.Encoding.ASCII.GetString(text);
    }

    /// <summary>Reads what <see cref="ToString"/> writes, with 0 to 9 digits of a second.</summary>
    public static bool TryParse(string text, out long nanoseconds)
    {
        nanoseconds = 0;
        if (text.Length < 20 || text[^1] != 'Z') return false;
        const DateTimeStyles Utc = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
        var seconds = text[..19];
        if (!DateTime.TryParseExact(seconds, "yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture, Utc, out var time))
            return false;
        if (time.Year is < 1678 or > 2261) return false;

        var fraction = text[19..^1];
        if (fraction.Length > 0 && (fraction[0] != '.' || fraction.Length is 1 or > 10)) return false;
        var digits = fraction.TrimStart('.').PadRight(9, '0');
        if (!uint.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var rest)) return false;
        nanoseconds = ((time - DateTime.UnixEpoch).Ticks * 100) + rest;
        return true;
    }

    private static void Digits(long value, Span<byte> destination)
    {
        for (var i = destination.Length - 1; i >= 0; i--)
        {
            destination[i] = (byte)('0' + (value % 10));
            value /= 10;
        }
    }
}
