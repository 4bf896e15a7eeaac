using Massif.Reb.Configuration;

namespace Massif.Benchmarks;

/// <summary>TCP syslog into the synced spool of a real edge. Its replicas are away, so that nothing but the edge is measured.</summary>
internal static class IngestBenchmark
{
    /// <summary>Measures.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancel)
    {
        run.Request.Progress("ingest: TCP syslog to the synced spool of an edge");
        using var domain = BenchDomain.Create(run.Request, replicas: 4, relays: 0, ChannelPaths.One);
        await domain.StartAsync([domain.Edge.Id], untilReady: false, cancel);
        using var sender = new SyslogSender(domain.Syslog);
        var measured = await Measurement.TakeAsync(run, SyncedAsync, domain.Cpu, cancel);
        var limit = run.Machine.Tcp / SyslogLines.LineBytes;
        return [BenchRow.OfNodes("ingest", measured, limit, "loopback TCP", domain.Memory())];

        async Task<double> SyncedAsync()
        {
            var metrics = await domain.MetricsAsync(domain.Edge.Id, cancel);
            return EdgeMetrics.EventsIn(metrics, "massif_batches_synced_total");
        }
    }
}

/// <summary>What is read from an edge's metrics.</summary>
internal static class EdgeMetrics
{
    /// <summary>Returns how many events are in as many batches as a counter says; batches are alike.</summary>
    public static double EventsIn(Reb.Telemetry.MetricsText metrics, string batches)
    {
        var published = metrics.Sum("massif_batches_published_total");
        return published == 0 ? 0 : metrics.Sum("massif_events_received_total") * metrics.Sum(batches) / published;
    }
}
