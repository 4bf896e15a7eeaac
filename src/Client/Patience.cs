using System.Diagnostics;
using System.Globalization;

namespace Massif.Client;

/// <summary>How long the replicas may take to answer one question: a little when others answer, longer while too few do.</summary>
/// <remarks>
/// One silent replica among others that answer is silent after <see cref="ClientOptions.Timeout"/>. When fewer than f+1 have
/// answered by then, nothing can be said at all, and the likely reason is load: then it waits up to
/// <see cref="ClientOptions.LongestTimeout"/>, and the others get the usual time once more from the moment f+1 are there.
/// Safe for several threads.
/// </remarks>
internal sealed class Patience(ClientOptions options)
{
    private readonly TaskCompletionSource _enough = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> _answered = [];
    private int _told;

    /// <summary>Notes that a replica has answered.</summary>
    public void Answered(string replica)
    {
        lock (_answered)
        {
            if (_answered.Add(replica) && _answered.Count >= options.OneCorrect) _enough.TrySetResult();
        }
    }

    /// <summary>Waits for the answer of one replica; returns whether it came in time, and how many seconds it had if not.</summary>
    public async Task<(bool InTime, double Seconds)> WaitAsync(Task answer, CancellationToken cancel)
    {
        var watch = Stopwatch.StartNew();
        if (await InTimeAsync(answer, options.Timeout, cancel)) return (true, 0);
        if (_enough.Task.IsCompleted || options.LongestTimeout <= options.Timeout)
            return (answer.IsCompleted, options.Timeout.TotalSeconds);

        if (Interlocked.Exchange(ref _told, 1) == 0) options.OnSlow?.Invoke(Note());
        await InTimeAsync(Task.WhenAny(answer, _enough.Task), options.LongestTimeout - options.Timeout, cancel);
        if (!answer.IsCompleted && _enough.Task.IsCompleted) await InTimeAsync(answer, options.Timeout, cancel);
        return (answer.IsCompleted, Math.Round(watch.Elapsed.TotalSeconds));
    }

    private static async Task<bool> InTimeAsync(Task work, TimeSpan limit, CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await Task.WhenAny(work, Task.Delay(limit, end.Token));
        await end.CancelAsync(); // The delay need not run on.
        return work.IsCompleted;
    }

    private string Note() => string.Create(
        CultureInfo.InvariantCulture,
        $"Fewer than {options.OneCorrect} replicas answered in {options.Timeout.TotalSeconds} s; " +
        $"waiting up to {options.LongestTimeout.TotalSeconds} s.");
}
