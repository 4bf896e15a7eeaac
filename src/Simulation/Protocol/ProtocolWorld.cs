using System.Globalization;
using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>The broadcast cores of a whole group, with small hosts around them, in one thread and in virtual time.</summary>
/// <remarks>
/// First everything goes wrong that this seed enables, and only wrong answers count. Then the faults heal, the Byzantine
/// replicas stay, and everything that correct sources accepted has to arrive everywhere.
/// </remarks>
public sealed class ProtocolWorld : INetworkUser<Frame>, IWeatherUser
{
    /// <summary>How long healing may take: far more than any time-out, so that only a real standstill exceeds it.</summary>
    private const long ProgressWithin = 60 * VirtualTime.Second;

    private const long PollEvery = 20 * VirtualTime.Millisecond;
    private const long EventsMax = 250_000;

    private readonly Scheduler<WorldEvent> _scheduler = new();
    private readonly List<Actor> _actors = [];
    private readonly Actor[] _atNode;
    private readonly HashSet<(ReplicaId Replica, StartMark Mark)> _signed = [];
    private readonly Weather<Frame> _weather;
    private readonly Mischief _mischief;
    // A disk that takes longer has failed, which is another fault; one begun before the faults heal must end long before the seed does.
    private const long LongestSync = 4_000 * VirtualTime.Millisecond;

    private readonly int _slowSync;
    private ulong _digests;
    private bool _healed;

    private ProtocolWorld(ProtocolSettings settings, Action<string>? lines)
    {
        Prng = new((settings.Seed << 8) + (ulong)settings.Replicas);
        Trace = new(_scheduler, lines);
        Quorums = Quorums.ForGroupOf(settings.Replicas);
        Shape = RunPlan.Draw(settings, Quorums, Prng.Fork());
        Options = new()
        {
            Nodes = Shape.Nodes,
            Window = Shape.Window,
            FetchesInFlight = 4,
            LivesPerStream = 8,
            HoldingLivesPerStream = 1 + (int)(settings.Seed % 2),
            DigestMemory = Shape.DigestMemory,
        };
        SourceOptions = new() { Window = Shape.Window };
        Network = new(Shape.Nodes, _scheduler, Prng.Fork(), this);
        Checker = new(Quorums, Shape.Correct, source => Shape.IsCorrectSource(source));
        Conspiracy = new(this, Prng.Fork());
        _slowSync = Shape.Faults.HasFlag(FaultKinds.SlowSync) ? 60 : 1;
        _atNode = new Actor[Shape.Nodes];
        for (var node = 0; node < Shape.Nodes; node++) _atNode[node] = Populate(node);
        _weather = new(Network, this, Prng.Fork(), Shape.Faults, Shape.MeanPause);
        _mischief = new(this, Prng.Fork());
    }

    internal RunPlan Shape { get; }

    internal Prng Prng { get; }

    internal Trace Trace { get; }

    internal Quorums Quorums { get; }

    internal BroadcastOptions Options { get; }

    internal SourceOptions SourceOptions { get; }

    internal SimulatedNetwork<Frame> Network { get; }

    internal Checker Checker { get; }

    internal Conspiracy Conspiracy { get; }

    internal VirtualTime Time => _scheduler;

    internal IReadOnlyList<Actor> Actors => _actors;

    /// <summary>Runs one seed to its end.</summary>
    /// <param name="settings">Which run.</param>
    /// <param name="lines">Takes the trace as text; null when nobody reads it.</param>
    public static SeedOutcome Run(ProtocolSettings settings, Action<string>? lines = null)
    {
        var world = new ProtocolWorld(settings, lines);
        using var trace = world.Trace;
        var (property, detail) = SeedOutcome.Judge(world.RunToTheEnd);
        if (property is not null) trace.Say($"BROKEN {property}: {detail}");
        return new(settings.Seed, property, detail, trace.Hash(), world._scheduler.Happened, world.Checker.Deliveries, world.Time.Now);
    }

    /// <summary>Runs one seed and returns only the name of the broken property, or null: for mutants in an assembly of their own.</summary>
    public static string? BrokenProperty(string scenario, int replicas, ulong seed) =>
        Run(new(seed, replicas, scenario.Length == 0 ? null : Enum.Parse<Scenario>(scenario))).Property;

    void INetworkUser<Frame>.Plan(long delay, in NetworkEvent<Frame> happening) =>
        _scheduler.In(delay, new(WorldEventKind.Network, 0, 0, 0, happening));

    void INetworkUser<Frame>.Receive(int from, int to, Frame frame) => _atNode[to].Receive(from, frame);

    void INetworkUser<Frame>.LinkChanged(int one, int other, bool up)
    {
        Trace.Add((int)TraceKind.Link, (one << 8) + other, up ? 1UL : 0, 0);
        if (Trace.IsRead) Trace.Say($"link {one}-{other} {(up ? "up" : "down")}");
        _atNode[one].LinkChanged(other, up);
        _atNode[other].LinkChanged(one, up);
    }

    void IWeatherUser.PlanWeather(long delay, int episode) => _scheduler.In(delay, new(WorldEventKind.Weather, 0, 0, episode, default));

    void IWeatherUser.WeatherChanged(FaultKinds kind, bool begins, ulong nodes)
    {
        Trace.Add((int)TraceKind.Weather, (int)kind, nodes, begins ? 1UL : 0);
        if (Trace.IsRead) Trace.Say(begins ? $"{kind} begins, nodes {nodes:b}" : $"episode {nodes} ends");
    }

    internal void Plan(long delay, in WorldEvent happening) => _scheduler.In(delay, happening);

    internal int Enlist(Actor actor)
    {
        _actors.Add(actor);
        return _actors.Count - 1;
    }

