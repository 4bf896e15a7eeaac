namespace Massif.Reb.Protocol.Tests;

/// <summary>A correct replica of <see cref="RandomWorld"/>: both cores, a journal, and an outbox that waits for the sync.</summary>
internal sealed class WorldReplica(RandomWorld world, ReplicaId id)
{
    private readonly List<(bool Delivery, Action<WorldReplica> Restore)> _journal = [];
    private readonly List<Action> _outbox = [];
    private readonly Dictionary<StreamLife, List<Digest>> _delivered = [];
    private readonly HashSet<byte> _connected = [];
    private readonly Dictionary<InstanceId, Digest> _everEchoed = [];
    private ReplicaStart _start = null!;
    private int _synced;
    private bool _running, _everRan, _lostLog;

    public ReplicaId Id => id;

    public ReliableBroadcast Core { get; private set; } = null!;

    public Effects Effects { get; private set; } = new();

    public List<Digest> Delivered(StreamLife life) => _delivered.TryGetValue(life, out var list) ? list : _delivered[life] = [];

    public ulong DurablyDelivered(StreamLife life)
    {
        var tips = new List<StreamTip>();
        Core.CopyTips(tips);
        return tips.Find(tip => tip.Life == life).Durable;
    }

    public void Boot(bool wiped)
    {
        if (wiped) _journal.Clear();
        _lostLog |= wiped && _everRan;
        _synced = _journal.Count;
        _outbox.Clear();
        _delivered.Clear();
        _running = false;
        Effects = new();
        _start = new(id, world.Quorums);
        Core = new(id, world.Quorums, new() { Window = 16, DigestMemory = 1_024, Nodes = 200 });
        foreach (var record in _journal) record.Restore(this);
        Take(r =>
        {
            foreach (var peer in r._connected) r.Core.OnPeerConnected(new(peer), world.Now, r.Effects);
            r._start.Begin(world.Next(), world.Now, r.Effects);
        });
    }

    /// <summary>Loses what is in memory and in the outbox, and of the journal some of what is not durable.</summary>
    public void Crash(bool wiped)
    {
        var kept = _synced + world.Below(_journal.Count - _synced + 1);
        _journal.RemoveRange(kept, _journal.Count - kept);
        Boot(wiped);
    }

    public void Take(Action<WorldReplica> input)
    {
        Effects.Clear();
        input(this);
        if (_start.IsSettled && !_running)
        {
            _running = _everRan = true;
            if (_lostLog && !_start.EchoForbidden) world.Fail("R13: a lost log was not noticed");
            Core.Start(_start.Mark.Counter, _start.EchoForbidden, world.Now, Effects);
        }

        Core.EndTurn(world.Now, Effects);
        foreach (var effect in Effects.Items) Carry(effect);
    }

    public void Sync()
    {
        if (_synced == _journal.Count && _outbox.Count == 0) return;
        _synced = _journal.Count;
        foreach (var send in _outbox) send();
        _outbox.Clear();
        var record = Effects.LastRecord;
        Take(r => r.Core.OnDurable(record, world.Now, r.Effects));
    }

    /// <summary>A new journal segment: of what is durable before it, only deliveries are read again, for the digests (R11).</summary>
    public void Roll()
    {
        var tail = _journal[_synced..];
        _journal.RemoveRange(_synced, tail.Count);
        _journal.RemoveAll(record => !record.Delivery);
        var segment = new Segment();
        _start.Snapshot(segment);
        Core.Snapshot(segment);
        _journal.AddRange(segment.Records);
        _synced = _journal.Count;
        _journal.AddRange(tail);
    }

    public void Wake()
    {
        if (_start.NextDeadline <= world.Now) Take(r => r._start.OnDeadline(world.Now, r.Effects));
        if (Core.NextDeadline <= world.Now) Take(r => r.Core.OnDeadline(world.Now, r.Effects));
    }

    public void Initial(InstanceId instance, Digest digest, bool authentic) =>
        Core.OnInitial(instance, digest, 100, authentic, world.Now, Effects);

    public void SourceConnected(ushort source) => Core.OnSourceConnected(source, world.Now, Effects);

    public void Connected(ReplicaId peer)
    {
        _connected.Add(peer.Index);
        Core.OnPeerConnected(peer, world.Now, Effects);
        _start.OnPeerConnected(peer, Effects);
    }

