using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>Where the payloads of batches are: in memory until they are durable and delivered, then in the log.</summary>
/// <remarks>
/// A source that equivocates makes a replica hold two payloads of one instance, so a payload is asked for by its digest; what is
/// delivered leaves one. Addresses are in memory until a page of the journal holds them, so of each life for one interval and what
/// is not delivered durably; past the payload memory durable payloads go early.
/// </remarks>
internal sealed class PayloadStore(SegmentLog log, int interval, long memoryBytesMax)
{
    /// <summary>Most bytes of pages for one sync, and at most a page more: 1 MiB. A journal may have to write all of them again.</summary>
    private const int PagesBytesMax = 1024 * 1024;

    private readonly Dictionary<StreamLife, Dictionary<ulong, Entry>> _lives = [];
    private readonly DeliveredPages _pages = new(log, interval);
    private readonly Queue<(StreamLife Life, ulong Last)> _full = new();
    private readonly Queue<Entry> _held = new();
    private long _heldBytes;
    private long _synced;
    private (InstanceId Instance, Digest Digest, ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Payload)? _input;

    /// <summary>Gets how many bytes of payloads are in memory.</summary>
    public long HeldBytes => _heldBytes;

    public void HoldInput(in InstanceId instance, in Digest digest, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload) =>
        _input = (instance, digest, header, payload);

    public void ForgetInput() => _input = null;

    public (ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Payload) TakeInput(in InstanceId instance, in Digest digest)
    {
        Invariant.Holds(_input is { } held && held.Instance == instance && held.Digest == digest);
        return (_input.Value.Header, _input.Value.Payload);
    }

    /// <summary>Adds a payload that was appended, or appended once more at a new place; in memory until its ticket is answered.</summary>
    public void Add(
        in InstanceId instance, in Digest digest, RecordAddress address,
        ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload, long ticket)
    {
        var entry = new Entry(digest, address, ticket) { Header = header, Payload = payload };
        Put(instance, entry);
        _held.Enqueue(entry);
        _heldBytes += entry.Bytes;
    }

    /// <summary>Adds what a scan of the log found.</summary>
    public void AddStored(in InstanceId instance, in Digest digest, RecordAddress address) =>
        Put(instance, new(digest, address, ticket: 0));

    public bool TryGetHeld(in InstanceId instance, in Digest digest, out ReadOnlyMemory<byte> payload)
    {
        payload = default;
        if (Find(instance, digest) is not { Bytes: > 0 } entry) return false;
        payload = entry.Payload;
        return true;
    }

    /// <summary>Adds a page that a scan of the log found, and lets go of the addresses in it.</summary>
    /// <remarks>
    /// Pages of another interval are not taken, nor those that name what the scan did not find there, because it is damaged: what is in
    /// them is known from the scan itself, and is written into a page again.
    /// </remarks>
    public void AddStoredPage(ReadOnlySpan<byte> body, RecordAddress address)
    {
        var (life, first, batches) = JournalRecords.ReadPage(body);
        if (batches.Length != interval || first != _pages.FirstOf(first) || !_lives.TryGetValue(life, out var entries)) return;
        if (!_pages.Has(life, first))
        {
            if (!WereFound(entries, first, batches)) return;
            _pages.AddStored(life, first, batches, address);
        }

        ForgetPage(entries, first);
    }

    /// <summary>A batch is delivered durably: when it is the last of its page, the page can be written.</summary>
    public void OnDelivered(StreamLife life, ulong seq)
    {
        if (seq == _pages.LastOf(seq)) _full.Enqueue((life, seq));
    }

    /// <summary>A life was read back up to a seq: the pages that a crash took can be written again.</summary>
    public void OnRestored(StreamLife life, ulong delivered)
    {
        if (!_lives.TryGetValue(life, out var entries)) return;
        foreach (var last in entries.Keys.Select(_pages.LastOf).Where(last => last <= delivered).Distinct().Order())
            _full.Enqueue((life, last));
    }

    /// <summary>
    /// Writes pages that are full and whose payloads are durable where they stand now; the sync with this ticket makes them durable
    /// themselves. Returns the bytes that took; where it is not 0 there may be more to write after that sync.
    /// </summary>
    public int WritePages(long ticket)
    {
        var bytes = 0;
        for (var left = _full.Count; left > 0 && bytes < PagesBytesMax; left--)
        {
            var (life, last) = _full.Dequeue();
            if (!_lives.TryGetValue(life, out var entries)) continue;
            if (IsDurable(entries, last)) bytes += WritePage(life, entries, last, ticket);
            else _full.Enqueue((life, last)); // A snapshot has moved some of it.
        }

        LetGo();
        return bytes;
    }

