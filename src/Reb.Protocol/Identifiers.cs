using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;

namespace Massif.Reb.Protocol;

/// <summary>A point in monotonic time, in nanoseconds since an arbitrary start; never compared between machines.</summary>
public readonly record struct Instant(long Nanoseconds) : IComparable<Instant>
{
    /// <summary>Returns the point in time that many milliseconds later.</summary>
    public Instant PlusMilliseconds(long milliseconds) => new(Nanoseconds + (milliseconds * 1_000_000));

    /// <inheritdoc />
    public int CompareTo(Instant other) => Nanoseconds.CompareTo(other.Nanoseconds);

    /// <summary>Earlier than.</summary>
    public static bool operator <(Instant left, Instant right) => left.Nanoseconds < right.Nanoseconds;

    /// <summary>Later than.</summary>
    public static bool operator >(Instant left, Instant right) => left.Nanoseconds > right.Nanoseconds;

    /// <summary>Not later than.</summary>
    public static bool operator <=(Instant left, Instant right) => left.Nanoseconds <= right.Nanoseconds;

    /// <summary>Not earlier than.</summary>
    public static bool operator >=(Instant left, Instant right) => left.Nanoseconds >= right.Nanoseconds;
}

/// <summary>Urgency class of a stream; each class of one source is a stream of its own, so urgent may overtake bulk.</summary>
public enum StreamClass : byte
{
    /// <summary>Ordinary events.</summary>
    Bulk,

    /// <summary>Events with a short deadline.</summary>
    Urgent,
}

/// <summary>One stream: a source (its index among the nodes of the domain description) and a class.</summary>
public readonly record struct StreamId(ushort Source, StreamClass Class)
{
    /// <inheritdoc />
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"s{Source}{(Class == StreamClass.Urgent ? "u" : "b")}");
}

/// <summary>One life of a stream's spool; FIFO, window and chained digest belong to it.</summary>
public readonly record struct StreamLife(StreamId Stream, ulong Incarnation)
{
    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Stream}.{Incarnation}");
}

/// <summary>One instance of reliable broadcast: (epoch, stream, incarnation, seq). The first seq is 1.</summary>
public readonly record struct InstanceId(uint Epoch, StreamId Stream, ulong Incarnation, ulong Seq)
{
    /// <summary>Gets the stream and its incarnation.</summary>
    public StreamLife Life => new(Stream, Incarnation);

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Life}#{Seq}");
}

/// <summary>A SHA-256 digest as a value: 32 bytes, compared in four words.</summary>
public readonly record struct Digest(ulong A, ulong B, ulong C, ulong D)
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 32;

    /// <summary>Returns SHA-256 of the bytes.</summary>
    public static Digest Of(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[Length];
        SHA256.HashData(bytes, hash);
        return Read(hash);
    }

    /// <summary>Reads 32 bytes.</summary>
    public static Digest Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadUInt64BigEndian(bytes),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[16..]),
        BinaryPrimitives.ReadUInt64BigEndian(bytes[24..]));

    /// <summary>Writes 32 bytes.</summary>
    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, A);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], B);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], C);
        BinaryPrimitives.WriteUInt64BigEndian(destination[24..], D);
    }

    /// <summary>Returns the digest of a chain with one more link: SHA-256(this ‖ next).</summary>
    public Digest Chain(Digest next)
    {
        Span<byte> both = stackalloc byte[2 * Length];
        Write(both);
        next.Write(both[Length..]);
        return Of(both);
    }

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{A:x16}{B:x16}{C:x16}{D:x16}");
}
