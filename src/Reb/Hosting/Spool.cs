using System.Buffers.Binary;
using System.Globalization;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>The durable spool of one stream: INITIALs as they leave, from their sync until their release (R0, Release).</summary>
/// <remarks>
/// Its incarnation is in the name of its files and changes only when the spool is lost or damaged; a damaged one is left where
/// it is, for people, and counted. Unreleased batches are in memory up to <see cref="MemoryBytesMax"/>, the rest is read back.
/// </remarks>
internal sealed class Spool
{
    /// <summary>Most bytes of durable batches kept in memory: 8 MiB, more than is under way to a replica.</summary>
    public const long MemoryBytesMax = 8 * 1024 * 1024;

    private const byte BatchRecord = 1;

    // What was reached when a file begins: a spool whose batches are all released must not give a seq out twice.
    private const byte ReachedRecord = 2;
    private const int ReachedLength = 16;
    /// <summary>Most bytes appended and not yet durable before the spool counts as full: 16 MiB.</summary>
    public const long UnsyncedBytesMax = 16 * 1024 * 1024;

    private const string Prefix = "spool_";

    private readonly IDisk _disk;
    private readonly SegmentLog _log;
    private readonly SpoolLimits _limits;
    private readonly SpoolIndex _index = new();
    private readonly Dictionary<ulong, ReadOnlyMemory<byte>> _messages = [];
    private readonly Queue<(ulong Seq, long Ticket, int Bytes)> _inMemory = new();
    private readonly Queue<(long Ticket, ulong Seq, long Bytes)> _tickets = new();
    private readonly Counters.Counter _bytes;
    private long _memoryBytes;
    private long _unsyncedBytes;
    private long _turnBytes;
    private long _syncedTicket;
    private bool _newestHasBatches;
    private bool _hasHole;

    /// <summary>Opens the newest incarnation above a given one when it is undamaged and had a batch, or makes one.</summary>
    public Spool(IDisk disk, string stream, SpoolLimits limits, IncarnationChoice choice, Counters counters)
    {
        (_disk, _limits, LastTicket) = (disk, limits, choice.AfterTicket);
        _bytes = counters.Of($"massif_spool_bytes{{stream=\"{stream}\"}}");
        var segmentBytes = (int)Math.Clamp(limits.Bytes / 16, 64 * 1024, SegmentLog.SegmentBytesDefault / 4);
        var highest = Incarnation = NewestIncarnation(disk, stream);
        while (Incarnation > choice.Above)
        {
            _log = SegmentLog.Open(disk, NameOf(stream, Incarnation), segmentBytes);
            _log.Scan(Index);
            if (_log.Damage.Count == 0 && !_hasHole && Newest > 0) return;
            if (_log.Damage.Count > 0 || _hasHole)
            {
                counters.Of($"massif_spool_damaged_total{{stream=\"{stream}\"}}").Add();
                Damage = _log.Damage.Count > 0 ? _log.Damage[0].Reason : "a batch is missing in the middle";
                break;
            }

            // Without a batch it is new, or an old copy of which the replicas may know more: nobody can tell (R0). Or a crash came
            // between its making and the batches that were to move into it: they are in the one before.
            foreach (var file in disk.Files.Where(file => file.StartsWith(NameOf(stream, Incarnation), StringComparison.Ordinal)).ToList())
                disk.Delete(file);
            Incarnation = NewestIncarnation(disk, stream);
        }

        Forget();
        Incarnation = Math.Max(choice.New, highest + 1);
        _log = SegmentLog.Open(disk, NameOf(stream, Incarnation), segmentBytes);
        _log.Roll(WriteReached); // The file is the proof that this incarnation exists, before the first batch.
        _turnBytes = 1;
        EndTurn();
    }

    /// <summary>Gets the incarnation: nanoseconds since 1970 UTC at its making, or one more than the one before.</summary>
    public ulong Incarnation { get; }

    /// <summary>Gets what is wrong with the incarnation before this one; null when nothing is.</summary>
    public string? Damage { get; }

    /// <summary>Gets the lowest seq held; one above <see cref="Newest"/> when none is.</summary>
    public ulong Oldest => _index.IsEmpty ? Newest + 1 : _index.Oldest;

    /// <summary>Gets the highest seq appended; 0 when none was.</summary>
    public ulong Newest { get; private set; }

    /// <summary>Gets the wall clock in the header of the newest batch, nanoseconds since 1970 UTC.</summary>
    public long LastWallNanoseconds { get; private set; }

    /// <summary>Gets the last ticket given to the disk.</summary>
    public long LastTicket { get; private set; }

    /// <summary>Gets the size of the files in bytes.</summary>
    public long Bytes => _log.TotalBytes;

    /// <summary>Gets how many bytes of batches are in memory.</summary>
    public long MemoryBytes => _memoryBytes;

    /// <summary>Gets whether nothing more may be appended for now; as of the end of the last turn.</summary>
    public bool IsFull { get; private set; }

    /// <summary>Appends the INITIAL of the next batch.</summary>
    public void Append(ulong seq, byte[] initial, long wallNanoseconds)
    {
        Invariant.Holds(seq == Newest + 1);
        if (_log.NeedsRoll) _log.Roll(WriteReached);
        Remember(seq, _log.Append(BatchRecord, initial), initial.Length, wallNanoseconds);
        _messages.Add(seq, initial);
        _inMemory.Enqueue((seq, LastTicket + 1, initial.Length));
        _memoryBytes += initial.Length;
        _turnBytes += initial.Length;
    }

