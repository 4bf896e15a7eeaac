using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Massif.Cep;

/// <summary>Writes the engine's binary forms: little-endian numbers, texts and byte strings behind their length.</summary>
internal static class BinaryForm
{
    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static void WriteByte(this IBufferWriter<byte> destination, byte value)
    {
        destination.GetSpan(1)[0] = value;
        destination.Advance(1);
    }

    public static void WriteInt32(this IBufferWriter<byte> destination, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination.GetSpan(sizeof(int)), value);
        destination.Advance(sizeof(int));
    }

    public static void WriteInt64(this IBufferWriter<byte> destination, long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(destination.GetSpan(sizeof(long)), value);
        destination.Advance(sizeof(long));
    }

    public static void WriteUInt64(this IBufferWriter<byte> destination, ulong value) =>
        destination.WriteInt64((long)value);

    public static void WriteBytes(this IBufferWriter<byte> destination, ReadOnlySpan<byte> bytes)
    {
        destination.WriteInt32(bytes.Length);
        destination.Write(bytes);
    }

    public static void WriteText(this IBufferWriter<byte> destination, string text) =>
        destination.WriteBytes(Utf8.GetBytes(text));

    /// <summary>Reads the text that <see cref="WriteText"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are not UTF-8.</exception>
    public static string ToText(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Utf8.GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            throw new FormatException("A text is not UTF-8.", exception);
        }
    }
}

/// <summary>Reads what <see cref="BinaryForm"/> writes; every length is checked against what is left.</summary>
internal ref struct BinaryFormReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Gets whether everything was read.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    public byte ReadByte() => Take(1)[0];

    public int ReadInt32() => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int)));

    public long ReadInt64() => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long)));

    public ulong ReadUInt64() => (ulong)ReadInt64();

    public ReadOnlySpan<byte> ReadBytes() => Take(ReadInt32());

    public string ReadText() => BinaryForm.ToText(ReadBytes());

    /// <summary>Reads how many items follow, each of at least that many bytes.</summary>
    public int ReadCount(int itemBytes)
    {
        var count = ReadInt32();
        if (count < 0 || (long)count * itemBytes > _rest.Length) throw new FormatException("A count goes beyond the end.");
        return count;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (length < 0 || length > _rest.Length) throw new FormatException("The bytes end too early.");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