    internal SimulatedClock NewClock()
    {
        var drifts = Shape.Faults.HasFlag(FaultKinds.Drift);
        return new(
            _scheduler,
            monotonicStart: drifts ? Prng.Between(0, 1_000 * VirtualTime.Second) : 0,
            driftPerMillion: drifts ? (int)Prng.Between(-50_000, 50_000) : 0,
            skew: 0,
            Guid.Empty);
    }

    internal long TurnDelay() => Prng.Between(5_000, 150_000);

    internal long SyncDelay() => Math.Min(_slowSync * Prng.Delay(100_000, VirtualTime.Millisecond, 20), LongestSync);

    internal Digest NewDigest() => new(Prng.Next(), Prng.Next(), ++_digests, 0);

    internal void Sign(ReplicaId replica, StartMark mark) => _signed.Add((replica, mark));

    /// <summary>A Byzantine replica signs what it likes; nobody else can sign for a correct one.</summary>
    internal bool IsSigned(ReplicaId replica, StartMark mark) => Shape.Byzantine.Contains(replica) || _signed.Contains((replica, mark));

    internal void SpoolLost(SourceActor source, int spool)
    {
        Checker.SpoolLost(source.Spools[spool].Life);
        Plan(0, new(WorldEventKind.Restart, source.Index, 0, spool + 1, default));
    }

    /// <summary>Who loses its disk asks for everything; where nobody does, what all hold may be forgotten.</summary>
    internal bool MayForget(LifeRecord life) => !Shape.Faults.HasFlag(FaultKinds.LoseState) && Checker.HeldByAll(life.Life, life.Durable);

    internal void TraceInput(SimulatedReplica host, int from, in Message message, Verdict verdict)
    {
        Trace.Add(
            (int)TraceKind.Input + ((int)message.Kind << 4) + (int)verdict, (from << 8) + host.Self.Index,
            message.Instance.Seq, message.Digest.A);
        if (Trace.IsRead) Trace.Say($"{NameOf(from)} -> {host.Self}  {message}  {verdict}");
    }

    internal void TraceEffect(SimulatedReplica host, in Effect effect)
    {
        if (effect.Kind is EffectKind.SendStatus or EffectKind.SendVote) return; // Seen again where they arrive.
        Trace.Add((int)TraceKind.Effect + (int)effect.Kind, host.Self.Index, effect.Instance.Seq, effect.Digest.A);
        if (!Trace.IsRead) return;
        Trace.Say($"{host.Self} {effect.Kind} {(effect.Kind == EffectKind.LogVote ? effect.VoteKind : "")} {effect.Instance} "
            + $"{effect.Digest.A & 0xFFFF:x4} to {effect.To}");
    }

    internal string NameOf(int node) => (node < Quorums.Replicas ? "r" : "s") + node.ToString(CultureInfo.InvariantCulture);

    private Actor Populate(int node)
    {
        if (node >= Quorums.Replicas)
            return Shape.IsCorrectSource(node) ? new SourceActor(this, node, NewClock(), 1 + Prng.Below(2)) : Conspiracy.NewSource(node);
        return Shape.Byzantine.Contains(new((byte)node)) ? Conspiracy.NewReplica(node) : new ReplicaActor(this, node, NewClock());
    }

    private void RunToTheEnd()
    {
        Begin();
        RunUntil(Shape.Trouble);
        Heal();
        while (!IsComplete())
        {
            if (Time.Now > Shape.Trouble + ProgressWithin)
                throw new PropertyViolationException("Progress", Checker.Missing(explain: true) ?? "Batches wait at their sources.");
            RunUntil(Time.Now + PollEvery);
        }

        Checker.CheckReleased();
    }

    private void Begin()
    {
        if (Trace.IsRead) Trace.Say($"{Shape}");
        foreach (var actor in _actors) actor.Start();
        for (var one = 0; one < Shape.Replicas; one++)
            for (var other = one + 1; other < Shape.Nodes; other++)
                Network.ConnectLater(one, other, Prng.Between(0, 20 * VirtualTime.Millisecond));
        _mischief.Begin();
        _scheduler.In(PollEvery, new(WorldEventKind.Poll, 0, 0, 0, default));
    }

    private void Heal()
    {
        Trace.Say("Faults heal.");
        _healed = true;
        _weather.Heal();
        _mischief.Heal();
    }

    private bool IsComplete() => _mischief.AllPublished && Checker.Missing(explain: false) is null;

    private void RunUntil(long limit)
    {
        while (_scheduler.TryNext(limit, out var happening))
        {
            Happen(happening);
            if (_scheduler.Happened > EventsMax) throw new PropertyViolationException("Progress", "The world never comes to rest.");
        }
    }

    private void Happen(in WorldEvent happening)
    {
        switch (happening.Kind)
        {
            case WorldEventKind.Network: Network.Happen(happening.Network); break;
            case WorldEventKind.Weather: _weather.Happen((int)happening.Number); break;
            case WorldEventKind.Poll: Poll(); break;
            case WorldEventKind.Crash or WorldEventKind.Restart or WorldEventKind.Publish: _mischief.Happen(happening); break;
            default:
                var actor = _actors[happening.Actor];
                if (actor.Alive && actor.Life == happening.Life) actor.Happen(happening.Kind, happening.Number);
                break;
        }
    }

    /// <summary>Looks at what grows slowly.</summary>
    private void Poll()
    {
        Checker.CheckReleased();
        foreach (var actor in _actors)
            if (actor is ReplicaActor { Host: { } host } and not Puppet) Checker.CheckMemory(host, LivesNamed(), Shape.Window);
        if (!_healed) _scheduler.In(PollEvery, new(WorldEventKind.Poll, 0, 0, 0, default));
    }

    private int LivesNamed() => 2 * Shape.Sources;
}
