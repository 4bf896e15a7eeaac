using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>
/// Where the journal holds what was delivered long ago: a page for each interval of seqs, with
/// their digests and addresses (R11).
/// </summary>
/// <remarks>
/// A page is a record of the journal, written when everything in it is durable. In memory stands only where the pages
/// are, so the journal is bounded by its limit and not by an index. The last pages that were read are kept: a peer that catches up
/// asks for what it was just told.
/// </remarks>
internal sealed class DeliveredPages(SegmentLog log, int interval)
{
    private const int Cached = 8;

    private const long NoFile = long.MaxValue;

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
    public void AddStored(StreamLife life, ulong first, DeliveredBatch[] batches, RecordAddress address)
    {
        Invariant.Holds(batches.Length == interval && first == FirstOf(first) && !Has(life, first));
        Add(life, first, batches, address);
    }

    /// <summary>Returns whether what a page says of a batch is true: it was here, and retention has not dropped its file.</summary>
    public bool IsHere(in DeliveredBatch batch) => batch.Address.FileIndex != 0 && batch.Address.FileIndex >= log.OldestFile;

    /// <summary>Reads what is known of one delivered batch; false when it is not in a page, or its page cannot be read.</summary>
    public bool TryFind(StreamLife life, ulong seq, out DeliveredBatch batch)
    {
        batch = default;
        if (Find(life, seq) is not { } page || (page.Unsynced ?? Read(page.Address)) is not { } batches) return false;
        batch = batches[(int)(seq - page.First)];
        return IsHere(batch);
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

    /// <summary>
    /// Forgets what stood in the files up to one; adds the highest seq that each life lost. Of a page that reaches into later files, as
    /// that of a slow stream does, the rest stays.
    /// </summary>
    public void Forget(long fileIndex, Dictionary<StreamLife, ulong> lost)
    {
        foreach (var (life, pages) in _lives)
        {
            foreach (var page in pages)
            {
                if (page.LowestFile > fileIndex) continue;
                Measure(page, page.Address.FileIndex > fileIndex ? page.Unsynced ?? Read(page.Address) ?? [] : []);
                lost[life] = Math.Max(lost.GetValueOrDefault(life), page.HeldFrom - 1);
            }

            pages.RemoveAll(page => page.LowestFile == NoFile);
            if (pages.Count == 0) _lives.Remove(life);
        }
    }

    private Page Add(StreamLife life, ulong first, DeliveredBatch[] batches, RecordAddress address)
    {
        if (!_lives.TryGetValue(life, out var pages)) _lives.Add(life, pages = []);
        var page = new Page(first, address);
        Measure(page, batches);
        var place = pages.Count;
        while (place > 0 && pages[place - 1].First > first) place--; // At the end, but for what damage had taken.
        pages.Insert(place, page);
        return page;
    }

    /// <summary>Finds out what of a page the journal still holds.</summary>
    private void Measure(Page page, DeliveredBatch[] batches)
    {
        (page.HeldFrom, page.LowestFile) = (page.First + (ulong)interval, NoFile);
        for (var i = batches.Length - 1; i >= 0; i--)
        {
            if (!IsHere(batches[i])) continue;
            page.LowestFile = Math.Min(page.LowestFile, batches[i].Address.FileIndex);
            if (page.HeldFrom == page.First + (ulong)i + 1) page.HeldFrom--;
        }
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

    private sealed class Page(ulong first, RecordAddress address)
    {
        public ulong First => first;

        /// <summary>Gets or sets the lowest seq from which on it holds everything; the one behind it when its last is not here.</summary>
        public ulong HeldFrom { get; set; }

        /// <summary>Gets or sets the oldest file that a batch of it stands in; its own is not older.</summary>
        public long LowestFile { get; set; }

        public RecordAddress Address => address;

        public DeliveredBatch[]? Unsynced { get; set; }
    }
}

/// <summary>What the journal knows of a delivered batch.</summary>
/// <param name="Digest">Digest of its header.</param>
/// <param name="Address">Where its header and payload stand; file 0 when it was never here.</param>
internal readonly record struct DeliveredBatch(Digest Digest, RecordAddress Address);
