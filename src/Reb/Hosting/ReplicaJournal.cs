using System.Buffers;
using Massif.Reb.Configuration;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>The one journal of a replica: payloads, votes, deliveries and starts, in the order in which the core asked for them.</summary>
/// <remarks>
/// One log and one sync per turn make "payload and ECHO in one sync" (R3) and "a vote is durable before its frame leaves" (R13)
/// the same rule. Every segment begins with a snapshot, so a restart reads state from the last one on, and the oldest segments
/// can go (R11).
/// </remarks>
internal sealed class ReplicaJournal
{
    /// <summary>Most bytes appended and not yet durable before new payloads are refused: 64 MiB.</summary>
    public const long UnsyncedBytesMax = 64 * 1024 * 1024;

    /// <summary>
    /// Checkpoints and held payloads move along before retention comes to their file: so many files may go with one snapshot.
    /// </summary>
    private const int FilesAhead = 4;

    private readonly IDisk _disk;
    private readonly SegmentLog _log;
    private readonly PayloadStore _payloads;
    private readonly Queue<(long Ticket, long Record, long Bytes)> _tickets = new();
    private readonly Queue<(InstanceId Instance, long Record, byte[] Body)> _deliveredUndurable = new();
    private readonly Queue<(long File, long Ticket)> _closed = new(); // Files of this start that were rolled, and the sync that ends each.
    private readonly Counters.Counter _bytes;
    private readonly Counters.Counter _damage;
    private readonly long _limitBytes;
    private readonly int _stopAtFreePercent;
    private readonly int _segmentBytes;
    private long _ticket;
    private long _synced;
    private long _unsyncedBytes;
    private long _turnBytes;
    private long _bytesSinceSnapshot;
    private long _movedUpTo; // Files up to here have nothing that must stay, as of the last snapshot, ...
    private long _oldestHeld; // ... but for payloads and checkpoints that could not move, from this one on.

    public ReplicaJournal(IDisk disk, long limitBytes, int stopAtFreePercent, ProtocolConstants constants, Counters counters)
    {
        (_disk, _limitBytes, _stopAtFreePercent) = (disk, limitBytes, stopAtFreePercent);
        _segmentBytes = (int)Math.Clamp(limitBytes / 8, 64 * 1024, SegmentLog.SegmentBytesDefault);
        _log = SegmentLog.Open(disk, "journal", _segmentBytes);
        _payloads = new(_log, constants.CheckpointInterval, constants.PayloadMemoryMebibytes * 1024L * 1024);
        Checkpoints = new(_log, constants.CheckpointInterval);
        _bytes = counters.Of("massif_journal_bytes");
        _damage = counters.Of("massif_journal_damage_total");
    }

    public long TotalBytes => _log.TotalBytes;

    public int SegmentBytes => _segmentBytes;

    public long PayloadBytesInMemory => _payloads.HeldBytes;

    /// <summary>Gets the checkpoints that are kept.</summary>
    public CheckpointStore Checkpoints { get; }

    /// <summary>Gets what was found that is not what was written.</summary>
    public IReadOnlyList<LogDamage> Damage => _log.Damage;

    /// <summary>Gets whether new payloads must wait: the disk does not keep up, cannot write, or is full.</summary>
    public bool IsBehind => _unsyncedBytes + _turnBytes > UnsyncedBytesMax || _disk.Trouble is not null || IsFull;

    /// <summary>Gets why the disk takes no new payloads, in words for the operator; null when it does.</summary>
    public string? Trouble => _disk.Trouble ?? (IsFull
        ? $"less than {_stopAtFreePercent} % of the file system is free, so new batches wait. Make room."
        : null);

    private bool IsFull => _disk.FreeBytes < _disk.TotalBytes / 100 * _stopAtFreePercent;

    /// <summary>Hands everything the journal knows to the cores and the application. A damaged journal forbids ECHO (R13).</summary>
    public void Restore(in JournalTargets targets)
    {
        new JournalRestore(_log, _payloads, Checkpoints, targets).Run();
        _damage.Value = _log.Damage.Count;
        if (_log.Damage.Count > 0) targets.Start.Restore(new(JournalKind.EchoForbidden, default));

        // What retention dropped in an earlier run is known by what is not here any more.
        var tips = new List<StreamTip>();
        targets.Core.CopyTips(tips);
        foreach (var tip in tips)
        {
            targets.Core.OnRetention(tip.Life, _payloads.HeldFrom(tip.Life, tip.Delivered));
            _payloads.OnRestored(tip.Life, tip.Delivered);
        }

        Count(_payloads.WritePages(_ticket + 1));
    }

