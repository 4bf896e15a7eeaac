namespace Massif.Actors;

/// <summary>What becomes of a child whose run threw.</summary>
public enum OnFailure : byte
{
    /// <summary>It is started again after a delay: collectors, links, whatever meets bad input and bad networks.</summary>
    Restart,

    /// <summary>It stays down: a replica that broke its own promise is silent, never wrong.</summary>
    StayDown,
}

/// <summary>How a supervisor restarts.</summary>
/// <param name="First">Delay after the first failure.</param>
/// <param name="Longest">Upper bound of the delay.</param>
/// <param name="HealthyAfter">A run that lasted so long forgets the failures before it.</param>
public sealed record RestartPolicy(TimeSpan First, TimeSpan Longest, TimeSpan HealthyAfter)
{
    /// <summary>
    /// Gets 100 ms, doubling to 30 s, healthy after 60 s: quick enough for a socket in TIME_WAIT, slow enough that a child
    /// that cannot start costs nothing.
    /// </summary>
    public static RestartPolicy Default { get; } =
        new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(60));
}

/// <summary>One failure of a child, for the log and the metrics.</summary>
/// <param name="Name">The child.</param>
/// <param name="Cause">What its run threw.</param>
/// <param name="InARow">How often it failed without a healthy run between.</param>
/// <param name="RestartIn">The delay before the next run; null when it stays down.</param>
public sealed record ChildFailure(string Name, Exception Cause, int InARow, TimeSpan? RestartIn);

/// <summary>Runs children and restarts those that may be restarted, with back-off and jitter.</summary>
public sealed class Supervisor : IAsyncDisposable
{
    private readonly RestartPolicy _policy;
    private readonly Random _random;
    private readonly TimeProvider _time;
    private readonly Action<ChildFailure> _report;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _gate = new();
    private readonly List<Task> _children = [];
    private bool _stopped;

    /// <summary>Makes a supervisor without children.</summary>
    /// <param name="policy">Delays.</param>
    /// <param name="random">Seed source of the jitter; used under a lock.</param>
    /// <param name="time">Clock of delays and of health.</param>
    /// <param name="report">Told every failure, on the thread of the failed child; must not throw.</param>
    public Supervisor(RestartPolicy policy, Random random, TimeProvider time, Action<ChildFailure> report)
    {
        _policy = policy;
        _random = random;
        _time = time;
        _report = report;
    }

    /// <summary>Starts a child.</summary>
    /// <param name="name">For reports.</param>
    /// <param name="run">One run of it; ends early when the token is cancelled. Returning means that it is done.</param>
    /// <param name="onFailure">What becomes of it when the run throws.</param>
    /// <returns>
    /// The child's end: completed when its run returned or the supervisor was stopped; faulted with the cause when it
    /// failed and stays down.
    /// </returns>
    /// <exception cref="InvalidOperationException">The supervisor was stopped.</exception>
    public Task Watch(string name, Func<CancellationToken, Task> run, OnFailure onFailure = OnFailure.Restart)
    {
        lock (_gate)
        {
            if (_stopped) throw new InvalidOperationException($"The supervisor has stopped and does not start {name}.");
            var child = Task.Run(() => RunAgainAndAgainAsync(name, run, onFailure));
            _children.RemoveAll(ended => ended.IsCompletedSuccessfully);
            _children.Add(child);
            return child;
        }
    }

    /// <summary>Cancels every child and waits for their ends. Failures were reported and are not thrown again.</summary>
    public async Task StopAsync()
    {
        Task[] children;
        lock (_gate)
        {
            _stopped = true;
            children = [.. _children];
        }

        await _stop.CancelAsync();
        await Task.WhenAll(children).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task RunAgainAndAgainAsync(string name, Func<CancellationToken, Task> run, OnFailure onFailure)
    {
        Random own;
        lock (_gate) own = new Random(_random.Next());
        var backOff = new BackOff(_policy.First, _policy.Longest, own);
        while (!_stop.IsCancellationRequested)
        {
            var started = _time.GetTimestamp();
            try
            {
                await run(_stop.Token);
                return;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception cause)
            {
                if (_time.GetElapsedTime(started) >= _policy.HealthyAfter) backOff.Reset();
                var delay = backOff.Next();
                _report(new(name, cause, backOff.Failures, onFailure == OnFailure.Restart ? delay : null));
                if (onFailure == OnFailure.StayDown) throw;
                await Task.Delay(delay, _time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }
}
