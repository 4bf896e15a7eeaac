using System.Numerics;
using System.Runtime.CompilerServices;

namespace Massif.Reb.Protocol;

/// <summary>1,024 bits as a value, so that a STATUS never allocates.</summary>
[InlineArray(Words)]
public struct HaveBits : IEquatable<HaveBits>
{
    /// <summary>Number of 64-bit words.</summary>
    public const int Words = 16;

    /// <summary>Number of bits: the largest window.</summary>
    public const int Capacity = Words * 64;

    private ulong _first;

    /// <summary>Returns whether the bit at an offset from low is set; false beyond the capacity.</summary>
    public readonly bool Has(int offset) => (uint)offset < Capacity && (this[offset >> 6] & (1UL << (offset & 63))) != 0;

    /// <summary>Sets the bit at an offset from low.</summary>
    public void Set(int offset) => this[offset >> 6] |= 1UL << (offset & 63);

    /// <summary>Gets the number of set bits.</summary>
    public readonly int Count
    {
        get
        {
            var count = 0;
            for (var i = 0; i < Words; i++) count += BitOperations.PopCount(this[i]);
            return count;
        }
    }

    /// <inheritdoc />
    public readonly bool Equals(HaveBits other) => ((ReadOnlySpan<ulong>)this).SequenceEqual(other);

    /// <inheritdoc />
    public override readonly bool Equals(object? obj) => obj is HaveBits other && Equals(other);

    /// <inheritdoc />
    public override readonly int GetHashCode() => HashCode.Combine(this[0], this[1], this[2], this[3]);

    /// <summary>Equal bit for bit.</summary>
    public static bool operator ==(HaveBits left, HaveBits right) => left.Equals(right);

    /// <summary>Different in at least one bit.</summary>
    public static bool operator !=(HaveBits left, HaveBits right) => !left.Equals(right);
}

/// <summary>STATUS of one replica about one life of a stream (R9), sent to the peers and to the source.</summary>
/// <param name="StartCounter">The sender's start counter (R13); a smaller one than known is old.</param>
/// <param name="Life">Stream and incarnation.</param>
/// <param name="Low">The lowest seq not delivered here; everything below is delivered.</param>
/// <param name="High">End of the window, exclusive; at least <paramref name="Low"/> + 1.</param>
/// <param name="Durable">The highest seq up to which everything is delivered and durable here; 0 when nothing is.</param>
/// <param name="Have">Bit i is set when the INITIAL of seq low + i is not needed here: it was taken, or the instance is decided.</param>
public readonly record struct StreamStatus(
    ulong StartCounter, StreamLife Life, ulong Low, ulong High, ulong Durable, HaveBits Have);
