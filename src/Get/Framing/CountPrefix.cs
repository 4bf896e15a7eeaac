namespace Massif.Get.Framing;

/// <summary>What the first bytes of a frame say about its framing.</summary>
internal enum CountPrefixKind : byte
{
    /// <summary>Not a length in front of a PRI.</summary>
    None,

    /// <summary>It may become one with more bytes.</summary>
    Incomplete,

    /// <summary>MSG-LEN SP, and a PRI behind it (RFC 6587 section 3.4.1).</summary>
    Count,

    /// <summary>The same with a leading zero, which the grammar forbids.</summary>
    LeadingZero,

    /// <summary>A number beyond what any sender means.</summary>
    TooLarge,
}

/// <summary>The length in front of an octet-counted frame.</summary>
/// <param name="Kind">What was found.</param>
/// <param name="Length">Bytes of the prefix itself, the space included.</param>
/// <param name="Count">The announced length in bytes.</param>
internal readonly record struct CountPrefix(CountPrefixKind Kind, int Length, long Count)
{
    // Longer runs of digits are text, not a length: an attacker must not make us wait for the end of one.
    private const int DigitsMax = 20;

    /// <summary>Reads the start of a frame. With <paramref name="ended"/> nothing more will come.</summary>
    public static CountPrefix Read(ReadOnlySpan<byte> bytes, bool ended)
    {
        var digits = bytes.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits < 0) digits = bytes.Length;
        if (digits is 0 or > DigitsMax) return default;

        // Digits SP "<" decides; "404 not found" is text.
        if (bytes.Length < digits + 2 && !ended && (bytes.Length == digits || bytes[digits] == ' '))
            return new(CountPrefixKind.Incomplete, 0, 0);
        if (bytes.Length < digits + 2 || bytes[digits] != ' ' || bytes[digits + 1] != '<') return new(default, digits, 0);

        if (bytes[0] == '0') return new(CountPrefixKind.LeadingZero, digits + 1, 0);
        var count = 0L;
        foreach (var digit in bytes[..digits])
        {
            count = (count * 10) + (digit - '0');
            if (count > SyslogFraming.CountMax) return new(CountPrefixKind.TooLarge, digits + 1, 0);
        }

        return new(CountPrefixKind.Count, digits + 1, count);
    }
}