    public bool TryGetAddress(in InstanceId instance, in Digest digest, out RecordAddress address)
    {
        address = default;
        if (Find(instance, digest) is { } entry) address = entry.Address;
        else if (_pages.TryFind(instance.Life, instance.Seq, out var batch) && batch.Digest == digest) address = batch.Address;
        return address != default;
    }

    /// <summary>Returns whether a payload of the instance is stored, whatever its digest.</summary>
    public bool Knows(in InstanceId instance) => TryGetDigest(instance.Life, instance.Seq, out _);

    /// <summary>Returns the digest of a delivered batch.</summary>
    public bool TryGetDigest(StreamLife life, ulong seq, out Digest digest)
    {
        digest = default;
        if (First(life, seq) is { } entry) digest = entry.Digest;
        else if (_pages.TryFind(life, seq, out var batch)) digest = batch.Digest;
        else return false;
        return true;
    }

    /// <summary>Reads the payload of an instance that has this digest.</summary>
    public bool TryRead(in InstanceId instance, in Digest digest, out StoredBatch batch)
    {
        if (Find(instance, digest) is { Bytes: > 0 } entry)
        {
            batch = new(entry.Header, entry.Payload);
            return true;
        }

        batch = default;
        return TryGetAddress(instance, digest, out var address) && TryRead(address, out batch);
    }

    /// <summary>Reads a delivered payload.</summary>
    public bool TryRead(StreamLife life, ulong seq, out StoredBatch batch)
    {
        batch = default;
        return TryGetDigest(life, seq, out var digest) && TryRead(new InstanceId(0, life.Stream, life.Incarnation, seq), digest, out batch);
    }

    /// <summary>An instance is delivered with this digest: what else a source claimed for it is of no use any more.</summary>
    public void KeepOnly(in InstanceId instance, in Digest digest)
    {
        if (First(instance.Life, instance.Seq) is not { } first || (first.Other is null && first.Digest == digest)) return;
        var delivered = Find(instance, digest);
        for (var entry = first; entry is not null; entry = entry.Other) entry.IsDone |= entry != delivered;
        if (delivered is null)
        {
            _lives[instance.Life].Remove(instance.Seq); // Damage took what was delivered: the other must not be taken for it.
        }
        else
        {
            delivered.Other = null;
            _lives[instance.Life][instance.Seq] = delivered;
        }

        LetGo();
    }

    public void Drop(in InstanceId instance)
    {
        if (First(instance.Life, instance.Seq) is not { } entry) return;
        entry.IsDone = true;
        LetGo();
    }

    /// <summary>A life went past a gap by a checkpoint: what is held in it was not decided here, and is nobody's batch.</summary>
    public void RemoveGap(StreamLife life, ulong delivered, ulong seq)
    {
        if (!_lives.TryGetValue(life, out var entries)) return;
        foreach (var held in entries.Keys.Where(held => held > delivered && held <= seq).ToList()) Remove(entries, held);
        LetGo();
    }

    public void OnSynced(long ticket)
    {
        _synced = ticket;
        _pages.OnSynced(ticket);
        LetGo();
    }

    /// <summary>
    /// Returns the lowest seq of a life from which on everything up to what is delivered is stored; the next seq when nothing is.
    /// What is stored above says nothing: a seq below it may still come.
    /// </summary>
    public ulong HeldFrom(StreamLife life, ulong delivered)
    {
        var entries = _lives.GetValueOrDefault(life) ?? [];
        for (var from = delivered + 1; ;)
        {
            var to = from;
            while (from > 1 && entries.ContainsKey(from - 1)) from--; // A page in between may be damaged, or of another interval.
            from = _pages.HeldFrom(life, from);
            if (from == to) return from;
        }
    }

    /// <summary>Forgets what stood in the files up to one; returns per life that lost something the highest seq that it lost.</summary>
    public Dictionary<StreamLife, ulong> Forget(long fileIndex)
    {
        var lost = new Dictionary<StreamLife, ulong>();
        _pages.Forget(fileIndex, lost);
        foreach (var (life, entries) in _lives)
        {
            ulong highest = 0;
            foreach (var (seq, first) in entries)
            {
                // Of two payloads the later is the one that was decided, or both are undecided and were moved along.
                if (first.Address.FileIndex > fileIndex || first.Other?.Address.FileIndex > fileIndex) continue;
                highest = Math.Max(highest, seq);
                Remove(entries, seq);
            }

            if (highest > 0) lost[life] = Math.Max(lost.GetValueOrDefault(life), highest);
            if (entries.Count == 0) _lives.Remove(life);
        }

        return lost;
    }

