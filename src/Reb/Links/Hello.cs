using System.Buffers.Binary;
using Massif.Reb.Configuration;
using Massif.Reb.Protocol;

namespace Massif.Reb.Links;

/// <summary>What two nodes tell each other first: {u16 protocol version, u32 epoch, u64 start nonce, domain hash}.</summary>
/// <remarks>Each side compares for itself and tells its own values also when it refuses, so that both logs say the same.</remarks>
internal readonly record struct Hello(ushort ProtocolVersion, uint Epoch, ulong StartNonce, Digest DomainHash)
{
    /// <summary>The version of everything that travels in frames; nodes of different versions do not talk.</summary>
    public const ushort CurrentVersion = 1;

    /// <summary>Longest body read: another version's Hello may be longer, but its version must still be seen.</summary>
    public const int BodyMax = 1_024;

    private const int BodyLength = 14 + Digest.Length;

    public static Hello Of(Domain domain, ulong startNonce) => new(CurrentVersion, domain.Epoch, startNonce, domain.Hash);

    /// <summary>Returns the frame.</summary>
    public byte[] ToFrame(byte type)
    {
        Span<byte> body = stackalloc byte[BodyLength];
        BinaryPrimitives.WriteUInt16LittleEndian(body, ProtocolVersion);
        BinaryPrimitives.WriteUInt32LittleEndian(body[2..], Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(body[6..], StartNonce);
        DomainHash.Write(body[14..]);
        return Frames.Make(type, body);
    }

    /// <summary>Reads the body of the peer's; null when it is none.</summary>
    public static Hello? Read(ReadOnlySpan<byte> body)
    {
        if (body.Length < sizeof(ushort)) return null;
        var version = BinaryPrimitives.ReadUInt16LittleEndian(body);
        if (version != CurrentVersion) return new(version, 0, 0, default); // What follows is another version's business.
        if (body.Length != BodyLength) return null;
        return new(
            version,
            BinaryPrimitives.ReadUInt32LittleEndian(body[2..]),
            BinaryPrimitives.ReadUInt64LittleEndian(body[6..]),
            Digest.Read(body[14..]));
    }

    /// <summary>Compares with the peer's; null when they may talk.</summary>
    public LinkRefusal? Compare(Hello peer)
    {
        if (peer.ProtocolVersion != ProtocolVersion) return LinkRefusal.ProtocolVersion;
        if (peer.DomainHash != DomainHash) return LinkRefusal.DomainHash;
        return peer.Epoch != Epoch ? LinkRefusal.Epoch : null;
    }
}
