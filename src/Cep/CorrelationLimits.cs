namespace Massif.Cep;

/// <summary>Bounds of the engine's memory. They are part of its behaviour, so they must be equal at all replicas.</summary>
/// <remarks>
/// A table holds the state of one rule for one life of a stream, live and replayed events apart. At its limit it forgets
/// the oldest quarter by event time and counts what it forgot. An alarm is exact unless something within w before its
/// window was forgotten. What that takes in memory: <see cref="RuleSet.TableBytesMax"/>.
/// </remarks>
public sealed record CorrelationLimits
{
    /// <summary>Most keys of a table. Default 100,000.</summary>
    public int Keys { get; init; } = 100_000;

    /// <summary>Most events that a table remembers, over all keys. Default 262,144.</summary>
    public int Occurrences { get; init; } = 262_144;

    /// <summary>
    /// Most events that one key remembers; at this many the oldest quarter goes. Default 8,192: the 6,144 that are left
    /// reach <see cref="RuleDefinition.ThresholdMax"/>, and an event that is inserted far back moves at most 200 kB.
    /// </summary>
    public int OccurrencesPerKey { get; init; } = 8_192;

    /// <summary>
    /// Most lives of one edge whose state is kept; beyond it that of the lowest incarnation goes. Default 4: a correct edge has one,
    /// and perhaps a late batch of the one before. It bounds what an edge that invents incarnations can make a replica hold.
    /// </summary>
    public int LivesPerEdge { get; init; } = 4;

    /// <summary>Most event ids written into an alarm; the rest is counted. Default 1,024: an alarm stays below 20 kB.</summary>
    public int EventsPerAlarm { get; init; } = 1_024;
}
