using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What can happen in the protocol world.</summary>
internal enum WorldEventKind : byte
{
    Network,
    Weather,
    Turn,
    Synced,
    Deadline,
    Publish,
    Script,
    Crash,
    Restart,
    Poll,
}

/// <summary>What the trace of this world is made of; an input is its message kind and its verdict, an effect its own kind.</summary>
internal enum TraceKind
{
    Link = 2,
    Weather = 3,
    Process = 4,
    Release = 5,
    Input = 0x100,
    Effect = 0x10000,
}

/// <summary>Something that will happen to an actor in the life it has now; in a later life it is ignored.</summary>
internal readonly record struct WorldEvent(WorldEventKind Kind, int Actor, int Life, long Number, NetworkEvent<Frame> Network);

/// <summary>Whoever has a process of its own: a replica, a puppet, a source.</summary>
internal abstract class Actor
{
    private readonly SimulatedClock _clock;
    private long _deadlineAt = long.MaxValue;

    protected Actor(ProtocolWorld world, int node, SimulatedClock clock)
    {
        (World, Node, _clock) = (world, node, clock);
        Index = world.Enlist(this);
    }

    public ProtocolWorld World { get; }

    /// <summary>Gets the number among the actors of the world.</summary>
    public int Index { get; }

    /// <summary>Gets the node of the network whose identity it has; several puppets may share one.</summary>
    public int Node { get; }

    /// <summary>Gets how often it has started or stopped.</summary>
    public int Life { get; private set; }

    public bool Alive { get; private set; }

    public Instant Now => _clock.Now;

    public virtual void Start()
    {
        Alive = true;
        Life++;
        _deadlineAt = long.MaxValue;
    }

    public virtual void Stop()
    {
        Alive = false;
        Life++;
    }

    public abstract void Receive(int from, Frame frame);

    public abstract void LinkChanged(int peer, bool up);

    public void Happen(WorldEventKind kind, long number)
    {
        if (kind != WorldEventKind.Deadline)
        {
            Carry(kind, number);
            return;
        }

        if (number == _deadlineAt) _deadlineAt = long.MaxValue;
        Carry(kind, number);
    }

    protected abstract void Carry(WorldEventKind kind, long number);

    protected void Plan(long delay, WorldEventKind kind, long number) => World.Plan(delay, new(kind, Index, Life, number, default));

    /// <summary>Plans to wake at a time of the own clock, unless it wakes before anyway.</summary>
    protected void WakeAt(Instant when)
    {
        var at = _clock.WhenReaches(when);
        if (at >= _deadlineAt) return;
        _deadlineAt = at;
        Plan(at - World.Time.Now, WorldEventKind.Deadline, at);
    }
}

/// <summary>A replica's process with its clock and its journal, as the world drives it.</summary>
internal class ReplicaActor : Actor, IReplicaPort
{
    private readonly Queue<(long Ticket, int Records)> _syncs = [];
    private long _syncBusyUntil;

    public ReplicaActor(ProtocolWorld world, int node, SimulatedClock clock)
        : base(world, node, clock)
    {
    }

    public ReplicaJournal Journal { get; } = new();

    public Prng Prng => World.Prng;

    public int SegmentRecords => World.Shape.SegmentRecords;

    public SimulatedReplica? Host { get; private set; }

    public override void Start()
    {
        base.Start();
        Journal.Reindex();
        _syncs.Clear();
        _syncBusyUntil = 0;
        Host = new(this, new((byte)Node), World.Quorums, World.Options, World.Shape.Nodes, Journal);
        Booting(Host);
        Host.Boot();
    }

    public override void Stop()
    {
        base.Stop();
        Host = null;
    }

    public override void Receive(int from, Frame frame) => Host?.Receive(from, frame);

    public override void LinkChanged(int peer, bool up) => Host?.LinkChanged(peer, up);

    public bool MayForget(LifeRecord life) => World.MayForget(life);

    public void WantTurn(SimulatedReplica host) => Plan(World.TurnDelay(), WorldEventKind.Turn, 0);

    public void WantSync(SimulatedReplica host, long ticket)
    {
        _syncs.Enqueue((ticket, Journal.Records.Count));
        _syncBusyUntil = Math.Max(_syncBusyUntil, World.Time.Now + World.SyncDelay());
        Plan(_syncBusyUntil - World.Time.Now, WorldEventKind.Synced, ticket);
    }

    public void WantDeadline(SimulatedReplica host, Instant when) => WakeAt(when);

    public bool IsSigned(ReplicaId replica, StartMark mark) => World.IsSigned(replica, mark);

    public virtual void Send(SimulatedReplica host, int to, Frame frame) => World.Network.TrySend(Node, to, frame);

