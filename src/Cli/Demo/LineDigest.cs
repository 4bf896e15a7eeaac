using System.Security.Cryptography;

namespace Massif.Cli.Demo;

/// <summary>SHA-256 over raw lines in order: equal when the same lines came out in the same order as went in.</summary>
/// <remarks>
/// What a line has beyond the receiver's largest message is left out on both sides: the receiver cuts it there, and says so.
/// </remarks>
internal sealed class LineDigest(int lineBytesMax) : IDisposable
{
    private static readonly byte[] End = "\n"u8.ToArray();
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Gets how many lines were added.</summary>
    public long Lines { get; private set; }

    /// <summary>Adds one line.</summary>
    public void Add(ReadOnlySpan<byte> line)
    {
        _hash.AppendData(line.Length > lineBytesMax ? line[..lineBytesMax] : line);
        _hash.AppendData(End);
        Lines++;
    }

    /// <summary>Returns the digest of all lines so far, in lower-case hexadecimal.</summary>
    public string Current() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <inheritdoc />
    public void Dispose() => _hash.Dispose();
}
