using System.Diagnostics;

namespace Massif.Benchmarks;

/// <summary>A rate over slices of time, and what it cost.</summary>
/// <param name="PerSecond">Median of the slices.</param>
/// <param name="CpuMicroseconds">CPU time per unit of work over all slices, in microseconds.</param>
internal readonly record struct Measurement(double PerSecond, double CpuMicroseconds)
{
    private static readonly TimeSpan Slice = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan StandstillMax = TimeSpan.FromSeconds(30);

    /// <summary>Warms up, then measures slice by slice.</summary>
    /// <param name="run">How long.</param>
    /// <param name="done">Returns how much has been done since the start.</param>
    /// <param name="cpu">Returns the CPU time used so far.</param>
    /// <param name="cancel">Ends the measurement.</param>
    /// <exception cref="BenchException">Nothing moved for half a minute.</exception>
    public static async Task<Measurement> TakeAsync(BenchRun run, Func<Task<double>> done, Func<TimeSpan> cpu, CancellationToken cancel)
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
        return new(Median(rates), (cpu() - cpuBefore).TotalMicroseconds / (last - first));
    }

    /// <summary>Returns the median; of an even number the lower middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[(sorted.Length - 1) / 2];
    }

    private static async Task WaitForWorkAsync(Func<Task<double>> done, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); await done() <= 0; await Task.Delay(50, cancel))
        {
            if (watch.Elapsed > StandstillMax) throw new BenchException("nothing has moved for 30 s");
        }
    }
}
