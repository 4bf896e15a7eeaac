using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>What is agreed about one batch beside its payload (protocols R2): d = SHA-256 of these bytes names the batch.</summary>
/// <param name="Instance">Epoch, stream, incarnation and seq.</param>
/// <param name="Channel">Index of the channel in the domain description.</param>
/// <param name="PayloadLength">Length of the payload in bytes.</param>
/// <param name="PayloadHash">SHA-256 of the payload.</param>
/// <param name="WallNanoseconds">The source's wall clock when the batch was closed, nanoseconds since 1970 UTC.</param>
/// <param name="MonotonicNanoseconds">The source's monotonic clock at the same moment; comparable within one boot only.</param>
/// <param name="BootId">Identity of the boot of the source's machine.</param>
public readonly record struct BatchHeader(
    InstanceId Instance,
    byte Channel,
    int PayloadLength,
    Digest PayloadHash,
    long WallNanoseconds,
    long MonotonicNanoseconds,
    Guid BootId)
{
    /// <summary>Length of the encoded header in bytes.</summary>
    public const int Length = 1 + 23 + 1 + 4 + Digest.Length + 8 + 8 + 16;

    /// <summary>Version of the encoded header; another one is refused.</summary>
    public const byte Version = 1;

    /// <summary>Writes the canonical form.</summary>
    public void Write(Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.Byte(Version);
        writer.Instance(Instance);
        writer.Byte(Channel);
        writer.UInt32((uint)PayloadLength);
        writer.Digest(PayloadHash);
        writer.Int64(WallNanoseconds);
        writer.Int64(MonotonicNanoseconds);
        BootId.TryWriteBytes(writer.Next(16));
        Invariant.Holds(writer.Written == Length);
    }

    /// <summary>Reads the canonical form; false for anything a correct source does not write.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out BatchHeader header)
    {
        header = default;
        var reader = new WireReader(bytes);
        if (reader.Byte() != Version) return false;
        var instance = reader.Instance();
        var channel = reader.Byte();
        var length = reader.UInt32();
        var hash = reader.Digest();
        var wall = reader.Int64();
        var monotonic = reader.Int64();
        var boot = reader.Bytes(16);

        // An empty batch is never published; where one was taken, what stores and serves payloads would not know it again.
        if (!reader.OkAndEmpty || length is 0 or > int.MaxValue || instance.Seq == 0) return false;
        header = new(instance, channel, (int)length, hash, wall, monotonic, new Guid(boot));
        return true;
    }
}
