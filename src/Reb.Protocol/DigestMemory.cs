namespace Massif.Reb.Protocol;

/// <summary>Consecutive decided digests of one life, with the lengths of their payloads.</summary>
internal sealed class DigestPage
{
    public const int Size = 16;

    public readonly Digest[] Digests = new Digest[Size];
    public readonly int[] Lengths = new int[Size];

    /// <summary>The life that the page belongs to.</summary>
    public DigestMemory? Owner;
}

/// <summary>The decided digests of one life that are in memory (R11): a run of pages that ends at the last delivery.</summary>
/// <remarks>What is older stands in the journal, down to where retention has dropped it.</remarks>
internal sealed class DigestMemory
{
    private readonly List<DigestPage> _pages = [];
    private ulong _next;

    /// <summary>Makes a memory whose first entry will be <paramref name="first"/>.</summary>
    public DigestMemory(ulong first) => (Floor, _next) = (first, first);

    /// <summary>Gets the lowest seq remembered; what is below is forgotten.</summary>
    public ulong Floor { get; private set; }

    /// <summary>Adds the digest of the next seq; takes a page from <paramref name="budget"/> when the last one is full.</summary>
    public void Add(ulong seq, in Digest digest, int length, DigestBudget budget)
    {
        Invariant.Holds(seq == _next);
        if (_pages.Count == 0 || PageOf(seq) == PageOf(Floor) + (ulong)_pages.Count) _pages.Add(budget.Take(this));
        var page = _pages[^1];
        page.Digests[Slot(seq)] = digest;
        page.Lengths[Slot(seq)] = length;
        _next = seq + 1;
    }

    /// <summary>Returns the digest of a seq, if it is remembered.</summary>
    public bool TryGet(ulong seq, out Digest digest, out int length)
    {
        (digest, length) = (default, 0);
        if (seq < Floor || seq >= _next) return false;
        var page = _pages[(int)(PageOf(seq) - PageOf(Floor))];
        (digest, length) = (page.Digests[Slot(seq)], page.Lengths[Slot(seq)]);
        return true;
    }

    /// <summary>Forgets the oldest page and what it held.</summary>
    public void DropOldest()
    {
        _pages.RemoveAt(0);
        Floor = _pages.Count == 0 ? _next : (PageOf(Floor) + 1) * DigestPage.Size;
    }

    /// <summary>Forgets everything: the pages are the budget's again when it needs them.</summary>
    public void GiveUp()
    {
        foreach (var page in _pages) page.Owner = null;
        _pages.Clear();
    }

    private static ulong PageOf(ulong seq) => seq / DigestPage.Size;

    private static int Slot(ulong seq) => (int)(seq % DigestPage.Size);
}

/// <summary>The pages of one stream, shared by its lives: the oldest is given up for a new one (R11).</summary>
internal sealed class DigestBudget(int seqs)
{
    private readonly Queue<DigestPage> _inUse = [];
    private readonly int _limit = (seqs / DigestPage.Size) + 1; // One more: the first and the last page are partly used.

    /// <summary>Gets how many digests the pages in use have room for.</summary>
    public long Capacity => (long)_inUse.Count * DigestPage.Size;

    /// <summary>Returns an empty page for a life.</summary>
    public DigestPage Take(DigestMemory owner)
    {
        var page = _inUse.Count < _limit ? new DigestPage() : _inUse.Dequeue();
        page.Owner?.DropOldest();
        page.Owner = owner;
        _inUse.Enqueue(page);
        return page;
    }
}
