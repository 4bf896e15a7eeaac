namespace Massif.Benchmarks;

/// <summary>Runs benchmarks: our figures beside what the same machine can do at all, measured in the same run.</summary>
public static class Bench
{
    private static readonly (string Name, Func<BenchRun, CancellationToken, Task<IReadOnlyList<BenchRow>>> Run)[] All =
    [
        ("parse", ParseBenchmark.RunAsync),
        ("ingest", IngestBenchmark.RunAsync),
        ("broadcast-4", (run, cancel) => BroadcastBenchmark.RunAsync(run, 4, cancel)),
        ("broadcast-7", (run, cancel) => BroadcastBenchmark.RunAsync(run, 7, cancel)),
        ("whole-way", (run, cancel) => WholeWayBenchmark.RunAsync(run, copies: false, cancel)),
        ("whole-way-3-paths", (run, cancel) => WholeWayBenchmark.RunAsync(run, copies: true, cancel)),
    ];

    /// <summary>Gets the names of the benchmarks.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(benchmark => benchmark.Name)];

    /// <summary>Gets the names of the programs that can be measured beside Massif when they are installed.</summary>
    public static IReadOnlyList<string> Peers { get; } = [RsyslogPeer.Name];

    /// <summary>Measures the machine, then what was asked for, in the order of <see cref="Names"/>, then the peers.</summary>
    /// <exception cref="BenchException">Something could not be measured.</exception>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRequest request, CancellationToken cancel)
    {
        ArgumentNullException.ThrowIfNull(request);
        var rsyslog = request.Peers.Contains(RsyslogPeer.Name) ? RsyslogPeer.Find() : null; // Before minutes are spent on the rest.
        request.Progress("machine: memory copy, SHA-256, loopback TCP, TLS 1.3");
        var machine = await MachineLimits.MeasureAsync(cancel);
        var run = new BenchRun(request, machine);
        var rows = new List<BenchRow>(machine.Rows);
        foreach (var (name, benchmark) in All)
        {
            if (request.Only.Count > 0 && !request.Only.Contains(name)) continue;
            rows.AddRange(await benchmark(run, cancel));
        }

        if (rsyslog is not null) rows.Add(await RsyslogPeer.RunAsync(run, rsyslog, cancel));
        return rows;
    }
}

/// <summary>What all benchmarks of one run share.</summary>
internal sealed record BenchRun(BenchRequest Request, MachineLimits Machine)
{
    /// <summary>Gets how long a measurement runs before it counts: the JIT needs some seconds to see what is hot.</summary>
    public TimeSpan WarmUp { get; } = TimeSpan.FromSeconds(Math.Clamp(Request.Seconds, 2, 6));

    /// <summary>Gets the number of slices, of a second each.</summary>
    public int Slices => Math.Max(1, Request.Seconds);
}
