using Massif.Reb.Configuration;
using Massif.Reb.Telemetry;

namespace Massif.Mis.Edge.Collectors;

/// <summary>All syslog listeners of an edge: bound together, stopped together, their counters as metrics.</summary>
internal sealed class SyslogCollectors : IAsyncDisposable
{
    private static readonly TimeSpan LookAtLosses = TimeSpan.FromSeconds(1);

    private readonly InputGate _gate;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<(string Name, int Id, TcpListenerCollector Collector)> _tcp = [];
    private readonly List<(string Name, int Id, UdpCollector Collector)> _udp = [];
    private readonly Dictionary<int, long> _reported = [];
    private readonly List<Task> _running = [];

    private SyslogCollectors(InputGate gate) => _gate = gate;

    /// <summary>Gets the end of the listeners: it ends before the stop only when one of them failed.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    /// <summary>Binds all listeners, or none.</summary>
    /// <exception cref="ListenerException">An address cannot be had.</exception>
    public static SyslogCollectors Start(IReadOnlyList<SyslogListener> listeners, InputGate gate)
    {
        var collectors = new SyslogCollectors(gate);
        try
        {
            for (var i = 0; i < listeners.Count; i++) collectors.Bind(i, listeners[i]);
        }
        catch
        {
            foreach (var (_, _, collector) in collectors._tcp) collector.Dispose();
            foreach (var (_, _, collector) in collectors._udp) collector.Dispose();
            throw;
        }

        foreach (var (_, _, collector) in collectors._tcp) collectors._running.Add(collector.RunAsync(collectors._stop.Token));
        foreach (var (_, _, collector) in collectors._udp) collectors._running.Add(collector.RunAsync(collectors._stop.Token));
        collectors._running.Add(collectors.ReportLossesAsync());
        collectors.Completion = Task.WhenAny(collectors._running).Unwrap();
        return collectors;
    }

    /// <summary>Returns the counters.</summary>
    public IEnumerable<Metric> Metrics()
    {
        var tcp = _tcp.Select(listener => (listener.Name, listener.Collector.Counters)).ToArray();
        var udp = _udp.Select(listener => (listener.Name, listener.Collector.Counters)).ToArray();
        yield return new("massif_listener_connections_total", MetricKind.Counter, "Connections accepted.",
            [.. tcp.Select(c => Sample(c.Counters.Accepted, c.Name))]);
        yield return new(
            "massif_listener_connections_refused_total", MetricKind.Counter, "Connections refused or closed by the edge, by reason.",
            [.. tcp.SelectMany(c => new[]
            {
                Sample(c.Counters.RefusedSender, c.Name, "sender_not_allowed"),
                Sample(c.Counters.RefusedLimit, c.Name, "too_many"),
                Sample(c.Counters.AcceptFailures, c.Name, "accept_failed"),
                Sample(c.Counters.ClosedSilent, c.Name, "silent"),
                Sample(c.Counters.ClosedToMakeRoom, c.Name, "made_room"),
                Sample(c.Counters.ClosedByOwner, c.Name, "partial_frame"),
            })]);
        yield return new("massif_listener_datagrams_dropped_total", MetricKind.Counter, "Datagrams dropped, by reason.",
            [.. udp.SelectMany(c => new[]
            {
                Sample(c.Counters.RefusedSender, c.Name, "sender_not_allowed"),
                Sample(c.Counters.DroppedSinkFull, c.Name, "edge_full"),
                Sample(c.Counters.DroppedKernel ?? 0, c.Name, "kernel_buffer_full"),
            })]);
    }

    /// <summary>Closes a connection that the host has given up; nothing when it is gone already.</summary>
    public void Close(long connection)
    {
        foreach (var (_, id, collector) in _tcp)
            if (TcpListenerCollector.ListenerOf(connection) == id) collector.Close(connection);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _gate.Release();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (_, id, collector) in _udp) ReportLosses(id, collector.Counters); // What was lost since the last look.
        _stop.Dispose();
    }

    private static MetricSample Sample(long value, string listener) => new(value, new MetricLabel("listener", listener));

    private static MetricSample Sample(long value, string listener, string reason) =>
        new(value, new MetricLabel("listener", listener), new MetricLabel("reason", reason));

    private void Bind(int id, SyslogListener listener)
    {
        var allowed = AllowedSenders.Parse(listener.AllowedSenders.Select(network => network.ToString()));
        if (listener.Protocol == SyslogProtocol.Udp)
        {
            var options = new UdpListenerOptions { ListenerId = id, EndPoint = listener.Address, AllowedSenders = allowed };
            _udp.Add((listener.Name, id, UdpCollector.Bind(options, _gate)));
        }
        else
        {
            var options = new TcpListenerOptions
            {
                ListenerId = id,
                EndPoint = listener.Address,
                AllowedSenders = allowed,
                ConnectionsMax = listener.MaxConnections,
            };
            _tcp.Add((listener.Name, id, TcpListenerCollector.Bind(options, _gate, TimeProvider.System)));
        }
    }

    /// <summary>Turns losses into events (promise G3): what a UDP buffer loses is counted and reported as an event.</summary>
    private async Task ReportLossesAsync()
    {
        using var timer = new PeriodicTimer(LookAtLosses);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                foreach (var (_, id, collector) in _udp) ReportLosses(id, collector.Counters);
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private void ReportLosses(int id, UdpListenerCounters counters)
    {
        var lost = counters.DroppedSinkFull + (counters.DroppedKernel ?? 0);
        var fresh = lost - _reported.GetValueOrDefault(id);
        if (fresh > 0 && _gate.TryPostLoss(id, fresh)) _reported[id] = lost;
    }
}
