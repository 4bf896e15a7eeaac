using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>Where the journal holds what was delivered long ago: a page for each interval of seqs, with their digests and addresses (R11).</summary>
/// <remarks>
/// A page is a record of the journal, written when everything in it is durable. In memory stands only where the pages are, 40 bytes
/// each, so the journal is bounded by its limit and not by an index. The last pages that were read are kept: a peer that catches up
/// asks for what it was just told.
/// </remarks>
internal sealed class DeliveredPages(SegmentLog log, int interval)
{
    private const int Cached = 8;

    private readonly Dictionary<StreamLife, List<Page>> _lives = [];
    private readonly Queue<(RecordAddress Address, DeliveredBatch[] Batches)> _cache = [];
    private readonly Queue<(long Ticket, Page Page)> _unsynced = [];

    /// <summary>Returns the first seq of the page that a seq is in; pages end at the multiples of the interval.</summary>
    public ulong FirstOf(ulong seq) => seq - ((seq - 1) % (ulong)interval);

    /// <summary>Returns the last seq of the page that a seq is in.</summary>
    public ulong LastOf(ulong seq) => FirstOf(seq) + (ulong)interval - 1;

    public bool Has(StreamLife life, ulong seq) => Find(life, seq) is not null;

    /// <summary>
    /// Writes a page; what it has no address for was never here. Until the sync with this ticket is answered, only memory can be
    /// read. Returns the bytes that took.
    /// </summary>
    public int Write(StreamLife life, ulong first, DeliveredBatch[] batches, long ticket)
    {
        Invariant.Holds(batches.Length == interval && first == FirstOf(first) && !Has(life, first));
        var body = JournalRecords.Page(life, first, batches);
        var page = Add(life, first, batches, log.Append((byte)JournalKind.Page, body));
        page.Unsynced = batches;
        _unsynced.Enqueue((ticket, page));
        return body.Length + SegmentLog.RecordOverheadBytes;
    }

    public void OnSynced(long ticket)
    {
        while (_unsynced.TryPeek(out var first) && first.Ticket <= ticket) _unsynced.Dequeue().Page.Unsynced = null;
    }

    /// <summary>Adds a page that stands in the journal.</summary>
    public (StreamLife Life, ulong First) AddStored(ReadOnlySpan<byte> body, RecordAddress address)
    {
        var (life, first, batches) = JournalRecords.ReadPage(body);
        foreach (ref var batch in batches.AsSpan())
            if (batch.Address.FileIndex < log.OldestFile) batch = default; // Retention has dropped it.
        if (!Has(life, first)) Add(life, first, batches, address); // Else it was delivered once more, after damage.
        return (life, first);
    }

    /// <summary>Reads what is known of one delivered batch; false when it is not in a page, or its page cannot be read.</summary>
    public bool TryFind(StreamLife life, ulong seq, out DeliveredBatch batch)
    {
        batch = default;
        if (Find(life, seq) is not { } page || (page.Unsynced ?? Read(page.Address)) is not { } batches) return false;
        batch = batches[(int)(seq - page.First)];
        return batch.IsHere;
    }

    /// <summary>Returns how far down from a seq, which is not in a page itself, pages hold everything.</summary>
    public ulong HeldFrom(StreamLife life, ulong from)
    {
        while (from > 1 && Find(life, from - 1) is { } page)
        {
            from = Math.Min(from, page.HeldFrom);
            if (page.HeldFrom > page.First) break;
        }

        return from;
    }

    /// <summary>Forgets the pages of which something stood in the files up to one; adds the last seq of each life's last one.</summary>
    public void Forget(long fileIndex, Dictionary<StreamLife, ulong> lost)
    {
        foreach (var (life, pages) in _lives)
        {
            foreach (var page in pages)
                if (page.LowestFile <= fileIndex) lost[life] = Math.Max(lost.GetValueOrDefault(life), page.First + (ulong)interval - 1);
            pages.RemoveAll(page => page.LowestFile <= fileIndex);
            if (pages.Count == 0) _lives.Remove(life);
        }
    }

    private Page Add(StreamLife life, ulong first, ReadOnlySpan<DeliveredBatch> batches, RecordAddress address)
    {
        var heldFrom = first + (ulong)interval;
        while (heldFrom > first && batches[(int)(heldFrom - 1 - first)].IsHere) heldFrom--;
        var lowestFile = address.FileIndex;
        foreach (ref readonly var batch in batches)
            if (batch.IsHere) lowestFile = Math.Min(lowestFile, batch.Address.FileIndex);
        if (!_lives.TryGetValue(life, out var pages)) _lives.Add(life, pages = []);
        var page = new Page(first, heldFrom, lowestFile, address);
        var place = pages.Count;
        while (place > 0 && pages[place - 1].First > first) place--; // At the end, but for what damage had taken.
        pages.Insert(place, page);
        return page;
    }

    private Page? Find(StreamLife life, ulong seq)
    {
        if (!_lives.TryGetValue(life, out var pages)) return null;
        var (low, high, first) = (0, pages.Count - 1, FirstOf(seq));
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (pages[middle].First == first) return pages[middle];
            if (pages[middle].First < first) low = middle + 1;
            else high = middle - 1;
        }

        return null;
    }

    private DeliveredBatch[]? Read(RecordAddress address)
    {
        foreach (var cached in _cache)
            if (cached.Address == address) return cached.Batches;
        if (log.Read(address, out _, out var body) != LogReadResult.Read) return null;
        var batches = JournalRecords.ReadPage(body).Batches;
        if (_cache.Count == Cached) _cache.Dequeue();
        _cache.Enqueue((address, batches));
        return batches;
    }

    private sealed class Page(ulong first, ulong heldFrom, long lowestFile, RecordAddress address)
    {
        public ulong First => first;

        /// <summary>The lowest seq from which on it holds everything.</summary>
        public ulong HeldFrom => heldFrom;

        /// <summary>The oldest file that anything of it stands in.</summary>
        public long LowestFile => lowestFile;

        public RecordAddress Address => address;

        public DeliveredBatch[]? Unsynced { get; set; }
    }
}

/// <summary>What the journal knows of a delivered batch.</summary>
/// <param name="Digest">Digest of its header.</param>
/// <param name="Address">Where its header and payload stand; file 0 when it was never here.</param>
internal readonly record struct DeliveredBatch(Digest Digest, RecordAddress Address)
{
    public bool IsHere => Address.FileIndex != 0;
}
