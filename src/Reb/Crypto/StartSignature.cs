using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Reb.Crypto;

/// <summary>
/// Signs what a node says about its starts (protocols.md R13): a signature and not a MAC, because a peer shows the
/// statement to others. ECDSA P-256 over SHA-256, 64 bytes; about 23 µs.
/// </summary>
/// <param name="domain">The domain.</param>
/// <param name="self">This node.</param>
/// <param name="key">This node's private key; the caller keeps it alive and disposes of it.</param>
public sealed class StartSigner(Domain domain, NodeIndex self, ECDsa key)
{
    /// <summary>Length of a signature in bytes: r and s, 32 bytes each (IEEE P1363).</summary>
    public const int SignatureLength = 64;

    /// <summary>Returns the signature of a statement of this node, valid in this domain and epoch only.</summary>
    public byte[] Sign(ReadOnlySpan<byte> statement) => key.SignHash(HashOf(domain, self, statement));

    /// <summary>
    /// Returns the hash that is signed. It starts with words and lengths that nothing else signed with this key has, so
    /// that a TLS handshake, a command or another domain's statement can never pass as a start.
    /// </summary>
    internal static byte[] HashOf(Domain domain, NodeIndex node, ReadOnlySpan<byte> statement)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        AppendText(hash, "massif start 1");
        AppendText(hash, domain.Name);
        AppendText(hash, domain[node].Id);
        AppendNumber(hash, domain.Epoch);
        AppendNumber(hash, (uint)statement.Length);
        hash.AppendData(statement);
        return hash.GetHashAndReset();
    }

    private static void AppendText(IncrementalHash hash, string text)
    {
        AppendNumber(hash, (uint)Encoding.UTF8.GetByteCount(text));
        hash.AppendData(Encoding.UTF8.GetBytes(text));
    }

    private static void AppendNumber(IncrementalHash hash, uint number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}

/// <summary>Verifies statements of <see cref="StartSigner"/> against the keys of the domain; about 64 µs each.</summary>
public sealed class StartVerifier : IDisposable
{
    private readonly Domain _domain;
    private readonly ECDsa[] _keys;

    /// <summary>Reads the public keys of all nodes.</summary>
    /// <exception cref="CryptographicException">A public key of the domain cannot be read.</exception>
    public StartVerifier(Domain domain)
    {
        _domain = domain;
        _keys = [.. domain.Nodes.Select(node => Import(node.PublicKey.Span))];
    }

    /// <summary>Returns whether that node signed this statement in this domain and epoch.</summary>
    public bool Verify(NodeIndex node, ReadOnlySpan<byte> statement, ReadOnlySpan<byte> signature) =>
        node.Value < _keys.Length
        && signature.Length == StartSigner.SignatureLength
        && _keys[node.Value].VerifyHash(StartSigner.HashOf(_domain, node, statement), signature);

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var key in _keys) key.Dispose();
    }

    private static ECDsa Import(ReadOnlySpan<byte> publicKey)
    {
        var key = ECDsa.Create();
        key.ImportSubjectPublicKeyInfo(publicKey, out _);
        return key;
    }
}
