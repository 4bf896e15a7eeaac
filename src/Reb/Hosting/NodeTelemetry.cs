using System.Collections.Immutable;
using Massif.Reb.Telemetry;

namespace Massif.Reb.Hosting;

/// <summary>A node's counters as metrics, with what process and links add; answered through the node's own loop.</summary>
/// <param name="counters">The host's counters.</param>
/// <param name="turn">Waits for one turn of the loop: a loop that hangs answers nothing.</param>
/// <param name="more">Adds metrics that are no counters of the host.</param>
/// <param name="health">Says whether the node does its work.</param>
public sealed class NodeTelemetry(
    Counters counters,
    Func<CancellationToken, ValueTask> turn,
    Func<IEnumerable<Metric>> more,
    Func<NodeHealth> health) : ITelemetrySource
{
    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<Metric>> CollectAsync(CancellationToken cancel)
    {
        await turn(cancel);
        return [.. Convert(counters), .. more(), .. ProcessMetrics()];
    }

    /// <inheritdoc />
    public async ValueTask<NodeHealth> CheckAsync(CancellationToken cancel)
    {
        await turn(cancel);
        return health();
    }

    /// <summary>Returns the counters grouped by name; <c>NAME{label="value",...}</c> becomes a sample with labels.</summary>
    public static IEnumerable<Metric> Convert(Counters counters)
    {
        ArgumentNullException.ThrowIfNull(counters);
        foreach (var group in counters.All().GroupBy(counter => counter.Name.Split('{')[0], StringComparer.Ordinal))
        {
            var kind = group.Key.EndsWith("_total", StringComparison.Ordinal) ? MetricKind.Counter : MetricKind.Gauge;
            var help = group.Key.Replace("massif_", "", StringComparison.Ordinal).Replace('_', ' ');
            yield return new(group.Key, kind, help, [.. group.Select(counter => new MetricSample(counter.Value, LabelsOf(counter.Name)))]);
        }
    }

    private static ImmutableArray<MetricLabel> LabelsOf(string name)
    {
        var open = name.IndexOf('{', StringComparison.Ordinal);
        if (open < 0) return [];
        return [.. name[(open + 1)..^1].Split("\",", StringSplitOptions.RemoveEmptyEntries).Select(part =>
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            return new MetricLabel(part[..equals], part[(equals + 1)..].Trim('"'));
        })];
    }

    private static IEnumerable<Metric> ProcessMetrics()
    {
        yield return Metric.Gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", Environment.WorkingSet);
        yield return Metric.Gauge("process_id", "Process id.", Environment.ProcessId);
        yield return Metric.Counter("process_cpu_seconds_total", "CPU time used by the process.", Environment.CpuUsage.TotalTime.TotalSeconds);
    }
}
