using System.Globalization;
using Massif.Reb.Configuration;
using Massif.Reb.Overlay;

namespace Massif.Simulation.WholeDomain;

/// <summary>A whole domain: the production hosts of edges, relays and replicas in one thread and in virtual time.</summary>
/// <remarks>
/// First everything goes wrong that this seed enables, and only wrong answers count. Then the faults heal, the Byzantine nodes
/// stay, and every line that was durable in a spool has to arrive everywhere, once.
/// </remarks>
public sealed class DomainWorld : INetworkUser<ReadOnlyMemory<byte>>, IWeatherUser
{
    /// <summary>How long healing may take: far more than any time-out, so that only a real standstill exceeds it.</summary>
    private const long ProgressWithin = 60 * VirtualTime.Second;

    internal const long DiskBytes = 1L << 30;

    /// <summary>What one burst may bring after the spool was seen to have room.</summary>
    internal const long SpoolSlack = 256 * 1024;

    /// <summary>Far more than all payloads, votes and snapshots of a run.</summary>
    internal const long AppendedMax = 32L * 1024 * 1024;

    private const long PollEvery = 50 * VirtualTime.Millisecond;
    private const long HappeningsMax = 300_000;

    private readonly Scheduler<Happening> _scheduler = new();
    private readonly SimulatedNode?[] _atNode;
    private readonly List<SimulatedNode> _nodes = [];
    private readonly List<CoreProcess> _cores = [];
    private readonly List<RelayProcess> _relays = [];
    private readonly List<EdgeProcess> _edges = [];
    private readonly Weather<ReadOnlyMemory<byte>> _weather;
    private readonly DomainMischief _mischief;
    private readonly ulong _seed;
    private readonly int _slowSync;

    private DomainWorld(ulong seed, int replicas, Action<string>? lines)
    {
        _seed = seed;
        Prng = new((seed << 8) + (ulong)replicas);
        Trace = new(_scheduler, lines);
        Shape = DomainShape.Draw(replicas, Prng.Fork());
        Kit = DomainKit.For(replicas);
        Domain = Kit.NewDomain(Shape.Constants, Shape.Paths);
        Checker = new(this);
        Network = new(Kit.Nodes.Count, _scheduler, Prng.Fork(), this);
        _slowSync = Shape.Has(FaultKinds.SlowSync) ? 40 : 1;
        _atNode = new SimulatedNode?[Kit.Nodes.Count];
        for (var node = 0; node < Kit.Nodes.Count; node++) Populate(node);
        _weather = new(Network, this, Prng.Fork(), Shape.Faults, Shape.MeanPause);
        _mischief = new(this, Prng.Fork());
    }

    internal DomainShape Shape { get; }

    internal DomainKit Kit { get; }

    internal Domain Domain { get; }

    internal Prng Prng { get; }

    internal Trace Trace { get; }

    internal DomainChecker Checker { get; }

    internal SimulatedNetwork<ReadOnlyMemory<byte>> Network { get; }

    internal VirtualTime Time => _scheduler;

    internal List<Plot> Plots { get; } = [];

    internal bool Healed => _mischief.Healed;

    internal IReadOnlyList<SimulatedNode> Nodes => _nodes;

    internal IReadOnlyList<CoreProcess> Cores => _cores;

    internal IReadOnlyList<RelayProcess> Relays => _relays;

    internal IReadOnlyList<EdgeProcess> Edges => _edges;

    internal IEnumerable<CoreProcess> CorrectCores => _cores.Where(core => core.IsCorrect);

    /// <summary>Runs one seed to its end.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="replicas">Number of core replicas.</param>
    /// <param name="lines">Takes the trace as text; null when nobody reads it.</param>
    public static SeedOutcome Run(ulong seed, int replicas, Action<string>? lines = null)
    {
        var world = new DomainWorld(seed, replicas, lines);
        using var trace = world.Trace;
        var (property, detail) = SeedOutcome.Judge(world.RunToTheEnd);
        if (property is not null) trace.Say($"BROKEN {property}: {detail}");
        return new(seed, property, detail, trace.Hash(), world._scheduler.Happened, world.Checker.Deliveries, world.Time.Now);
    }

