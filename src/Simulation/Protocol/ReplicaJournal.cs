using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What a journal record is about; those of a snapshot begin a segment and are not effects.</summary>
internal enum RecordKind : byte
{
    Effect,
    Segment,
    SegmentWhole,
    Life,
    Payload,
    Vote,
    OwnStart,
    PeerStart,
    EchoForbidden,
}

/// <summary>One record of a replica's journal.</summary>
internal sealed record JournalRecord(RecordKind Kind)
{
    public Effect Effect { get; init; }

    /// <summary>Gets what the stored payload really hashes to, whatever the core believes.</summary>
    public Digest Content { get; init; }

    public LifeRecord Life { get; init; }

    public Vote Vote { get; init; }

    public int Length { get; init; }

    public ReplicaId Peer { get; init; }

    public StartMark Mark { get; init; }

    public StartMark Earlier { get; init; }

    public bool Settled { get; init; }

    /// <summary>Gets the digest under which this record keeps a payload, if it does.</summary>
    public Digest? Payload => Kind switch
    {
        RecordKind.Payload => Vote.Digest,
        RecordKind.Effect when Effect.Kind == EffectKind.StorePayload => Effect.Digest,
        _ => null,
    };
}

/// <summary>The journal of one replica with its segments, each of which begins with a snapshot of the cores.</summary>
internal sealed class ReplicaJournal : IStateSink, IStartSink
{
    private readonly Dictionary<Digest, int> _payloadAt = [];
    private readonly Dictionary<InstanceId, Digest> _delivered = [];
    private readonly List<int> _segments = [];
    private readonly Queue<JournalRecord> _deliveredUndurable = [];
    private int _bodyFrom, _begun;

    public SimulatedJournal<JournalRecord> Records { get; } = new();

    /// <summary>Returns whether the payload is durable, so that an ECHO read back still means "I hold it".</summary>
    public bool HoldsDurably(in Digest digest) => _payloadAt.TryGetValue(digest, out var at) && at < Records.Durable;

    /// <summary>Returns the digest that an instance was delivered with, if retention has not dropped it.</summary>
    public bool TryGetDelivered(in InstanceId instance, out Digest digest) => _delivered.TryGetValue(instance, out digest);

    /// <summary>Returns what the payload stored under a digest really hashes to.</summary>
    public Digest ContentOf(in Digest digest) => Records[_payloadAt[digest]].Content;

    public void Append(in Effect effect, in Digest content)
    {
        var record = new JournalRecord(RecordKind.Effect) { Effect = effect, Content = content };
        Append(record);
        if (effect.Kind == EffectKind.LogDelivered) _deliveredUndurable.Enqueue(record);
    }

    /// <summary>The core is told that everything up to a record number is durable.</summary>
    public void OnDurable(long record)
    {
        while (_deliveredUndurable.TryPeek(out var first) && first.Effect.Record <= record) _deliveredUndurable.Dequeue();
    }

    /// <summary>Begins a new segment when the present one is long enough: what the cores hold stands at its head.</summary>
    public void RollAt(int records, ReliableBroadcast broadcast, ReplicaStart starting)
    {
        if (Records.Count - _bodyFrom < records) return;
        Append(new(RecordKind.Segment));
        broadcast.Snapshot(this);
        starting.Snapshot(this);
        foreach (var delivered in _deliveredUndurable) Append(delivered); // What the snapshot does not call durable stands before it.
        Append(new(RecordKind.SegmentWhole));
        _bodyFrom = Records.Count;
    }

    /// <summary>A crash cuts what is not durable anywhere, but most willingly inside a snapshot.</summary>
    public void Crash(Prng prng, bool powerCut)
    {
        if (_begun >= Records.Durable && _begun < _bodyFrom && _bodyFrom <= Records.Count && prng.Chance(70))
            Records.CutAt((int)prng.Between(_begun, _bodyFrom), powerCut);
        else
            Records.Crash(prng, powerCut);
    }

    /// <summary>A crash has cut the journal, or worse.</summary>
    public void Reindex()
    {
        _payloadAt.Clear();
        _delivered.Clear();
        _segments.Clear();
        _deliveredUndurable.Clear();
        _begun = 0;
        for (var i = 0; i < Records.Count; i++) Index(Records[i], i);
        _bodyFrom = Records.Count;
    }

