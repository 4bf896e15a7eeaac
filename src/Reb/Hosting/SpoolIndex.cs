using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>Where the unreleased batches of a spool stand: 8 bytes each, because there are millions while the replicas are away.</summary>
/// <remarks>A stream that trickles makes 200 batches a second of one event each: 17 million in a day, in a spool of a few GiB.</remarks>
internal sealed class SpoolIndex
{
    /// <summary>Bytes of memory per batch.</summary>
    public const int BytesPerBatch = 2 * sizeof(int);

    private const int PageLength = 4096;

    private readonly List<(int Offset, int Bytes)[]> _pages = [];
    private readonly List<(ulong First, long File)> _files = []; // The first batch of each file, ascending.
    private ulong _base; // The seq of the first place of the first page.

    /// <summary>Gets the lowest seq; of an empty index the one that comes next.</summary>
    public ulong Oldest { get; private set; } = 1;

    /// <summary>Gets the seq behind the highest.</summary>
    public ulong Next { get; private set; } = 1;

    /// <summary>Gets whether there is no batch.</summary>
    public bool IsEmpty => Oldest == Next;

    /// <summary>Gets the file of the lowest seq.</summary>
    public long OldestFile => _files[0].File;

    /// <summary>Adds the next batch; the first one may have any seq.</summary>
    public void Add(ulong seq, RecordAddress address, int bytes)
    {
        if (IsEmpty) StartAt(seq);
        Invariant.Holds(seq == Next);
        var place = seq - _base;
        if (place == (ulong)_pages.Count * PageLength) _pages.Add(new (int, int)[PageLength]);
        _pages[(int)(place / PageLength)][place % PageLength] = (address.Offset, bytes);
        if (_files.Count == 0 || _files[^1].File != address.FileIndex) _files.Add((seq, address.FileIndex));
        Next = seq + 1;
    }

    /// <summary>Returns where a batch stands, and the length of its record.</summary>
    public (RecordAddress Address, int Bytes) this[ulong seq]
    {
        get
        {
            Invariant.Holds(seq >= Oldest && seq < Next);
            var (offset, bytes) = _pages[(int)((seq - _base) / PageLength)][(seq - _base) % PageLength];
            return (new(FileOf(seq), offset), bytes);
        }
    }

    /// <summary>Forgets the batches up to a seq.</summary>
    public void Release(ulong upTo)
    {
        if (upTo < Oldest) return;
        Oldest = Math.Min(upTo + 1, Next);
        var whole = (int)((Oldest - _base) / PageLength);
        if (whole > 0)
        {
            _pages.RemoveRange(0, Math.Min(whole, _pages.Count));
            _base += (ulong)whole * PageLength;
        }

        while (_files.Count > 1 && _files[1].First <= Oldest) _files.RemoveAt(0);
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => StartAt(1);

    private void StartAt(ulong seq)
    {
        _pages.Clear();
        _files.Clear();
        _base = Oldest = Next = seq;
    }

    private long FileOf(ulong seq)
    {
        var (low, high) = (0, _files.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_files[middle].First <= seq) low = middle;
            else high = middle - 1;
        }

        return _files[low].File;
    }
}
