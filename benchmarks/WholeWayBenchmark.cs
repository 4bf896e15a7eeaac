using System.Diagnostics;
using System.Net.Sockets;
using Massif.Reb.Configuration;

namespace Massif.Benchmarks;

/// <summary>From TCP syslog through a real edge and four replicas to an alarm that a client believes.</summary>
internal static class WholeWayBenchmark
{
    private const int Replicas = 4;
    private const int Relays = 2;

    /// <summary>Events under way: enough to keep every stage busy, and the spool nearly empty.</summary>
    private const long UnderWay = 64 * 1024;

    private const int Alarms = 3;
    private static readonly TimeSpan AlarmTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(25);

    /// <summary>Measures throughput, then the time to a voted alarm under the same load and at half of it.</summary>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, bool copies, CancellationToken cancel)
    {
        var name = copies ? "whole-way-3-paths" : "whole-way";
        run.Request.Progress($"{name}: TCP syslog, edge, {(copies ? "3 paths, " : "")}{Replicas} replicas, rules, voted alarm");
        using var domain = BenchDomain.Create(run.Request, Replicas, copies ? Relays : 0, copies ? ChannelPaths.Copies : ChannelPaths.One);
        await domain.StartAsync(domain.Domain.Nodes.Select(node => node.Id), untilReady: true, cancel);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var sender = new SyslogSender(domain.Syslog, UnderWay);
        var pacing = PaceAsync(domain, sender, stop.Token);
        try
        {
            var measured = await Measurement.TakeAsync(
                run, () => domain.LowestAsync("massif_events_correlated_total", cancel), domain.Cpu, cancel);
            var alarm = await AlarmTimeAsync(domain, cancel);
            var metrics = await domain.MetricsAsync(domain.Edge.Id, cancel);
            var (repeats, batches) = (metrics.Sum("massif_initial_repeats_total"), metrics.Sum("massif_batches_published_total"));
            run.Request.Progress($"{name}: {repeats} repeats of {batches} batches");
            // With copies a batch crosses four direct links, two to the relays, and four behind each relay.
            var hops = copies ? Replicas + (Relays * (1 + Replicas)) : Replicas;
            var limit = run.Machine.Tls / (hops * SyslogLines.EncodedBytes);
            var row = BenchRow.OfNodes(name, measured, limit, $"TLS over {hops} hops", domain.Memory());
            await stop.CancelAsync(); // From here on another pace.
            await pacing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return
            [
                row,
                BenchRow.OfTime($"{name}: line to voted alarm", Math.Round(alarm.TotalMilliseconds)),
                .. await HalfLoad.RunAsync(run, domain, sender, name, measured.PerSecond / 2, cancel),
            ];
        }
        finally
        {
            await stop.CancelAsync();
            await pacing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Lets the sender go on as events are released: the highest rate that does not pile up in the spool.</summary>
    private static async Task PaceAsync(BenchDomain domain, SyslogSender sender, CancellationToken cancel)
    {
        while (true)
        {
            var released = EdgeMetrics.EventsIn(await domain.MetricsAsync(domain.Edge.Id, cancel), "massif_batches_released_total");
            sender.Allow((long)released + UnderWay);
            await Task.Delay(LookEvery, cancel);
        }
    }

    /// <summary>Returns the median time from a fifth failed login to the alarm that f + 1 replicas tell alike.</summary>
    private static async Task<TimeSpan> AlarmTimeAsync(BenchDomain domain, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(AlarmTime);
        using var client = new OperatorClient(domain);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(domain.Syslog, cancel);
        var times = new List<double>();
        try
        {
            for (var alarm = 0; alarm < Alarms; alarm++)
            {
                var address = $"192.0.2.{alarm + 1}";
                var watch = Stopwatch.StartNew();
                await socket.SendAsync(SyslogLines.FailedLogins(address, 5), cancel);
                while (!(await client.Voting.GetAlarmsAsync(limit.Token)).Alarms.Any(made => made.Key.Any(field => field.Value == address)))
                    await Task.Delay(5, limit.Token);
                times.Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new BenchException($"no alarm was agreed within {AlarmTime.TotalSeconds} s");
        }

        return TimeSpan.FromMilliseconds(Measurement.Median(times));
    }
}
