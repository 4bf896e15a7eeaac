using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using Massif.Client;

namespace Massif.Benchmarks;

/// <summary>The time from a line to the alarm that a client believes, at a steady rate below the highest.</summary>
internal static class HalfLoad
{
    /// <summary>Alarms of one measurement: the fewest of which a hundredth is one.</summary>
    private const int Alarms = 100;

    private const string FirstProbes = "198.19.";
    private static readonly TimeSpan ProbeEveryMin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LastAlarmTime = TimeSpan.FromSeconds(30);

    /// <summary>Sends at a rate, raises alarms for addresses of their own, and returns their times as p50 and p99.</summary>
    /// <param name="run">How long.</param>
    /// <param name="domain">The domain; nobody else allows its sender anything any more.</param>
    /// <param name="sender">The load.</param>
    /// <param name="name">Name of the benchmark.</param>
    /// <param name="perSecond">The rate of the load, in events per second.</param>
    /// <param name="cancel">Ends the measurement.</param>
    /// <exception cref="BenchException">Alarms did not come.</exception>
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(
        BenchRun run, BenchDomain domain, SyslogSender sender, string name, double perSecond, CancellationToken cancel)
    {
        run.Request.Progress($"{name}: {Alarms} alarms at half load, {perSecond:N0} events/s");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var every = TimeSpan.FromSeconds((double)run.Slices / Alarms);
        if (every < ProbeEveryMin) every = ProbeEveryMin;
        stop.CancelAfter(run.WarmUp + (every * Alarms * 2) + LastAlarmTime);
        using var client = new OperatorClient(domain);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(domain.Syslog, cancel);
        var probes = new Probes();
        var pacing = PaceAsync(sender, perSecond, stop.Token);
        var reading = probes.ReadAsync(client.Voting, stop.Token);
        try
        {
            await Task.Delay(run.WarmUp, stop.Token); // What was sent at full load is gone then.
            for (var i = 0; !probes.HasBegun; i++)
            {
                await probes.SendAsync(socket, $"{FirstProbes}{i / 250}.{(i % 250) + 1}", stop.Token);
                await Task.Delay(every, stop.Token);
            }

            for (var i = 0; i < Alarms; i++)
            {
                await probes.SendAsync(socket, $"198.18.0.{i + 1}", stop.Token);
                await Task.Delay(every, stop.Token);
            }

            await reading;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new BenchException($"{probes.Times.Count} of {Alarms} alarms at half load were agreed in time");
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(pacing, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return
        [
            BenchRow.OfTime($"{name} at half load: line to voted alarm, p50", Measurement.Quantile(probes.Times, 0.5)),
            BenchRow.OfTime($"{name} at half load: line to voted alarm, p99", Measurement.Quantile(probes.Times, 0.99)),
        ];
    }

    private static async Task PaceAsync(SyslogSender sender, double perSecond, CancellationToken cancel)
    {
        var (start, watch) = (sender.Sent, Stopwatch.StartNew());
        while (true)
        {
            sender.Allow(start + (long)(perSecond * watch.Elapsed.TotalSeconds));
            await Task.Delay(1, cancel);
        }
    }

    /// <summary>Lines that raise an alarm each, and the alarms as they come.</summary>
    private sealed class Probes
    {
        private readonly ConcurrentDictionary<string, long> _sentAt = new();
        private volatile bool _hasBegun;

        /// <summary>Gets whether an alarm has come: the client follows all replicas that it needs.</summary>
        public bool HasBegun => _hasBegun;

        /// <summary>Gets the times in milliseconds; read when the reader has ended.</summary>
        public List<double> Times { get; } = [];

        public async Task SendAsync(Socket socket, string address, CancellationToken cancel)
        {
            _sentAt[address] = Stopwatch.GetTimestamp();
            await socket.SendAsync(SyslogLines.FailedLogins(address, 5), cancel);
        }

        public async Task ReadAsync(VotingClient client, CancellationToken cancel)
        {
            await foreach (var entry in client.TailAsync(TailKind.Alarms, cancel))
            {
                if (entry.Json is null) continue; // News of a replica.
                foreach (var (_, address) in AlarmInfo.Parse(entry.Json).Key)
                {
                    if (!_sentAt.TryRemove(address, out var at)) continue;
                    _hasBegun = true;
                    if (!address.StartsWith(FirstProbes, StringComparison.Ordinal))
                        Times.Add(Stopwatch.GetElapsedTime(at).TotalMilliseconds);
                }

                if (Times.Count == Alarms) return;
            }
        }
    }
}