    private void Carry(Effect effect)
    {
        world.Note(((ulong)effect.Kind << 56) ^ effect.Instance.Seq ^ effect.To.Bits ^ effect.Digest.B);
        var (instance, digest, to, start) = (effect.Instance, effect.Digest, effect.To, effect.Start);
        switch (effect.Kind)
        {
            case EffectKind.SendVote: Later(to, r => r.Core.OnVote(id, effect.Vote, world.Now, r.Effects)); break;
            case EffectKind.SendGone: Later(to, r => r.Core.OnGone(id, instance.Life, instance.Seq, world.Now, r.Effects)); break;
            case EffectKind.SendFetch: Later(to, r => r.Core.OnFetch(id, instance, digest, world.Now, r.Effects)); break;
            case EffectKind.SendPayload: Later(to, r => r.Core.OnPayload(id, instance, digest, 100, world.Now, r.Effects)); break;
            case EffectKind.SendStatus: Status(effect); break;
            case EffectKind.SendStart: Later(to, r => r._start.OnAnnouncement(id, new(id, start), true, r.Effects)); break;
            case EffectKind.SendStartAnswer:
                var answer = new StartAnswer(new(Only(to), start), effect.Earlier);
                Later(to, r => r._start.OnAnswer(id, answer, true, world.Next(), world.Now, r.Effects));
                break;
            case EffectKind.Deliver: Deliver(instance, digest); break;
            case EffectKind.LogVote: CheckEcho(effect); break;
            default: break;
        }

        if (effect.IsRecord) _journal.Add((effect.Kind == EffectKind.LogDelivered, RecordOf(effect)));
    }

    private void Status(in Effect effect)
    {
        var status = Effects.StatusOf(effect);
        Later(effect.To, r => r.Core.OnStatus(id, status, world.Now, r.Effects));
        if (effect.ToSource) _outbox.Add(() => world.SendToSource(id, status));
    }

    private void Later(ReplicaSet to, Action<WorldReplica> message) => _outbox.Add(() => world.Send(id, to, message));

    private void Deliver(InstanceId instance, Digest digest)
    {
        var list = Delivered(instance.Life);
        list.Add(digest);
        if (instance.Seq != (ulong)list.Count) world.Fail($"FIFO: {instance} is delivered as number {list.Count}");
    }

    private void RestoreDelivered(in Effect effect)
    {
        Core.RestoreDelivered(effect.Instance, effect.Digest, effect.Number, effect.Other);
        Deliver(effect.Instance, effect.Digest);
    }

    /// <summary>At most one ECHO per instance ever, also when the journal is lost: counted over what may have left (R3, R13).</summary>
    private void CheckEcho(in Effect effect)
    {
        if (effect.VoteKind != VoteKind.Echo) return;
        var (instance, digest) = (effect.Instance, effect.Digest);
        _outbox.Add(() => EchoLeaves(instance, digest));
    }

    private void EchoLeaves(InstanceId instance, Digest digest)
    {
        if (!_everEchoed.TryAdd(instance, digest) && _everEchoed[instance] != digest) world.Fail($"one ECHO: {id} {instance}");
    }

    private static Action<WorldReplica> RecordOf(Effect effect) => effect.Kind switch
    {
        EffectKind.StorePayload => r => r.Core.RestorePayload(effect.Instance, effect.Digest, effect.Number),
        EffectKind.LogVote => r => r.Core.RestoreVote(effect.Vote),
        EffectKind.LogDelivered => r => r.RestoreDelivered(effect),
        EffectKind.LogStart => r => r._start.RestoreStart(effect.Start, settled: false),
        EffectKind.LogStartSettled => r => r._start.RestoreStart(effect.Start, settled: true),
        EffectKind.LogEchoForbidden => r => r._start.RestoreEchoForbidden(),
        _ => r => r._start.RestorePeerStart(Only(effect.To), effect.Start, effect.Earlier),
    };

    private static ReplicaId Only(ReplicaSet set)
    {
        foreach (var member in set) return member;
        throw new InvalidOperationException("empty");
    }

    /// <summary>The records of a snapshot.</summary>
    private sealed class Segment : IStateSink, IStartSink
    {
        public List<(bool Delivery, Action<WorldReplica> Restore)> Records { get; } = [];

        public void Life(in LifeRecord life)
        {
            var record = life;
            Add(r => r.Core.RestoreLife(record));
        }

        public void Payload(in InstanceId instance, in Digest digest, int length)
        {
            var (id, hash) = (instance, digest);
            Add(r => r.Core.RestorePayload(id, hash, length));
        }

        public void Vote(in Vote vote)
        {
            var record = vote;
            Add(r => r.Core.RestoreVote(record));
        }

        public void Start(StartMark mark, bool settled) => Add(r => r._start.RestoreStart(mark, settled));

        public void PeerStart(ReplicaId peer, StartMark mark, StartMark earlier) =>
            Add(r => r._start.RestorePeerStart(peer, mark, earlier));

        public void EchoForbidden() => Add(r => r._start.RestoreEchoForbidden());

        private void Add(Action<WorldReplica> restore) => Records.Add((false, restore));
    }
}
