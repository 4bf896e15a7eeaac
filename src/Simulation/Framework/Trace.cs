using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using Massif.Reb.Protocol;

namespace Massif.Simulation;

/// <summary>Everything that happened in a run, as a rolling SHA-256, and as lines of text when somebody wants to read them.</summary>
public sealed class Trace : IDisposable
{
    private const int EntryBytes = 40;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[EntryBytes * 128];
    private readonly VirtualTime _time;
    private readonly Action<string>? _lines;
    private int _used;

    /// <summary>Makes an empty trace.</summary>
    /// <param name="time">The world's time, which begins every entry.</param>
    /// <param name="lines">Takes each entry as text; null when nobody reads.</param>
    public Trace(VirtualTime time, Action<string>? lines = null)
    {
        _time = time;
        _lines = lines;
    }

    /// <summary>Gets whether somebody reads; a caller makes no text otherwise.</summary>
    public bool IsRead => _lines is not null;

    /// <summary>Gets the number of entries.</summary>
    public long Entries { get; private set; }

    /// <summary>Adds an entry to the hash.</summary>
    /// <param name="kind">What happened; the world's own numbering.</param>
    /// <param name="where">The node, or the two nodes of a link.</param>
    /// <param name="subject">What it was about, as 64 bits.</param>
    /// <param name="detail">More of it.</param>
    public void Add(int kind, int where, ulong subject, ulong detail)
    {
        if (_used + EntryBytes > _buffer.Length) Flush();
        var entry = _buffer.AsSpan(_used, EntryBytes);
        BinaryPrimitives.WriteInt64LittleEndian(entry, _time.Now);
        BinaryPrimitives.WriteInt32LittleEndian(entry[8..], kind);
        BinaryPrimitives.WriteInt32LittleEndian(entry[12..], where);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], subject);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], detail);
        BinaryPrimitives.WriteInt64LittleEndian(entry[32..], Entries);
        _used += EntryBytes;
        Entries++;
    }

    /// <summary>Gives a line to whoever reads; it does not change the hash.</summary>
    public void Say(string line) => _lines?.Invoke(
        string.Create(CultureInfo.InvariantCulture, $"{_time.Now / 1e6,10:F3} ms  {line}"));

    /// <summary>Returns the hash of everything so far.</summary>
    public Digest Hash()
    {
        Flush();
        Span<byte> hash = stackalloc byte[Digest.Length];
        _hash.GetCurrentHash(hash);
        return Digest.Read(hash);
    }

    /// <inheritdoc />
    public void Dispose() => _hash.Dispose();

    private void Flush()
    {
        _hash.AppendData(_buffer, 0, _used);
        _used = 0;
    }
}
