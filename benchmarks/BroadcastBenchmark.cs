using Massif.Reb.Configuration;

namespace Massif.Benchmarks;

/// <summary>Reliable broadcast of 128 KiB batches among real replicas, from a source in this process.</summary>
internal static class BroadcastBenchmark
{
    /// <summary>Length of a batch in bytes.</summary>
    public const int BatchBytes = 128 * 1024;

    /// <summary>Measures; a batch counts as so many events of 200 bytes, once every replica has it delivered and durable.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, int replicas, CancellationToken cancel)
    {
        run.Request.Progress($"broadcast-{replicas}: 128 KiB batches, one source, {replicas} replicas");
        using var domain = BenchDomain.Create(run.Request, replicas, relays: 0, ChannelPaths.One);
        await domain.StartAsync(domain.Replicas, untilReady: true, cancel);
        await using var source = SourceNode.Start(domain.NodeFile(domain.Edge.Id), BatchBytes);
        const double EventsPerBatch = (double)BatchBytes / SyslogLines.LineBytes;
        var measured = await Measurement.TakeAsync(
            run, () => Task.FromResult(source.DeliveredEverywhere * EventsPerBatch), CpuWithSource, cancel);
        var limit = run.Machine.Tls / (replicas * SyslogLines.LineBytes);
        run.Request.Progress($"broadcast-{replicas}: {source.Repeats} repeats of {source.Published} batches");
        return [BenchRow.OfNodes($"broadcast-{replicas}", measured, limit, $"TLS to {replicas} replicas", domain.Memory())];

        Dictionary<string, TimeSpan> CpuWithSource() => new(domain.Cpu()) { ["source"] = Environment.CpuUsage.TotalTime };
    }
}
