using System.Collections.Immutable;
using System.Globalization;
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
            var samples = group.Select(counter => new MetricSample(counter.Value, LabelsOf(counter.Name)));
            yield return new(group.Key, kind, MetricHelp.Of(group.Key), [.. samples]);
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
        yield return Metric.Counter(
            "process_cpu_seconds_total", "CPU time used by the process.", Environment.CpuUsage.TotalTime.TotalSeconds);
        var heap = GC.GetGCMemoryInfo(GCKind.Any);
        yield return Metric.Gauge(
            "dotnet_gc_committed_bytes", "Memory that the garbage collector holds, as of its last run.", heap.TotalCommittedBytes);
        yield return Metric.Gauge(
            "dotnet_gc_gen0_budget_max_bytes", "Most new objects between two runs; 0: the runtime decides.", Gen0BudgetMax());
        yield return new(
            "dotnet_gc_survived_bytes",
            MetricKind.Gauge,
            "Memory of objects that outlived the last run, by generation; large objects are 3, pinned ones 4.",
            [.. heap.GenerationInfo.ToArray().Select(
                (generation, index) => new MetricSample(generation.SizeAfterBytes, Generation(index)))]);
        yield return Metric.Counter("dotnet_gc_allocated_bytes_total", "Bytes of objects made so far.", GC.GetTotalAllocatedBytes());
        yield return Metric.Counter(
            "dotnet_gc_pause_seconds_total", "Time for which the program stood still.", GC.GetTotalPauseDuration().TotalSeconds);
        yield return new(
            "dotnet_gc_collections_total",
            MetricKind.Counter,
            "Runs of the garbage collector, by the oldest generation that it looked at.",
            [.. Enumerable.Range(0, GC.MaxGeneration + 1).Select(generation => new MetricSample(
                GC.CollectionCount(generation) - (generation < GC.MaxGeneration ? GC.CollectionCount(generation + 1) : 0),
                Generation(generation)))]);
    }

    private static MetricLabel Generation(int number) => new("generation", number.ToString(CultureInfo.InvariantCulture));

    /// <summary>Returns what the collector made of <c>System.GC.Gen0MaxBudget</c>: a setting that it does not know it ignores.</summary>
    private static long Gen0BudgetMax() =>
        GC.GetConfigurationVariables().TryGetValue("GCGen0MaxBudget", out var value)
            ? System.Convert.ToInt64(value, CultureInfo.InvariantCulture)
            : 0;
}