    /// <summary>Asks for one sync of what was appended.</summary>
    public void EndTurn()
    {
        _bytes.Value = _log.TotalBytes;
        IsFull = _log.TotalBytes >= _limits.Bytes
            || _unsyncedBytes + _turnBytes > UnsyncedBytesMax
            || _disk.Trouble is not null
            || _disk.FreeBytes < _disk.TotalBytes / 100 * _limits.StopAtFreePercent;
        if (IsFull) EmptyLastFile();
        if (_turnBytes == 0) return;
        _disk.Sync(++LastTicket);
        _tickets.Enqueue((LastTicket, Newest, _turnBytes));
        _unsyncedBytes += _turnBytes;
        _turnBytes = 0;
    }

    /// <summary>Everything up to a ticket is durable; returns the highest durable seq.</summary>
    public ulong OnSynced(long ticket)
    {
        ulong newest = 0;
        while (_tickets.TryPeek(out var first) && first.Ticket <= ticket)
        {
            newest = first.Seq;
            _unsyncedBytes -= first.Bytes;
            _tickets.Dequeue();
        }

        _syncedTicket = Math.Max(_syncedTicket, ticket);
        TrimMemory();
        return newest;
    }

    /// <summary>Returns the INITIAL of a batch that is held.</summary>
    public ReadOnlyMemory<byte> Read(ulong seq)
    {
        if (_messages.TryGetValue(seq, out var message)) return message;
        var result = _log.Read(_index[seq].Address, out _, out var body);
        if (result == LogReadResult.Damaged) throw DiskFailedException.Changed(_log.Damage[^1]); // What is lost cannot be sent.
        Invariant.Holds(result == LogReadResult.Read);
        return body;
    }

    /// <summary>Returns the length of the INITIAL of a batch that is held, in bytes.</summary>
    public int BytesOf(ulong seq) => _index[seq].Bytes;

    /// <summary>Forgets the batches up to a seq; files go when all their batches are released.</summary>
    public void Release(ulong upTo)
    {
        _index.Release(upTo);
        TrimMemory();
        _log.DropBefore(_index.IsEmpty ? _log.NewestFile : _index.OldestFile);
        _bytes.Value = _log.TotalBytes;
    }

    /// <summary>
    /// Files go when all their batches are released, but never the newest: on a small file system a full one that nobody
    /// needs any more would keep the spool full for ever.
    /// </summary>
    private void EmptyLastFile()
    {
        if (!_index.IsEmpty || !_newestHasBatches) return;
        _log.Roll(WriteReached);
        _log.DropBefore(_log.NewestFile);
        _newestHasBatches = false;
        _turnBytes += ReachedLength;
    }

    private static string NameOf(string stream, ulong incarnation) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{stream}_{incarnation:x16}");

    private static ulong NewestIncarnation(IDisk disk, string stream)
    {
        var prefix = $"{Prefix}{stream}_";
        ulong newest = 0;
        foreach (var file in disk.Files)
        {
            if (file.Length < prefix.Length + 16 || !file.StartsWith(prefix, StringComparison.Ordinal)) continue;
            var digits = file.AsSpan(prefix.Length, 16);
            if (ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var incarnation))
                newest = Math.Max(newest, incarnation);
        }

        return newest;
    }

    private void Index(RecordAddress address, byte kind, ReadOnlySpan<byte> body)
    {
        if (kind == ReachedRecord && body.Length == ReachedLength)
        {
            Newest = Math.Max(Newest, BinaryPrimitives.ReadUInt64LittleEndian(body));
            LastWallNanoseconds = Math.Max(LastWallNanoseconds, BinaryPrimitives.ReadInt64LittleEndian(body[8..]));
            return;
        }

        if (kind != BatchRecord || !InitialMessage.TryRead(body, out var message))
            throw new StorageFormatException($"The spool has a record at {address} that this version cannot read.");
        var seq = message.Header.Instance.Seq;
        if (!_index.IsEmpty && seq != _index.Next)
        {
            _hasHole = true; // The scan has found damage, or will: what is left is for people.
            _index.Clear();
        }

        Remember(seq, address, body.Length, message.Header.WallNanoseconds);
    }

    private void WriteReached(SegmentLog log)
    {
        var body = new byte[ReachedLength];
        BinaryPrimitives.WriteUInt64LittleEndian(body, Newest);
        BinaryPrimitives.WriteInt64LittleEndian(body.AsSpan(8), LastWallNanoseconds);
        log.Append(ReachedRecord, body);
    }

    private void Remember(ulong seq, RecordAddress address, int bytes, long wallNanoseconds)
    {
        _index.Add(seq, address, bytes);
        Newest = seq;
        _newestHasBatches = true;
        LastWallNanoseconds = Math.Max(LastWallNanoseconds, wallNanoseconds);
    }

    private void Forget()
    {
        _index.Clear();
        Newest = 0;
    }

    private void TrimMemory()
    {
        while (_inMemory.TryPeek(out var first)
            && first.Ticket <= _syncedTicket
            && (first.Seq < Oldest || _memoryBytes > MemoryBytesMax))
        {
            _inMemory.Dequeue();
            _memoryBytes -= first.Bytes;
            _messages.Remove(first.Seq);
        }
    }
}

/// <summary>When a spool counts as full.</summary>
/// <param name="Bytes">Above this size of its files, in bytes.</param>
/// <param name="StopAtFreePercent">When less of the file system is free, in percent.</param>
internal readonly record struct SpoolLimits(long Bytes, int StopAtFreePercent);

/// <summary>Which incarnation to open.</summary>
/// <param name="Above">Only one above this; 0 for any.</param>
/// <param name="New">The number of a new one: nanoseconds since 1970 UTC.</param>
/// <param name="AfterTicket">The last ticket given to this disk before.</param>
internal readonly record struct IncarnationChoice(ulong Above, ulong New, long AfterTicket);