    /// <summary>Remembers the bytes that the input under way came with, in case the core asks to store them.</summary>
    public void HoldInput(in InstanceId instance, in Digest digest, ReadOnlyMemory<byte> header, ReadOnlyMemory<byte> payload) =>
        _payloads.HoldInput(instance, digest, header, payload);

    public void ForgetInput() => _payloads.ForgetInput();

    /// <summary>Returns the payload of an instance with that digest while it is in memory.</summary>
    public bool TryGetHeld(in InstanceId instance, in Digest digest, out ReadOnlyMemory<byte> payload) =>
        _payloads.TryGetHeld(instance, digest, out payload);

    /// <summary>Returns the stored batch with that digest, from memory or from the log.</summary>
    public bool TryRead(in InstanceId instance, in Digest digest, out StoredBatch batch) => _payloads.TryRead(instance, digest, out batch);

    /// <summary>Returns the digest of a delivered batch, from memory or from the log.</summary>
    public bool TryGetDigest(StreamLife life, ulong seq, out Digest digest) => _payloads.TryGetDigest(life, seq, out digest);

    /// <summary>Returns a delivered batch, from memory or from the log.</summary>
    public bool TryRead(StreamLife life, ulong seq, out StoredBatch batch) => _payloads.TryRead(life, seq, out batch);

    public void StoreInput(in Effect effect)
    {
        var (header, payload) = _payloads.TakeInput(effect.Instance, effect.Digest);
        var address = _log.Append((byte)JournalKind.Payload, header, payload);
        _payloads.Add(effect.Instance, effect.Digest, address, header, payload, _ticket + 1);
        Count(header.Length + payload.Length + SegmentLog.RecordOverheadBytes);
    }

    public void LogVote(in Effect effect) => Append(JournalKind.Vote, JournalRecords.Vote(effect.Vote));

    public void LogDelivered(in Effect effect)
    {
        var body = JournalRecords.Delivered(effect);
        _payloads.KeepOnly(effect.Instance, effect.Digest);
        _deliveredUndurable.Enqueue((effect.Instance, effect.Record, body));
        Append(JournalKind.Delivered, body);
    }

    /// <summary>Writes a checkpoint down: a peer may need it, also after a restart of this replica.</summary>
    public void Keep(StreamLife life, ulong seq, in Digest chain, Action<IBufferWriter<byte>> write) =>
        Count(Checkpoints.Make(life, seq, chain, write, _ticket + 1));

    public void LogJump(in Effect effect) => Append(JournalKind.Jump, JournalRecords.Jump(effect));

    /// <summary>Forgets what is held between what is delivered and a checkpoint that a life goes to.</summary>
    public void RemoveGap(StreamLife life, ulong delivered, ulong seq) => _payloads.RemoveGap(life, delivered, seq);

    public void LogStart(in Effect effect, bool settled) =>
        Append(settled ? JournalKind.StartSettled : JournalKind.Start, JournalRecords.Start(effect.Start));

    public void LogPeerStart(
        ReplicaId peer, StartMark mark, ReadOnlySpan<byte> signature, StartMark earlier, ReadOnlySpan<byte> earlierSignature) =>
        Append(JournalKind.PeerStart, JournalRecords.PeerStart(peer, mark, signature, earlier, earlierSignature));

    public void LogEchoForbidden() => Append(JournalKind.EchoForbidden, []);

    /// <summary>The layer above has the payload: keep it in memory only as long as the disk does not have it.</summary>
    public void Drop(in InstanceId instance) => _payloads.Drop(instance);