    /// <summary>
    /// Hands the journal back to new cores, from its beginning or from a whole segment before which nobody needs anything.
    /// </summary>
    /// <param name="broadcast">The core of the broadcast.</param>
    /// <param name="starting">The core of the start.</param>
    /// <param name="prng">Chooses the segment.</param>
    /// <param name="mayForget">Whether all replicas hold what a life had reached, so that retention may have dropped it.</param>
    public void Restore(ReliableBroadcast broadcast, ReplicaStart starting, Prng prng, Func<LifeRecord, bool> mayForget)
    {
        var choice = prng.Below(_segments.Count + 1) - 1;
        while (choice >= 0 && !LivesAt(_segments[choice]).All(mayForget)) choice--;
        for (var i = choice < 0 ? 0 : _segments[choice]; i < Records.Count; i++) Restore(Records[i], broadcast, starting);
    }

    void IStateSink.Life(in LifeRecord life) => Append(new(RecordKind.Life) { Life = life });

    void IStateSink.Payload(in InstanceId instance, in Digest digest, int length) =>
        Append(new(RecordKind.Payload) { Vote = new(default, instance, digest), Length = length, Content = ContentOf(digest) });

    void IStateSink.Vote(in Vote vote) => Append(new(RecordKind.Vote) { Vote = vote });

    void IStartSink.Start(StartMark mark, bool settled) => Append(new(RecordKind.OwnStart) { Mark = mark, Settled = settled });

    void IStartSink.PeerStart(ReplicaId peer, StartMark mark, StartMark earlier) =>
        Append(new(RecordKind.PeerStart) { Peer = peer, Mark = mark, Earlier = earlier });

    void IStartSink.EchoForbidden() => Append(new(RecordKind.EchoForbidden));

    private static void Restore(JournalRecord record, ReliableBroadcast broadcast, ReplicaStart starting)
    {
        switch (record.Kind)
        {
            case RecordKind.Effect: Restore(record.Effect, broadcast, starting); break;
            case RecordKind.Segment or RecordKind.SegmentWhole: break;
            case RecordKind.Life: broadcast.RestoreLife(record.Life); break;
            case RecordKind.Payload: broadcast.RestorePayload(record.Vote.Instance, record.Vote.Digest, record.Length); break;
            case RecordKind.Vote: broadcast.RestoreVote(record.Vote); break;
            case RecordKind.OwnStart: starting.RestoreStart(record.Mark, record.Settled); break;
            case RecordKind.PeerStart: starting.RestorePeerStart(record.Peer, record.Mark, record.Earlier); break;
            default: starting.RestoreEchoForbidden(); break;
        }
    }

    private static void Restore(in Effect effect, ReliableBroadcast broadcast, ReplicaStart starting)
    {
        switch (effect.Kind)
        {
            case EffectKind.StorePayload: broadcast.RestorePayload(effect.Instance, effect.Digest, effect.Number); break;
            case EffectKind.LogVote: broadcast.RestoreVote(effect.Vote); break;
            case EffectKind.LogDelivered: broadcast.RestoreDelivered(effect.Instance, effect.Digest, effect.Number, effect.Other); break;
            case EffectKind.LogStart: starting.RestoreStart(effect.Start, settled: false); break;
            case EffectKind.LogStartSettled: starting.RestoreStart(effect.Start, settled: true); break;
            case EffectKind.LogEchoForbidden: starting.RestoreEchoForbidden(); break;
            case EffectKind.LogPeerStart:
                foreach (var peer in effect.To) starting.RestorePeerStart(peer, effect.Start, effect.Earlier);
                break;
            default: throw new InvariantViolationException($"No rule to restore {effect.Kind}.");
        }
    }

    private IEnumerable<LifeRecord> LivesAt(int segment)
    {
        for (var i = segment + 1; i < Records.Count && Records[i].Kind != RecordKind.SegmentWhole; i++)
            if (Records[i].Kind == RecordKind.Life) yield return Records[i].Life;
    }

    private void Append(JournalRecord record)
    {
        Index(record, Records.Count);
        Records.Append(record);
    }

    private void Index(JournalRecord record, int at)
    {
        if (record.Effect.Kind == EffectKind.LogDelivered) _delivered[record.Effect.Instance] = record.Effect.Digest;
        if (record.Payload is { } payload) _payloadAt.TryAdd(payload, at);
        if (record.Kind == RecordKind.Segment) _begun = at;
        if (record.Kind == RecordKind.SegmentWhole) _segments.Add(_begun);
    }
}
