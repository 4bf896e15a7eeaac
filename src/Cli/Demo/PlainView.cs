using System.Globalization;

namespace Massif.Cli.Demo;

/// <summary>The view for files, pipes and screen readers: one line per change, and one a second while events flow.</summary>
internal sealed class PlainView(TextWriter output) : IDemoView
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private readonly Dictionary<string, string> _states = [];
    private readonly HashSet<string> _alarms = [];
    private readonly Dictionary<Fault, string?> _faults = [];
    private string _phase = "";
    private TimeSpan _elapsed;
    private TimeSpan _next;
    private long _lastSent = -1;
    private long _lastDelivered = -1;

    /// <inheritdoc />
    public void Say(string text) => Line(text);

    /// <inheritdoc />
    public void Show(DemoSnapshot snapshot)
    {
        _elapsed = snapshot.Elapsed;
        foreach (var node in snapshot.Nodes)
            Changed($"node {node.Id}", node.ProcessId is { } pid ? $"{node.State}, process {pid}" : node.State);
        if (snapshot.Phase != _phase) Begin(snapshot);
        foreach (var path in snapshot.Paths.Where(path => path.State != DemoMonitor.Starting))
            Changed($"path {path.Name}", path.State);
        foreach (var fault in snapshot.Faults.Where(fault => fault.Begun)) Tell(fault);
        foreach (var alarm in snapshot.Alarms)
        {
            if (!_alarms.Add(alarm.Id)) continue;
            Line(
                $"ALARM {alarm.Rule}: {alarm.KeyText}, {alarm.Count} events, " +
                $"{alarm.First} to {alarm.Last}, id {alarm.Id}");
        }

        if (_elapsed < _next || _phase == DemoMonitor.Starting) return;
        _next = _elapsed + Every;
        var delivered = snapshot.Nodes.Sum(node => node.Events ?? 0);
        if (snapshot.Sent == _lastSent && delivered == _lastDelivered) return;
        (_lastSent, _lastDelivered) = (snapshot.Sent, delivered);
        var counts = snapshot.Nodes.Where(node => node.Events is not null).Select(node => $"{node.Id}={node.Events}");
        Line(string.Create(
            CultureInfo.InvariantCulture,
            $"sent {snapshot.Sent:N0} of {snapshot.Planned:N0}; per second in {snapshot.InPerSecond:N0}, " +
            $"agreed {snapshot.AgreedPerSecond:N0}, correlated {snapshot.CorrelatedPerSecond:N0}; " +
            $"events {string.Join(' ', counts)}"));
    }

    /// <inheritdoc />
    public void Dispose() => output.Flush();

    private void Begin(DemoSnapshot snapshot)
    {
        if (_phase == DemoMonitor.Starting) Line($"all nodes are up; try it: {snapshot.TryIt}");
        _phase = snapshot.Phase;
        if (_phase != DemoMonitor.Starting) Line(_phase);
    }

    private void Tell(Fault fault)
    {
        if (!_faults.TryGetValue(fault, out var told))
        {
            Line($"FAULT {Story.Of(fault)}");
            _faults[fault] = null;
            told = null;
        }

        if (fault.Detected is not { } detected || detected == told) return;
        if (told is null) Line($"DETECTED {fault.Node} {fault.KindName}: {detected}"); // Later ones only differ in numbers.
        _faults[fault] = detected;
    }

    private void Changed(string what, string state)
    {
        if (_states.TryGetValue(what, out var old) && old == state) return;
        _states[what] = state;
        Line($"{what}: {state}");
    }

    private void Line(string text) =>
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"[{_elapsed.TotalSeconds,6:F1} s] {text}"));
}

/// <summary>The faults in words for people.</summary>
internal static class Story
{
    /// <summary>Returns what happens, in one sentence.</summary>
    public static string Of(Fault fault) => fault.Kind switch
    {
        FaultKind.Kill => $"{fault.Node} is killed (kill -9)",
        FaultKind.Misbehave => $"{fault.Node} begins to corrupt, delay and replay what it forwards",
        _ => $"{fault.Node} is started again",
    };

    /// <summary>Returns the same where room is scarce.</summary>
    public static string ShortOf(Fault fault) => fault.Kind switch
    {
        FaultKind.Kill => $"{fault.Node} killed (-9)",
        FaultKind.Misbehave => $"{fault.Node} misbehaves",
        _ => $"{fault.Node} restarted",
    };
}
