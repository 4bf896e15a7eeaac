namespace Massif.Benchmarks;

/// <summary>What to measure.</summary>
public sealed record BenchRequest
{
    /// <summary>Fewest seconds that each value is measured for.</summary>
    public const int SecondsMin = 1;

    /// <summary>Most seconds that each value is measured for.</summary>
    public const int SecondsMax = 600;

    /// <summary>Gets the names of the benchmarks to run; empty for all.</summary>
    public IReadOnlyList<string> Only { get; init; } = [];

    /// <summary>Gets the names of the installed programs to measure too; see <see cref="Bench.Peers"/>.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>Gets how long each value is measured after its warm-up, in seconds.</summary>
    public int Seconds { get; init; } = 8;

    /// <summary>Gets the rules of the replicas (YAML).</summary>
    public required string RulesText { get; init; }

    /// <summary>Gets how nodes are started.</summary>
    public required NodeLauncher Launch { get; init; }

    /// <summary>Gets what is told of the progress, a line at a time.</summary>
    public Action<string> Progress { get; init; } = _ => { };
}

/// <summary>A benchmark could not be carried out: a node did not start, or nothing moved.</summary>
public sealed class BenchException(string message) : Exception(message);
