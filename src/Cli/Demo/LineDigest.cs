using System.Security.Cryptography;

namespace Massif.Cli.Demo;

/// <summary>SHA-256 over raw lines in order: equal when the same lines came out in the same order as went in.</summary>
/// <remarks>
/// Both sides leave out what a receiver of syslog may take off a frame without losing anything of the message: spaces or a
/// byte order mark before it, CR and NUL after it, and everything beyond the receiver's largest message.
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
        if (line.Length > lineBytesMax) line = line[..lineBytesMax];
        if (line.StartsWith("\uFEFF"u8)) line = line[3..];
        _hash.AppendData(line.TrimStart((byte)' ').TrimEnd("\r\0\n"u8));
        _hash.AppendData(End);
        Lines++;
    }

    /// <summary>Returns the digest of all lines so far, in lower-case hexadecimal.</summary>
    public string Current() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <inheritdoc />
    public void Dispose() => _hash.Dispose();
}
