using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Massif.Reb.Configuration;

namespace Massif.Cli.Demo;

/// <summary>Puts together what the view shows, and notes what the domain noticed of the faults.</summary>
internal sealed class DemoMonitor(
    DemoDomain domain,
    DemoProcesses processes,
    IDomainObserver observer,
    DemoFeeder feeder,
    FaultScript script,
    long planned) : IDisposable
{
    /// <summary>The first phase.</summary>
    public const string Starting = "starting";

    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Rate _in = new();
    private readonly Rate _agreed = new();
    private readonly Rate _correlated = new();
    private readonly SemaphoreSlim _one = new(1);
    private readonly Dictionary<string, string> _states = [];
    private readonly ConcurrentDictionary<string, bool> _ready = [];

    /// <summary>Gets or sets what is being done.</summary>
    public string Phase { get; set; } = Starting;

    /// <summary>Gets what the last look saw; null before the first.</summary>
    public DomainReading? Reading { get; private set; }

    /// <summary>Notes that a node has started and is healthy.</summary>
    public void Ready(string node) => _ready[node] = true;

    /// <summary>Looks once.</summary>
    public async Task<DemoSnapshot> LookAsync(CancellationToken cancel)
    {
        await _one.WaitAsync(cancel); // The rates need one look after the other.
        try
        {
            var reading = await observer.ReadAsync(cancel);
            Reading = reading;
            Detect(reading);
            var now = _watch.Elapsed;
            return new()
            {
                Phase = Phase,
                Elapsed = now,
                Sent = feeder.Sent,
                Planned = planned,
                InPerSecond = _in.Take(reading.TakenIn, now),
                AgreedPerSecond = _agreed.Take(OneCorrect(reading, replica => replica.Delivered), now),
                CorrelatedPerSecond = _correlated.Take(OneCorrect(reading, replica => replica.Correlated), now),
                Nodes = [.. domain.Domain.Nodes.Select(node => Line(node, reading))],
                Paths = reading.Paths.Count > 0 ? reading.Paths : Expected,
                Alarms = reading.Alarms,
                Faults = script.Faults,
                TryIt = $"logger --server {domain.LiveListener.Address} --port {domain.LiveListener.Port} --tcp \"hello\"",
            };
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc />
    public void Dispose() => _one.Dispose();

    // What the edge has not told of yet is there all the same, so that the picture keeps its shape.
    private IReadOnlyList<PathLine> Expected { get; } =
        [new("direct", Starting, 0, 0), .. domain.Domain.Relays.Select(relay => new PathLine($"via {relay.Id}", Starting, 0, 0))];

    private NodeLine Line(DomainNode node, DomainReading reading)
    {
        var process = processes.All.FirstOrDefault(process => process.Id == node.Id);
        var replica = reading.Replicas.GetValueOrDefault(node.Id);
        var state = process?.Ended ?? Alive(node.Id, process?.Starts > 1, replica);
        var role = domain[node.Id].Role.ToString().ToLowerInvariant();
        return new(node.Id, role, process?.ProcessId, state, node.Role == NodeRole.Core ? replica?.Delivered : null);
    }

    private string Alive(string id, bool isBack, ReplicaReading? replica)
    {
        if (replica is { Answers: true }) return Settled(id, replica.State);
        if (replica is not null && isBack) return "catching up";
        if (!_ready.ContainsKey(id)) return "starting";
        if (replica is not null) return "silent";
        var misbehaves = script.Faults.Any(fault => fault is { Begun: true, Kind: FaultKind.Misbehave } && fault.Node == id);
        return misbehaves ? "misbehaves" : "up";
    }

    /// <summary>A look finds one replica or another a batch behind the others; it is behind when two looks in a row do.</summary>
    private string Settled(string id, string state)
    {
        var before = _states.GetValueOrDefault(id);
        _states[id] = state;
        return state == "behind" && before != state ? "up" : state;
    }

    /// <summary>Returns what at least f + 1 replicas have reached: at least one correct replica says so.</summary>
    private long OneCorrect(DomainReading reading, Func<ReplicaReading, long> of) =>
        reading.Replicas.Values.Select(of).OrderDescending().ElementAtOrDefault(domain.Domain.Quorums.OneCorrect - 1);

    private void Detect(DomainReading reading)
    {
        foreach (var fault in script.Faults.Where(fault => fault.Begun))
        {
            if (Detected(fault, reading) is { } what) fault.Detect(what);
        }
    }

    private static string? Detected(Fault fault, DomainReading reading)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill when fault.Detected is null:
                return reading.Replicas.TryGetValue(fault.Node, out var dead) && !dead.Answers
                    ? $"{fault.Node} is silent; the other {reading.Replicas.Values.Count(replica => replica.Answers)} go on without it"
                    : null;
            case FaultKind.Misbehave:
                var path = reading.Paths.FirstOrDefault(path => path.Name.EndsWith(fault.Node, StringComparison.Ordinal));
                return path is { Corrupt: > 0 } or { Replayed: > 0 }
                    ? string.Create(
                        CultureInfo.InvariantCulture,
                        $"{path.Corrupt:N0} corrupt and {path.Replayed:N0} replayed copies refused " +
                        $"and blamed on the path {path.Name}")
                    : null;
            case FaultKind.Restart when fault.Detected is null:
                return reading.Replicas.TryGetValue(fault.Node, out var back) && back.Position is { } position
                    && reading.Replicas.Values.All(replica => replica.Position == position)
                    ? $"{fault.Node} has caught up with all others"
                    : null;
            default:
                return null;
        }
    }

    /// <summary>Events per second over the last few looks.</summary>
    private sealed class Rate
    {
        private static readonly TimeSpan Window = TimeSpan.FromSeconds(2);
        private readonly Queue<(long Count, TimeSpan At)> _looks = [];

        public double Take(long count, TimeSpan now)
        {
            _looks.Enqueue((count, now));
            while (_looks.Count > 2 && now - _looks.Peek().At > Window) _looks.Dequeue();
            var (first, at) = _looks.Peek();
            return now > at && count > first ? (count - first) / (now - at).TotalSeconds : 0;
        }
    }
}
