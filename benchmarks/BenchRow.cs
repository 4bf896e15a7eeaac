using System.Text.Json;
using System.Text.Json.Serialization;

namespace Massif.Benchmarks;

/// <summary>One measured value.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Value">The median over the slices of the measurement.</param>
/// <param name="Unit">Its unit.</param>
/// <param name="CpuMicrosecondsPerEvent">CPU time of all nodes per event, in microseconds; null where there are no events.</param>
/// <param name="Limit">What the machine itself would allow, in the same unit; null for the machine's own rows.</param>
/// <param name="LimitedBy">What that limit is; null for the machine's own rows.</param>
/// <param name="MemoryMebibytes">Most memory in RAM that each node's process had, in MiB; empty where there are none.</param>
public sealed record BenchRow(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("value")] double Value,
    [property: JsonPropertyName("unit")] string Unit,
    [property: JsonPropertyName("cpu_us_per_event")] double? CpuMicrosecondsPerEvent,
    [property: JsonPropertyName("limit")] double? Limit,
    [property: JsonPropertyName("limited_by")] string? LimitedBy,
    [property: JsonPropertyName("memory_mib")] IReadOnlyDictionary<string, double> MemoryMebibytes)
{
    /// <summary>Gets value by limit; null without a limit.</summary>
    [JsonPropertyName("ratio"), JsonPropertyOrder(1)]
    public double? Ratio => Limit is { } limit ? Round(Value / limit) : null;

    /// <summary>Gets the CPU time of each node's process per event, in microseconds; empty where there are none.</summary>
    [JsonPropertyName("cpu_us_per_event_by_node"), JsonPropertyOrder(2)]
    public IReadOnlyDictionary<string, double> CpuMicrosecondsPerEventByNode { get; init; } = new Dictionary<string, double>();

    /// <summary>Makes a row of the machine's own limits.</summary>
    public static BenchRow OfMachine(string name, double gigabytesPerSecond) =>
        new(name, Round(gigabytesPerSecond), "GB/s", null, null, null, new Dictionary<string, double>());

    /// <summary>Makes a row of events per second.</summary>
    public static BenchRow OfEvents(
        string name,
        double eventsPerSecond,
        double cpuMicroseconds,
        double limit,
        string limitedBy,
        IReadOnlyDictionary<string, double>? memory = null) =>
        new(
            name,
            Math.Round(eventsPerSecond),
            "events/s",
            Round(cpuMicroseconds),
            Math.Round(limit),
            limitedBy,
            memory ?? new Dictionary<string, double>());

    /// <summary>Makes a row of what nodes did, with what each of them spent on it.</summary>
    internal static BenchRow OfNodes(
        string name, Measurement measured, double limit, string limitedBy, IReadOnlyDictionary<string, double> memory) =>
        OfEvents(name, measured.PerSecond, measured.CpuByNode.Values.Sum(), limit, limitedBy, memory) with
        {
            CpuMicrosecondsPerEventByNode = measured.CpuByNode.ToDictionary(node => node.Key, node => Round(node.Value)),
        };

    /// <summary>Makes a row of a time.</summary>
    internal static BenchRow OfTime(string name, double milliseconds) =>
        new(name, Round(milliseconds), "ms", null, null, null, new Dictionary<string, double>());

    /// <summary>Returns the rows as one JSON array.</summary>
    public static string ToJson(IEnumerable<BenchRow> rows) => JsonSerializer.Serialize(rows);

    private static double Round(double value) => Math.Round(value, 3);
}
