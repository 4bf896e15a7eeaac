using Massif.Reb.Storage;
using Massif.Reb.Tests.Storage;

namespace Massif.Reb.Tests.Hosting;

/// <summary>A disk whose syncs are answered when the test says so; what no answer covers is lost in a crash, or in part.</summary>
internal sealed class HostDisk(MemoryDisk medium) : IDisk
{
    private readonly Queue<long> _asked = new();

    public HostDisk()
        : this(new MemoryDisk { ForbidsUnsyncedReads = true })
    {
    }

    public MemoryDisk Medium => medium;

    public int Asked => _asked.Count;

    /// <summary>Gets or sets whether no sync is answered.</summary>
    public bool IsStuck { get; set; }

    public IReadOnlyList<string> Files => medium.Files;

    public string? Trouble => medium.Trouble;

    public long FreeBytes => medium.FreeBytes;

    public long TotalBytes => medium.TotalBytes;

    public long LengthOf(string file) => medium.LengthOf(file);

    public int Read(string file, long offset, Span<byte> destination) => medium.Read(file, offset, destination);

    public void Append(string file, ReadOnlyMemory<byte> bytes) => medium.Append(file, bytes);

    public void Sync(long ticket) => _asked.Enqueue(ticket);

    public void Delete(string file) => medium.Delete(file);

    public void Truncate(string file, long length) => medium.Truncate(file, length);

    public void Replace(string file, ReadOnlySpan<byte> bytes) => medium.Replace(file, bytes);

    /// <summary>Makes everything durable and returns the last ticket asked for; null when there is none.</summary>
    public long? Answer()
    {
        if (_asked.Count == 0 || IsStuck) return null;
        medium.Sync(0);
        var last = _asked.Last();
        _asked.Clear();
        return last;
    }

    /// <summary>What a power cut leaves, ready for the next start.</summary>
    public HostDisk Crash(Random random) => Again(medium.Crash(random));

    /// <summary>The same bytes, all of them, as after a clean stop.</summary>
    public HostDisk Reopened()
    {
        medium.Sync(0);
        return Again(medium.Crash(new Random(0)));
    }

    private static HostDisk Again(MemoryDisk left)
    {
        left.ForbidsUnsyncedReads = true;
        return new(left);
    }
}
