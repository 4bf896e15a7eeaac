using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Massif.Events;

/// <summary>
/// An IP address as a value. IPv4 is kept in its IPv4-mapped IPv6 form, so that one address has one identity however it
/// was written (RFC 4291 section 2.5.5.2). Zone names are not part of it.
/// </summary>
/// <param name="Value">The 128 bits, most significant first.</param>
public readonly record struct IpAddress(UInt128 Value)
{
    /// <summary>Longest text form in bytes.</summary>
    public const int TextLengthMax = 45;

    private static readonly UInt128 MappedPrefix = (UInt128)0xFFFF << 32;

    /// <summary>Gets whether this is an IPv4 address.</summary>
    public bool IsIPv4 => Value >> 32 == 0xFFFF;

    /// <summary>Returns the address of four bytes.</summary>
    public static IpAddress FromIPv4(uint bits) => new(MappedPrefix | bits);

    /// <summary>Reads 4 or 16 bytes in network order; any other length is refused.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IpAddress address)
    {
        address = bytes.Length switch
        {
            4 => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes)),
            16 => new(BinaryPrimitives.ReadUInt128BigEndian(bytes)),
            _ => default,
        };
        return bytes.Length is 4 or 16;
    }

    /// <summary>Writes 4 bytes for IPv4, else 16, and returns how many.</summary>
    public int Write(Span<byte> destination)
    {
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(destination, (uint)Value);
            return 4;
        }

        BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
        return 16;
    }

    /// <summary>
    /// Reads the text form of IPv4 (four decimal numbers) or IPv6 (RFC 4291 section 2.2; a zone is ignored).
    /// </summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out IpAddress address)
    {
        if (text.Contains((byte)':')) return TryParseIPv6(text, out address);

        var parsed = TryParseIPv4(text, out var bits);
        address = parsed ? FromIPv4(bits) : default;
        return parsed;
    }

    /// <inheritdoc cref="TryParse(ReadOnlySpan{byte}, out IpAddress)" />
    public static bool TryParse(string text, out IpAddress address) =>
        TryParse(Encoding.UTF8.GetBytes(text), out address);

    /// <summary>Writes the text form, IPv6 as RFC 5952 recommends; false when it does not fit.</summary>
    public bool TryFormat(Span<byte> destination, out int written)
    {
        Span<byte> text = stackalloc byte[TextLengthMax];
        written = IsIPv4 ? FormatIPv4((uint)Value, text) : FormatIPv6(Value, text);
        var fits = text[..written].TryCopyTo(destination);
        if (!fits) written = 0;
        return fits;
    }

    /// <inheritdoc />
    public override string ToString()
    {
        Span<byte> text = stackalloc byte[TextLengthMax];
        TryFormat(text, out var length);
        return Encoding.ASCII.GetString(text[..length]);
    }

    // Leading zeros are refused: some programs read them as octal, so they have no one meaning.
    private static bool TryParseIPv4(ReadOnlySpan<byte> text, out uint bits)
    {
        bits = 0;
        if (text.Length is < 7 or > 15) return false;

        var (part, digits, dots) = (0u, 0, 0);
        foreach (var c in text)
        {
            if (c == '.')
            {
                if (digits == 0 || ++dots > 3) return false;
                (bits, part, digits) = ((bits << 8) | part, 0, 0);
                continue;
            }

            if (!char.IsAsciiDigit((char)c) || (digits > 0 && part == 0)) return false;
            part = (part * 10) + (c - (uint)'0');
            digits++;
            if (part > 255) return false;
        }

        bits = (bits << 8) | part;
        return dots == 3 && digits > 0;
    }

    private static bool TryParseIPv6(ReadOnlySpan<byte> text, out IpAddress address)
    {
        address = default;
        var zone = text.IndexOf((byte)'%');
        if (zone >= 0) text = text[..zone];

        var gap = text.IndexOf("::"u8);
        if (gap < 0)
        {
            if (!TryParseGroups(text, out var whole, out var all) || all != 8) return false;
            address = new(whole);
            return true;
        }

        if (!TryParseGroups(text[..gap], out var head, out var before)) return false;
        if (!TryParseGroups(text[(gap + 2)..], out var tail, out var after)) return false;
        if (before + after > 7) return false; // "::" stands for at least one group.
        address = new((before == 0 ? 0 : head << (16 * (8 - before))) | tail);
        return true;
    }

    private static bool TryParseGroups(ReadOnlySpan<byte> text, out UInt128 value, out int groups)
    {
        (value, groups) = (0, 0);
        while (text.Length > 0)
        {
            var colon = text.IndexOf((byte)':');
            var group = colon < 0 ? text : text[..colon];
            if (colon < 0 && group.Contains((byte)'.'))
            {
                if (!TryParseIPv4(group, out var bits)) return false;
                (value, groups) = ((value << 32) | bits, groups + 2);
                return groups <= 8;
            }

            if (group.Length is 0 or > 4 || groups == 8) return false;
            if (!ushort.TryParse(group, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var part))
                return false;
            (value, groups) = ((value << 16) | part, groups + 1);
            if (colon < 0) return true;
            text = text[(colon + 1)..];
            if (text.Length == 0) return false;
        }

        return true;
    }

    private static int FormatIPv4(uint bits, Span<byte> text)
    {
        var length = 0;
        for (var shift = 24; shift >= 0; shift -= 8)
        {
            ((bits >> shift) & 0xFF).TryFormat(text[length..], out var digits, default, CultureInfo.InvariantCulture);
            length += digits;
            if (shift > 0) text[length++] = (byte)'.';
        }

        return length;
    }

    private static int FormatIPv6(UInt128 value, Span<byte> text)
    {
        var (gapStart, gapLength) = LongestRunOfZeros(value);
        var length = 0;
        for (var i = 0; i < 8; i++)
        {
            if (i == gapStart)
            {
                "::"u8.CopyTo(text[length..]);
                length += 2;
                i += gapLength - 1;
                continue;
            }

            if (i > 0 && i != gapStart + gapLength) text[length++] = (byte)':';
            Group(value, i).TryFormat(text[length..], out var digits, "x", CultureInfo.InvariantCulture);
            length += digits;
        }

        return length;
    }

    // RFC 5952 section 4.2: the first longest run of at least two zero groups is shortened.
    private static (int Start, int Length) LongestRunOfZeros(UInt128 value)
    {
        var (bestStart, bestLength) = (-9, 1);
        for (var i = 0; i < 8; i++)
        {
            var length = 0;
            while (i + length < 8 && Group(value, i + length) == 0) length++;
            if (length > bestLength) (bestStart, bestLength) = (i, length);
            i += length;
        }

        return (bestStart, bestLength);
    }

    private static ushort Group(UInt128 value, int index) => (ushort)(value >> (16 * (7 - index)));
}
