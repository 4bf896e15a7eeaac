using System.Buffers.Binary;

namespace Massif.Reb.Links;

/// <summary>
/// The frame: {u32 length, u8 version, u8 type, body}, little-endian. Length counts what follows it. A whole frame,
/// these 6 bytes included, has at most 1 MiB.
/// </summary>
public static class Frames
{
    /// <summary>Bytes before the body.</summary>
    public const int HeaderLength = 6;

    /// <summary>Bytes of the length field.</summary>
    public const int LengthField = 4;

    /// <summary>Largest whole frame in bytes: four batches of the default size.</summary>
    public const int MaxLength = 1024 * 1024;

    /// <summary>The version this program speaks.</summary>
    public const byte Version = 1;

    /// <summary>First frame from the side that dialled.</summary>
    public const byte Hello = 1;

    /// <summary>The answer to it.</summary>
    public const byte HelloAck = 2;

    /// <summary>Sign of life; no body, no answer.</summary>
    public const byte Ping = 3;

    /// <summary>First type that links carry without looking into it.</summary>
    public const byte FirstOpaque = 4;

    /// <summary>Writes the header of a whole frame that is <paramref name="total"/> bytes long, header included.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The length is not in 6 to <see cref="MaxLength"/>.</exception>
    public static void WriteHeader(Span<byte> destination, int total, byte type)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(total, HeaderLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(total, MaxLength);
        BinaryPrimitives.WriteUInt32LittleEndian(destination, (uint)(total - LengthField));
        destination[4] = Version;
        destination[5] = type;
    }

    /// <summary>Returns a new frame with that body.</summary>
    public static byte[] Make(byte type, ReadOnlySpan<byte> body)
    {
        var frame = new byte[HeaderLength + body.Length];
        WriteHeader(frame, frame.Length, type);
        body.CopyTo(frame.AsSpan(HeaderLength));
        return frame;
    }

    /// <summary>Reads a header; the input is a claim of the peer.</summary>
    /// <param name="source">At least <see cref="HeaderLength"/> bytes.</param>
    /// <param name="header">Length of the whole frame and its type.</param>
    /// <returns>Null when all is well; else why the link must be closed.</returns>
    public static LinkRefusal? TryReadHeader(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = default;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(source);
        if (length is < HeaderLength - LengthField or > MaxLength - LengthField) return LinkRefusal.FrameLength;
        if (source[4] != Version) return LinkRefusal.FrameVersion;
        header = new((int)length + LengthField, source[5]);
        return null;
    }

    /// <summary>Returns the type of a whole frame.</summary>
    public static byte TypeOf(ReadOnlySpan<byte> frame) => frame[5];

    /// <summary>Returns the body of a whole frame.</summary>
    public static ReadOnlySpan<byte> BodyOf(ReadOnlySpan<byte> frame) => frame[HeaderLength..];
}

/// <summary>The header of a frame after its checks.</summary>
/// <param name="TotalLength">Bytes of the whole frame, header included.</param>
/// <param name="Type">Type of the body.</param>
public readonly record struct FrameHeader(int TotalLength, byte Type);