    /// <summary>Asks for one sync of what the turn appended. Returns the ticket that its frames wait for; 0 for none.</summary>
    public long EndTurn(long lastRecord)
    {
        if (_turnBytes > 0)
        {
            _disk.Sync(++_ticket);
            _tickets.Enqueue((_ticket, lastRecord, _turnBytes));
            _unsyncedBytes += _turnBytes;
            _turnBytes = 0;
        }

        _bytes.Value = _log.TotalBytes;
        return _tickets.Count > 0 ? _ticket : 0;
    }

    /// <summary>
    /// Everything up to a ticket is durable. Returns the number of the last durable record; 0 when no ticket was answered.
    /// </summary>
    public long OnSynced(long ticket)
    {
        long record = 0;
        _synced = Math.Max(_synced, ticket);
        while (_tickets.TryPeek(out var first) && first.Ticket <= ticket)
        {
            record = first.Record;
            _unsyncedBytes -= first.Bytes;
            _tickets.Dequeue();
        }

        while (_deliveredUndurable.TryPeek(out var delivered) && delivered.Record <= record)
        {
            _deliveredUndurable.Dequeue();
            _payloads.OnDelivered(delivered.Instance.Life, delivered.Instance.Seq);
        }

        _payloads.OnSynced(ticket);
        Count(_payloads.WritePages(_ticket + 1));
        Checkpoints.OnSynced(ticket);
        return record;
    }

    /// <summary>Begins a new segment with a snapshot when the newest is full.</summary>
    public void RollIfDue(ReliableBroadcast core, StartDesk start, IApplication application)
    {
        // A snapshot may fill a segment by itself, when a source leaves a whole window undecided: it must not call for the next.
        if (!_log.NeedsRoll || _bytesSinceSnapshot < _segmentBytes / 2) return;
        _movedUpTo = FileThatMayGoSoon();
        var snapshot = new JournalSnapshot(_log, _payloads, _ticket + 1, _movedUpTo, movedBytesMax: _segmentBytes);
        var deliveredUndurable = _deliveredUndurable.Select(delivered => delivered.Body);
        _closed.Enqueue((_log.NewestFile, _ticket + 1));
        _log.Roll(_ => _turnBytes += snapshot.Write(core, start, application, Checkpoints, deliveredUndurable));
        _oldestHeld = snapshot.OldestHeldFile;
        _bytesSinceSnapshot = 0;
    }

    /// <summary>
    /// Lets go of the oldest files beyond the limit: after a roll, and when a sync has answered for what could not go then.
    /// </summary>
    public void KeepToLimit(ReliableBroadcast core)
    {
        while (_log.TotalBytes > _limitBytes && _log.Files > 2 && _log.OldestFile < _oldestHeld)
        {
            var dropped = _log.OldestFile;
            while (_closed.TryPeek(out var closed) && closed.File < dropped) _closed.Dequeue();
            if (dropped > _movedUpTo) break; // A limit that was lowered: the checkpoints in it move along with the next snapshot.
            if (_closed.TryPeek(out var oldest) && oldest.File == dropped && oldest.Ticket > _synced) break;
            if (!_log.DropOldest()) break;
            Checkpoints.Forget(dropped);
            foreach (var (life, highest) in _payloads.Forget(dropped)) core.OnRetention(life, highest + 1);
        }
    }

    /// <summary>
    /// The last file that one of the next snapshots may let go; that before the oldest while the journal is far from its limit.
    /// </summary>
    private long FileThatMayGoSoon()
    {
        var isFar = _log.TotalBytes + ((long)FilesAhead * _segmentBytes) <= _limitBytes;
        return isFar ? _log.OldestFile - 1 : _log.OldestFile + FilesAhead;
    }

    private void Append(JournalKind kind, byte[] body)
    {
        _log.Append((byte)kind, body);
        Count(body.Length + SegmentLog.RecordOverheadBytes);
    }

    private void Count(int bytes)
    {
        _turnBytes += bytes;
        _bytesSinceSnapshot += bytes;
    }
}

/// <summary>Encoded header and payload of one batch.</summary>
/// <param name="Header">The encoded header.</param>
/// <param name="Payload">The payload.</param>
public readonly record struct StoredBatch(ReadOnlyMemory<byte> Header, ReadOnlyMemory<byte> Payload);

/// <summary>What a journal is restored into.</summary>
internal readonly record struct JournalTargets(ReliableBroadcast Core, StartDesk Start, IApplication Application);