    /// <summary>Runs one seed and returns only the name of the broken property, or null: for mutants in an assembly of their own.</summary>
    public static string? BrokenProperty(int replicas, ulong seed) => Run(seed, replicas).Property;

    void INetworkUser<ReadOnlyMemory<byte>>.Plan(long delay, in NetworkEvent<ReadOnlyMemory<byte>> happening) =>
        _scheduler.In(delay, new(HappeningKind.Network, 0, 0, 0, happening));

    void INetworkUser<ReadOnlyMemory<byte>>.Receive(int from, int to, ReadOnlyMemory<byte> frame)
    {
        Trace.Add(1, (from << 8) + to, FrameTrace.SumOf(frame.Span), 0);
        _atNode[to]?.Receive(from, frame);
    }

    void INetworkUser<ReadOnlyMemory<byte>>.LinkChanged(int one, int other, bool up)
    {
        Trace.Add(2, (one << 8) + other, up ? 1UL : 0, 0);
        if (Trace.IsRead && IsLinked(one, other)) Trace.Say($"link {Kit.Nodes[one].Id} - {Kit.Nodes[other].Id} {(up ? "up" : "down")}");
        _atNode[one]?.LinkChanged(other, up);
        _atNode[other]?.LinkChanged(one, up);
    }

    void IWeatherUser.PlanWeather(long delay, int episode) => _scheduler.In(delay, new(HappeningKind.Weather, 0, 0, episode, default));

    void IWeatherUser.WeatherChanged(FaultKinds kind, bool begins, ulong nodes)
    {
        Trace.Add(3, (int)kind, nodes, begins ? 1UL : 0);
        if (Trace.IsRead) Trace.Say(begins ? $"{kind} begins, nodes {nodes:b}" : $"episode {nodes} ends");
    }

    internal void Plan(long delay, in Happening happening) => _scheduler.In(delay, happening);

    internal bool IsLinked(int one, int other)
    {
        var (a, b) = (new Reb.Hosting.NodeIndex((ushort)one), new Reb.Hosting.NodeIndex((ushort)other));
        return one != other && (Domain.Dials(a, b) || Domain.Dials(b, a));
    }

    internal bool IsCorrectEdge(int node) => _atNode[node] is EdgeProcess;

    internal SimulatedClock NewClock()
    {
        var drifts = Shape.Has(FaultKinds.Drift);
        Span<byte> boot = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(boot, Prng.Next());
        return new(
            _scheduler,
            monotonicStart: Prng.Between(1, 1_000 * VirtualTime.Second),
            driftPerMillion: drifts ? (int)Prng.Between(-50_000, 50_000) : 0,
            skew: drifts ? Prng.Between(-VirtualTime.Second, VirtualTime.Second) : 0,
            new Guid(boot));
    }

    internal long TurnDelay() => Prng.Between(5_000, Shape.Has(DomainFaults.SlowNodes) ? 3 * VirtualTime.Millisecond : 150_000);

    internal long SyncDelay(SimulatedNode node)
    {
        var slow = Healed || node.Index % 2 == 0 ? 1 : _slowSync;
        return slow * Prng.Delay(100_000, VirtualTime.Millisecond, 20);
    }

