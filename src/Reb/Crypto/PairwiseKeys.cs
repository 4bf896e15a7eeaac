using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Reb.Crypto;

/// <summary>What a MAC is for; each purpose has keys of its own, so a MAC never counts where it was not meant to.</summary>
public enum MacPurpose : byte
{
    /// <summary>An INITIAL, over the digest of its header (protocols.md R2).</summary>
    Initial,

    /// <summary>An overlay envelope, end to end (docs/ARCHITECTURE.md).</summary>
    Envelope,

    /// <summary>A vote, status or fetch that did not come over a direct link (protocols.md R1).</summary>
    Vote,

    /// <summary>The acknowledgement of an envelope.</summary>
    Acknowledgement,
}

/// <summary>
/// The MAC keys that this node shares with each other node: ECDH P-256 of the own private key with the key in the domain
/// description, then HKDF-SHA256 per (domain, epoch, sender, receiver, purpose), used as HMAC-SHA256 cut to 16 bytes.
/// </summary>
/// <remarks>
/// The two directions of a pair have different keys: what a said to b cannot be reflected as said by b. The domain enters
/// by its name and not by its hash, so that a changed constant does not invalidate what waits in a spool.
/// An instance is NOT safe for several threads: a HMAC state is reused because making one costs more than a MAC. Its one
/// user is a host, which has one reader. After the first use of a key, nothing is allocated.
/// </remarks>
public sealed class PairwiseKeys : IDisposable
{
    /// <summary>Length of a MAC in bytes.</summary>
    public const int MacLength = 16;

    private static readonly int Purposes = Enum.GetValues<MacPurpose>().Length;

    private readonly Domain _domain;
    private readonly NodeIndex _self;
    private readonly byte[]?[] _secrets;
    private readonly IncrementalHash?[] _states;

    /// <summary>Derives the shared secret with every other node: about 0.1 ms a node.</summary>
    /// <param name="domain">The domain, whose descriptors hold the public keys.</param>
    /// <param name="self">This node.</param>
    /// <param name="privateKey">This node's P-256 key; it is not kept.</param>
    /// <exception cref="CryptographicException">A public key of the domain is not a P-256 key.</exception>
    public PairwiseKeys(Domain domain, NodeIndex self, ECDiffieHellman privateKey)
    {
        (_domain, _self) = (domain, self);
        _secrets = new byte[]?[domain.Nodes.Count];
        _states = new IncrementalHash?[domain.Nodes.Count * Purposes * 2];
        foreach (var node in domain.Nodes)
        {
            if (node.Index == self) continue; // A node has no MAC for itself: the host takes its own word.
            using var peer = ECDiffieHellman.Create();
            peer.ImportSubjectPublicKeyInfo(node.PublicKey.Span, out _);
            using var publicKey = peer.PublicKey;
            _secrets[node.Index.Value] = privateKey.DeriveRawSecretAgreement(publicKey);
        }
    }

    /// <summary>Writes the MAC that this node puts on the bytes for that peer.</summary>
    /// <param name="peer">The receiver; not this node.</param>
    /// <param name="purpose">What the MAC is for.</param>
    /// <param name="data">The bytes; hash large ones first.</param>
    /// <param name="mac">Where the <see cref="MacLength"/> bytes go.</param>
    public void Mac(NodeIndex peer, MacPurpose purpose, ReadOnlySpan<byte> data, Span<byte> mac) =>
        Compute(peer, purpose, outgoing: true, data, mac);

    /// <summary>Returns, in constant time, whether that peer put this MAC on the bytes for this node.</summary>
    public bool Verify(NodeIndex peer, MacPurpose purpose, ReadOnlySpan<byte> data, ReadOnlySpan<byte> mac)
    {
        Span<byte> expected = stackalloc byte[MacLength];
        Compute(peer, purpose, outgoing: false, data, expected);
        return CryptographicOperations.FixedTimeEquals(expected, mac);
    }

    /// <summary>Wipes the secrets.</summary>
    public void Dispose()
    {
        foreach (var secret in _secrets) CryptographicOperations.ZeroMemory(secret);
        foreach (var state in _states) state?.Dispose();
    }

    private void Compute(NodeIndex peer, MacPurpose purpose, bool outgoing, ReadOnlySpan<byte> data, Span<byte> mac)
    {
        ref var state = ref _states[(((peer.Value * Purposes) + (int)purpose) * 2) + (outgoing ? 1 : 0)];
        state ??= outgoing ? Derive(_self, peer, purpose) : Derive(peer, _self, purpose);
        Span<byte> full = stackalloc byte[SHA256.HashSizeInBytes];
        state.AppendData(data);
        state.GetHashAndReset(full);
        full[..MacLength].CopyTo(mac);
    }

    private IncrementalHash Derive(NodeIndex from, NodeIndex to, MacPurpose purpose)
    {
        var secret = _secrets[(from == _self ? to : from).Value]
            ?? throw new ArgumentException("A node has no MAC key with itself.", nameof(to));

        // Every part has a length in front of it or a fixed size: no two different inputs give one string.
        var info = new List<byte>();
        AddText(info, "massif mac 1");
        AddNumber(info, _domain.Epoch);
        AddText(info, _domain[from].Id);
        AddText(info, _domain[to].Id);
        info.Add((byte)purpose);
        Span<byte> key = stackalloc byte[SHA256.HashSizeInBytes];
        HKDF.DeriveKey(HashAlgorithmName.SHA256, secret, key, Encoding.UTF8.GetBytes(_domain.Name), [.. info]);
        var state = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, key);
        CryptographicOperations.ZeroMemory(key);
        return state;
    }

    private static void AddText(List<byte> to, string text)
    {
        AddNumber(to, (uint)Encoding.UTF8.GetByteCount(text));
        to.AddRange(Encoding.UTF8.GetBytes(text));
    }

    private static void AddNumber(List<byte> to, uint number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        to.AddRange(bytes);
    }
}
