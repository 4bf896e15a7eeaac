using System.Buffers.Binary;
using System.Numerics;

namespace Massif.Reb.Storage;

/// <summary>CRC-32C (Castagnoli; RFC 3720 appendix B.4): the processor computes it at several GB/s, or software slowly.</summary>
internal static class Crc32C
{
    /// <summary>State before the first byte.</summary>
    public const uint Start = 0xFFFF_FFFF;

    /// <summary>Returns the check value of the bytes.</summary>
    public static uint Of(ReadOnlySpan<byte> bytes) => Finish(Continue(Start, bytes));

    /// <summary>Takes more bytes into a state.</summary>
    public static uint Continue(uint state, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            state = BitOperations.Crc32C(state, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (var value in bytes) state = BitOperations.Crc32C(state, value);
        return state;
    }

    /// <summary>Turns a state into the check value.</summary>
    public static uint Finish(uint state) => ~state;
}