    private void Populate(int node)
    {
        var firstEdge = Kit.Replicas + DomainKit.Relays;
        var edge = node - firstEdge;
        SimulatedNode? made = null;
        if (node < Kit.Replicas)
        {
            var lies = Shape.Byzantine.Contains(new((byte)node)) ? Prng.Fork() : null;
            _cores.Add((CoreProcess)(made = new CoreProcess(this, node, lies)));
        }
        else if (node < firstEdge)
        {
            var lies = node == Shape.LyingRelay ? Shape.RelayLies : Misbehaviours.None;
            _relays.Add((RelayProcess)(made = new RelayProcess(this, node, lies)));
        }
        else if (edge < Shape.CorrectEdges)
            _edges.Add((EdgeProcess)(made = new EdgeProcess(this, node)));
        else if (edge == DomainKit.Edges - 1 && Shape.Has(DomainFaults.LyingEdge))
            made = new LyingEdge(this, node);

        _atNode[node] = made;
        if (made is not null) _nodes.Add(made);
        else Network.Stop(node);
    }

    private void RunToTheEnd()
    {
        Begin();
        RunUntil(Shape.Trouble);
        Trace.Say("Faults heal.");
        _weather.Heal();
        _mischief.Heal();
        while (Missing() is { } missing)
        {
            if (Time.Now > Shape.Trouble + ProgressWithin) throw new PropertyViolationException("Progress", missing);
            RunUntil(Time.Now + PollEvery);
        }

        Checker.CheckEnd();
    }

    private string? Missing()
    {
        foreach (var edge in _edges)
        {
            if (edge.IsDrained) continue;
            var source = edge.Host?.Source;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{edge.Name} is not drained: fed {edge.Feed.IsDone}, accepts {edge.Host?.Accepts}, " +
                $"released {source?.Released} of {source?.NextSeq - 1}");
        }

        return Checker.Missing();
    }

    private void Begin()
    {
        if (Trace.IsRead) Trace.Say($"seed {_seed}: {Shape}");
        foreach (var node in _nodes) node.Start(20 * VirtualTime.Millisecond);
        foreach (var edge in _edges)
            Plan(Prng.Between(1, 50 * VirtualTime.Millisecond), new(HappeningKind.Feed, edge.Index, 0, 0, default));
        foreach (var liar in _nodes.OfType<LyingEdge>()) Plan(1, new(HappeningKind.Lie, liar.Index, 0, 0, default));
    }

    private void RunUntil(long limit)
    {
        while (_scheduler.TryNext(limit, out var happening))
        {
            Happen(happening);
            if (_scheduler.Happened > HappeningsMax)
            {
                throw new PropertyViolationException(
                    "Progress",
                    $"The world never comes to rest; last was {happening.Kind} at {Kit.Nodes[happening.Node].Id}.");
            }
        }
    }

    private void Happen(in Happening happening)
    {
        switch (happening.Kind)
        {
            case HappeningKind.Network: Network.Happen(happening.Network); return;
            case HappeningKind.Weather: _weather.Happen((int)happening.Number); return;
            case HappeningKind.Mischief: _mischief.Next(); return;
        }

        var node = _atNode[happening.Node]!;
        switch (happening.Kind)
        {
            case HappeningKind.Restart: DomainMischief.Restart(node); break;
            case HappeningKind.DiskHasRoom: DomainMischief.DiskHasRoom(node); break;
            case HappeningKind.Feed: ((EdgeProcess)node).Feed.Next(); break;
            case HappeningKind.Lie: ((LyingEdge)node).Next(); break;
            case HappeningKind.Turn when node.Alive && node.Life == happening.Life: node.Turn(happening.Number); break;
            case HappeningKind.Synced when node.Alive && node.Life == happening.Life: node.SyncDue(happening.Number); break;
        }
    }
}

/// <summary>What can happen in a simulated domain.</summary>
internal enum HappeningKind : byte
{
    Network,
    Weather,
    Mischief,
    Turn,
    Synced,
    Feed,
    Lie,
    Restart,
    DiskHasRoom,
}

/// <summary>One planned event.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Node">At which node.</param>
/// <param name="Life">In which life of it.</param>
/// <param name="Number">A ticket, an episode, a moment.</param>
/// <param name="Network">The network's part.</param>
internal readonly record struct Happening(HappeningKind Kind, int Node, int Life, long Number, NetworkEvent<ReadOnlyMemory<byte>> Network);
