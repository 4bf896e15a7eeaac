using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>INITIAL of one batch (protocols R2): header, one MAC over d per replica, payload; byte-identical at every repeat.</summary>
public readonly ref struct InitialMessage
{
    private readonly ReadOnlySpan<byte> _bytes;
    private readonly int _macs;

    private InitialMessage(ReadOnlySpan<byte> bytes, BatchHeader header, int macs)
    {
        _bytes = bytes;
        _macs = macs;
        Header = header;
    }

    /// <summary>Gets the header; nothing of it is trusted before a MAC entry was verified.</summary>
    public BatchHeader Header { get; }

    /// <summary>Gets the encoded header.</summary>
    public ReadOnlySpan<byte> HeaderBytes => _bytes[..BatchHeader.Length];

    /// <summary>Gets header and MAC vector: all but the payload, which the header names by its hash.</summary>
    public ReadOnlySpan<byte> Prefix => _bytes[..PrefixLength(_macs)];

    /// <summary>Gets the payload.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[PayloadOffset..];

    /// <summary>Gets where the payload starts, in bytes from the start of the message.</summary>
    public int PayloadOffset => PrefixLength(_macs);

    /// <summary>Returns the length of header and MAC vector for that many replicas.</summary>
    public static int PrefixLength(int replicas) => BatchHeader.Length + 1 + (replicas * Crypto.PairwiseKeys.MacLength);

    /// <summary>Returns the MAC entry of one replica; empty when there is none.</summary>
    public ReadOnlySpan<byte> MacFor(ReplicaId replica) => replica.Index >= _macs
        ? default
        : _bytes.Slice(BatchHeader.Length + 1 + (replica.Index * Crypto.PairwiseKeys.MacLength), Crypto.PairwiseKeys.MacLength);

    /// <summary>Reads an INITIAL; false when lengths and version do not fit together. Hashes are not checked here.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out InitialMessage message)
    {
        message = default;
        if (bytes.Length <= BatchHeader.Length) return false;
        if (!BatchHeader.TryRead(bytes[..BatchHeader.Length], out var header)) return false;
        var macs = bytes[BatchHeader.Length];
        if (macs > ReplicaSet.Capacity || bytes.Length - PrefixLength(macs) != header.PayloadLength) return false;
        message = new(bytes, header, macs);
        return true;
    }

    /// <summary>Returns the whole message. <paramref name="macOverDigest"/> fills the MAC entry of one replica over d.</summary>
    public static byte[] Build(in BatchHeader header, int replicas, ReadOnlySpan<byte> payload, MacEntry macOverDigest)
    {
        ArgumentNullException.ThrowIfNull(macOverDigest);
        var bytes = GC.AllocateUninitializedArray<byte>(PrefixLength(replicas) + payload.Length); // Written to its end below.
        header.Write(bytes);
        var digest = Digest.Of(bytes.AsSpan(0, BatchHeader.Length));
        bytes[BatchHeader.Length] = (byte)replicas;
        for (var i = 0; i < replicas; i++)
        {
            var at = BatchHeader.Length + 1 + (i * Crypto.PairwiseKeys.MacLength);
            macOverDigest(new((byte)i), digest, bytes.AsSpan(at, Crypto.PairwiseKeys.MacLength));
        }

        payload.CopyTo(bytes.AsSpan(PrefixLength(replicas)));
        return bytes;
    }

    /// <summary>Computes the MAC entry of one replica over d.</summary>
    public delegate void MacEntry(ReplicaId replica, in Digest digest, Span<byte> mac);
}
