using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

/// <summary>
/// A disk in memory that can crash: what no sync answered for is lost from some point on, torn, or garbage. It keeps the
/// promises of <see cref="IDisk"/> about the making and deleting of files, and no others.
/// </summary>
internal sealed class MemoryDisk : IDisk
{
    private readonly SortedDictionary<string, List<byte>> _live = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, List<byte>> _durable = new(StringComparer.Ordinal);
    private readonly List<(string File, byte[]? Appended)> _pending = [];

    /// <summary>Gets every piece that was appended, as it was handed in.</summary>
    public List<ReadOnlyMemory<byte>> Pieces { get; } = [];

    public IReadOnlyList<string> Files => [.. _live.Keys];

    public string? Trouble { get; set; }

    public long FreeBytes { get; set; } = long.MaxValue;

    public long TotalBytes { get; set; } = long.MaxValue;

    /// <summary>Gets or sets whether reading what no sync has answered for fails the test, as IDisk forbids it.</summary>
    public bool ForbidsUnsyncedReads { get; set; }

    public long LengthOf(string file) => _live.TryGetValue(file, out var bytes) ? bytes.Count : 0;

    public int Read(string file, long offset, Span<byte> destination)
    {
        if (!_live.TryGetValue(file, out var bytes) || offset >= bytes.Count) return 0;
        // At most 1,000 bytes at once: a reader must go on where a short read ended.
        var count = Math.Min(Math.Min(destination.Length, 1000), bytes.Count - (int)offset);
        if (ForbidsUnsyncedReads) Assert.True(offset + count <= _durable.GetValueOrDefault(file)?.Count, "What is not synced was read.");
        System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes).Slice((int)offset, count).CopyTo(destination);
        return count;
    }

    /// <summary>Gets how many bytes were ever appended.</summary>
    public long AppendedBytes { get; private set; }

    public void Append(string file, ReadOnlyMemory<byte> bytes)
    {
        AppendedBytes += bytes.Length;
        Pieces.Add(bytes);
        _pending.Add((file, bytes.ToArray()));
        Apply(_live, _pending[^1]);
    }

    public void Sync(long ticket)
    {
        foreach (var request in _pending) Apply(_durable, request);
        _pending.Clear();
    }

    public void Delete(string file)
    {
        _pending.Add((file, null));
        Apply(_live, _pending[^1]);
    }

    public void Truncate(string file, long length)
    {
        Sync(0);
        foreach (var files in new[] { _live, _durable }) files[file].RemoveRange((int)length, files[file].Count - (int)length);
    }

    public void Replace(string file, ReadOnlySpan<byte> bytes)
    {
        Sync(0);
        _live[file] = [.. bytes];
        _durable[file] = [.. bytes];
    }

    /// <summary>Changes one byte on the medium.</summary>
    public void Flip(string file, int offset)
    {
        Sync(0);
        _live[file][offset] ^= 0x40;
        _durable[file][offset] ^= 0x40;
    }

    public byte[] Content(string file) => [.. _live[file]];

    /// <summary>Returns what is left after a power cut at a moment that the generator chooses.</summary>
    public MemoryDisk Crash(Random random)
    {
        var left = new MemoryDisk();
        foreach (var (file, bytes) in _durable) left._durable[file] = [.. bytes];

        // The requests up to some point reached the disk; those since the last barrier before that point only in part.
        var reached = random.Next(_pending.Count + 1);
        var whole = 0;
        for (var i = 0; i < reached; i++)
        {
            var isBarrier = _pending[i].Appended is null || !ExistsBefore(i);
            if (!isBarrier) continue;
            for (; whole < i; whole++) Apply(left._durable, _pending[whole]);
        }

        var before = left._durable.ToDictionary(entry => entry.Key, entry => entry.Value.Count);
        for (var i = whole; i < reached; i++) Apply(left._durable, _pending[i]);
        foreach (var (file, bytes) in left._durable) Tear(bytes, before.GetValueOrDefault(file), random);
        foreach (var (file, bytes) in left._durable) left._live[file] = [.. bytes];
        return left;
    }

    private bool ExistsBefore(int request)
    {
        var file = _pending[request].File;
        var exists = _durable.ContainsKey(file);
        for (var i = 0; i < request; i++)
        {
            if (_pending[i].File == file) exists = _pending[i].Appended is not null;
        }

        return exists;
    }

    /// <summary>Keeps a part of the bytes after a place, and sometimes other bytes instead of their end.</summary>
    private static void Tear(List<byte> bytes, int safe, Random random)
    {
        if (bytes.Count == safe) return;
        var kept = random.Next(safe, bytes.Count + 1);
        bytes.RemoveRange(kept, bytes.Count - kept);
        if (kept == safe || random.Next(3) != 0) return;
        var garbageFrom = random.Next(safe, kept);
        var zeros = random.Next(2) == 0; // A file system may show a new block before its content has arrived.
        for (var i = garbageFrom; i < kept; i++) bytes[i] = zeros ? (byte)0 : (byte)random.Next(256);
    }

    private static void Apply(SortedDictionary<string, List<byte>> files, (string File, byte[]? Appended) request)
    {
        if (request.Appended is null)
        {
            files.Remove(request.File);
            return;
        }

        if (!files.TryGetValue(request.File, out var bytes)) files.Add(request.File, bytes = []);
        bytes.AddRange(request.Appended);
    }
}
