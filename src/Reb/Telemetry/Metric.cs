using System.Collections.Immutable;

namespace Massif.Reb.Telemetry;

/// <summary>How a metric moves.</summary>
public enum MetricKind : byte
{
    /// <summary>Only up, from 0 at the start of the process.</summary>
    Counter,

    /// <summary>Up and down.</summary>
    Gauge,
}

/// <summary>One label of a sample.</summary>
/// <param name="Name">Letters, digits and underscores.</param>
/// <param name="Value">Any text.</param>
public readonly record struct MetricLabel(string Name, string Value);

/// <summary>One number of a metric.</summary>
/// <param name="Value">The number.</param>
/// <param name="Labels">What tells it from the others of the metric.</param>
public readonly record struct MetricSample(double Value, params ImmutableArray<MetricLabel> Labels);

/// <summary>A metric with its numbers at one moment.</summary>
/// <param name="Name">Letters, digits and underscores, unit at the end; a counter ends in <c>_total</c>.</param>
/// <param name="Kind">How it moves.</param>
/// <param name="Help">One sentence for people.</param>
/// <param name="Samples">The numbers.</param>
public sealed record Metric(string Name, MetricKind Kind, string Help, params ImmutableArray<MetricSample> Samples)
{
    /// <summary>Returns a counter with one number.</summary>
    public static Metric Counter(string name, string help, double value) =>
        new(name, MetricKind.Counter, help, new MetricSample(value, []));

    /// <summary>Returns a gauge with one number.</summary>
    public static Metric Gauge(string name, string help, double value) =>
        new(name, MetricKind.Gauge, help, new MetricSample(value, []));

    /// <summary>Returns a metric with one label and a number for each of its values.</summary>
    public static Metric By(
        string label, string name, MetricKind kind, string help, IEnumerable<KeyValuePair<string, long>> values) =>
        new(name, kind, help, [.. values.Select(v => new MetricSample(v.Value, new MetricLabel(label, v.Key)))]);
}
