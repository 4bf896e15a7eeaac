using System.Diagnostics;

namespace Massif.Benchmarks;

/// <summary>A rate over slices of time, and what it cost.</summary>
/// <param name="PerSecond">Median of the slices.</param>
/// <param name="CpuByNode">CPU time of each process per unit of work over all slices, in microseconds.</param>
internal readonly record struct Measurement(double PerSecond, IReadOnlyDictionary<string, double> CpuByNode)
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StandstillMax = TimeSpan.FromSeconds(30);

    /// <summary>Warms up, then measures slice by slice.</summary>
    /// <param name="run">How long.</param>
    /// <param name="done">Returns how much has been done since the start.</param>
    /// <param name="cpu">Returns the CPU time that each process has used so far.</param>
    /// <param name="cancel">Ends the measurement.</param>
    /// <exception cref="BenchException">Nothing moved for half a minute.</exception>
    public static async Task<Measurement> TakeAsync(
        BenchRun run, Func<Task<double>> done, Func<Dictionary<string, TimeSpan>> cpu, CancellationToken cancel)
    {
        await WaitForWorkAsync(done, cancel);
        await Task.Delay(run.WarmUp, cancel);
        var watch = Stopwatch.StartNew();
        var rates = new List<double>();
        var (first, cpuBefore) = (await done(), cpu());
        var (last, at) = (first, watch.Elapsed);
        for (var slice = 0; slice < run.Slices; slice++)
        {
            await Task.Delay(Slice, cancel);
            var (now, time) = (await done(), watch.Elapsed);
            rates.Add((now - last) / (time - at).TotalSeconds);
            (last, at) = (now, time);
        }

        if (last <= first) throw new BenchException("nothing was done while it was measured");
        var work = last - first;
        var byNode = cpu().ToDictionary(node => node.Key, node => (node.Value - cpuBefore[node.Key]).TotalMicroseconds / work);
        return new(Median(rates), byNode);
    }

    /// <summary>Returns the median; of an even number the lower middle.</summary>
    public static double Median(IEnumerable<double> values) => Quantile(values, 0.5);

    /// <summary>Returns the smallest value that a share of all does not exceed.</summary>
    public static double Quantile(IEnumerable<double> values, double share)
    {
        var sorted = values.Order().ToArray();
        return sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
    }

    private static async Task WaitForWorkAsync(Func<Task<double>> done, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); await done() <= 0; await Task.Delay(50, cancel))
        {
            if (watch.Elapsed > StandstillMax) throw new BenchException("nothing has moved for 30 s");
        }
    }
}