    private bool TryRead(RecordAddress address, out StoredBatch batch)
    {
        batch = default;
        if (log.Read(address, out _, out var body) != LogReadResult.Read || body.Length <= BatchHeader.Length) return false;
        batch = new(body.AsMemory(0, BatchHeader.Length), body.AsMemory(BatchHeader.Length));
        return true;
    }

    /// <summary>Frees the memory of what is durable and delivered, in the order of arrival; over the budget of what is durable.</summary>
    private void LetGo()
    {
        while (_held.TryPeek(out var first) && first.Ticket <= _synced && (first.IsDone || _heldBytes > memoryBytesMax))
        {
            _held.Dequeue();
            _heldBytes -= first.Bytes;
            (first.Header, first.Payload) = (default, default);
        }
    }

    private Entry? First(StreamLife life, ulong seq) =>
        _lives.TryGetValue(life, out var entries) && entries.TryGetValue(seq, out var entry) ? entry : null;

    private Entry? Find(in InstanceId instance, in Digest digest)
    {
        var entry = First(instance.Life, instance.Seq);
        while (entry is not null && entry.Digest != digest) entry = entry.Other;
        return entry;
    }

    private void Put(in InstanceId instance, Entry entry)
    {
        if (!_lives.TryGetValue(instance.Life, out var entries)) _lives.Add(instance.Life, entries = []);
        if (entries.TryGetValue(instance.Seq, out var first)) entry.Other = Without(first, entry.Digest);
        entries[instance.Seq] = entry;
    }

    private bool IsDurable(Dictionary<ulong, Entry> entries, ulong last)
    {
        for (var seq = _pages.FirstOf(last); seq <= last; seq++)
            if (entries.TryGetValue(seq, out var entry) && entry.Ticket > _synced) return false;
        return true;
    }

    private bool WereFound(Dictionary<ulong, Entry> entries, ulong first, DeliveredBatch[] batches)
    {
        for (var i = 0; i < batches.Length; i++)
        {
            if (!_pages.IsHere(batches[i])) continue;
            var entry = entries.GetValueOrDefault(first + (ulong)i);
            while (entry is not null && entry.Address != batches[i].Address) entry = entry.Other;
            if (entry?.Digest != batches[i].Digest) return false;
        }

        return true;
    }

    /// <summary>Writes a page, once; its addresses need not be in memory any more.</summary>
    private int WritePage(StreamLife life, Dictionary<ulong, Entry> entries, ulong last, long ticket)
    {
        var (first, bytes) = (_pages.FirstOf(last), 0);
        if (!_pages.Has(life, last))
        {
            var page = new DeliveredBatch[interval];
            for (var i = 0; i < page.Length; i++)
                if (entries.TryGetValue(first + (ulong)i, out var entry)) page[i] = new(entry.Digest, entry.Address);
            bytes = _pages.Write(life, first, page, ticket);
        }

        ForgetPage(entries, first);
        return bytes;
    }

    private void ForgetPage(Dictionary<ulong, Entry> entries, ulong first)
    {
        for (var i = 0; i < interval; i++) Remove(entries, first + (ulong)i);
    }

    /// <summary>Returns the payloads of an instance but the one with that digest, whose place is taken.</summary>
    private static Entry? Without(Entry first, in Digest digest)
    {
        if (first.Digest == digest)
        {
            first.IsDone = true;
            return first.Other;
        }

        if (first.Other is { } other) first.Other = Without(other, digest);
        return first;
    }

    private static void Remove(Dictionary<ulong, Entry> entries, ulong seq)
    {
        if (!entries.Remove(seq, out var first)) return;
        for (var entry = first; entry is not null; entry = entry.Other) entry.IsDone = true;
    }

    private sealed class Entry(Digest digest, RecordAddress address, long ticket)
    {
        public Digest Digest => digest;

        public RecordAddress Address => address;

        public long Ticket => ticket;

        /// <summary>Gets or sets another payload that the source claimed for the same instance.</summary>
        public Entry? Other { get; set; }

        /// <summary>Gets or sets whether memory need not keep it: delivered, moved, or of no use.</summary>
        public bool IsDone { get; set; }

        public ReadOnlyMemory<byte> Header { get; set; }

        public ReadOnlyMemory<byte> Payload { get; set; }

        public int Bytes => Header.Length + Payload.Length;
    }
}