    public virtual void Observe(SimulatedReplica host, in Effect effect)
    {
        if (effect.Kind == EffectKind.SendStart) World.Sign(host.Self, effect.Start);
        World.Checker.Carried(host, effect);
        World.TraceEffect(host, effect);
    }

    public virtual void Observe(SimulatedReplica host, int from, in Message message, Verdict verdict)
    {
        World.Checker.Heard(host, from, message, verdict);
        World.TraceInput(host, from, message, verdict);
    }

    public virtual void Leaving(SimulatedReplica host, in Message message) => World.Checker.Left(host, message);

    protected virtual void Booting(SimulatedReplica host) => World.Checker.Booted(host);

    protected virtual void MadeDurable(in Effect record)
    {
        if (record.Kind == EffectKind.LogDelivered) World.Checker.Durable(new((byte)Node), record.Instance);
    }

    protected override void Carry(WorldEventKind kind, long number)
    {
        switch (kind)
        {
            case WorldEventKind.Turn: Host!.Turn(); break;
            case WorldEventKind.Deadline: Host!.DeadlinePassed(); break;
            case WorldEventKind.Synced: Sync(number); break;
            default: throw new InvariantViolationException($"Nothing to do for {kind}.");
        }
    }

    private void Sync(long ticket)
    {
        while (_syncs.TryPeek(out var sync) && sync.Ticket <= ticket)
        {
            _syncs.Dequeue();
            var before = Journal.Records.Durable;
            Journal.Records.MakeDurable(sync.Records);
            for (var i = before; i < Journal.Records.Durable; i++) MadeDurable(Journal.Records[i].Effect);
        }

        Host!.Synced(ticket);
    }
}

/// <summary>A correct source's process: spools on its disk, batches at random moments.</summary>
internal sealed class SourceActor : Actor, ISourcePort
{
    private readonly List<Spool> _spools;
    private SimulatedSource? _host;

    public SourceActor(ProtocolWorld world, int node, SimulatedClock clock, int streams)
        : base(world, node, clock) =>
        _spools = [.. Enumerable.Range(0, streams).Select(i => new Spool(new(new((ushort)node, (StreamClass)i), 1)))];

    /// <summary>Gets the spools of the present lives of its streams.</summary>
    public IReadOnlyList<Spool> Spools => _spools;

    public override void Start()
    {
        base.Start();
        _host = new(this, Node, World.Quorums, World.SourceOptions, _spools);
        _host.Boot();
    }

    public override void Stop()
    {
        base.Stop();
        _host = null;
    }

    public override void Receive(int from, Frame frame)
    {
        if (_host is null) return;
        if (World.Trace.IsRead)
            foreach (var message in frame.Messages) World.Trace.Say($"r{from} -> s{Node}  {message}");
        _host.Receive(from, frame);
    }

    public override void LinkChanged(int peer, bool up)
    {
        if (peer < World.Quorums.Replicas) _host?.LinkChanged(peer, up);
    }

    /// <summary>Takes a batch in.</summary>
    public void Publish(int spool) => _host!.Publish(spool);

    /// <summary>The disk is new, so the spool is new: an incarnation of its own.</summary>
    public void Renew(int spool)
    {
        var life = _spools[spool].Life;
        _spools[spool] = new(life with { Incarnation = life.Incarnation + 1 });
    }

    public void WantSync(SimulatedSource host, int spool) =>
        Plan(World.SyncDelay(), WorldEventKind.Synced, (spool << 20) + _spools[spool].Batches.Count);

    public void WantDeadline(SimulatedSource host, Instant when) => WakeAt(when);

    public void Send(SimulatedSource host, int to, Frame frame) => World.Network.TrySend(Node, to, frame);

    public void Accepted(in InstanceId instance, in Digest digest) => World.Checker.Accepted(instance, digest);

    public void Released(StreamLife life, ulong seq)
    {
        World.Trace.Add((int)TraceKind.Release, Node, life.Incarnation, seq);
        if (World.Trace.IsRead) World.Trace.Say($"node{Node} releases {life} up to {seq}");
        World.Checker.Released(life, seq);
    }

    /// <summary>The core found that the disk had been set back: the operator begins a new incarnation at the next start.</summary>
    public void SpoolLost(SimulatedSource host, int spool) => World.SpoolLost(this, spool);

    public Digest NewDigest() => World.NewDigest();

    protected override void Carry(WorldEventKind kind, long number)
    {
        switch (kind)
        {
            case WorldEventKind.Synced: _host!.Synced((int)(number >> 20), (int)(number & 0xFFFFF)); break;
            case WorldEventKind.Deadline: _host!.DeadlinePassed(); break;
            default: throw new InvariantViolationException($"Nothing to do for {kind}.");
        }
    }
}
