using System.Collections.Concurrent;

namespace Massif.Actors.Tests;

public sealed class SupervisorTests
{
    private static readonly RestartPolicy Policy =
        new(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(1), HealthyAfter: TimeSpan.FromMinutes(1));

    private readonly ManualTime _time = new();
    private readonly ConcurrentQueue<ChildFailure> _failures = new();

    [Fact]
    public void Delays_double_up_to_the_longest_and_have_jitter()
    {
        var backOff = new BackOff(Policy.First, Policy.Longest, new Random(1));
        double[] whole = [100, 200, 400, 800, 1000, 1000];
        var delays = whole.Select(_ => backOff.Next().TotalMilliseconds).ToArray();
        for (var i = 0; i < whole.Length; i++) Assert.InRange(delays[i], whole[i] / 2, whole[i]);
        Assert.NotEqual(delays[4], delays[5]);

        backOff.Reset();
        Assert.InRange(backOff.Next().TotalMilliseconds, 50, 100);
    }

    [Fact]
    public void A_thousand_failures_do_not_overflow_the_delay()
    {
        var backOff = new BackOff(Policy.First, Policy.Longest, new Random(1));
        for (var i = 0; i < 1000; i++) Assert.InRange(backOff.Next(), TimeSpan.FromMilliseconds(50), Policy.Longest);
    }

    [Fact]
    public async Task A_failed_child_is_started_again_after_a_growing_delay_and_reported()
    {
        await using var supervisor = Make();
        var runs = 0;
        var child = supervisor.Watch("collector", _ =>
            ++runs <= 3 ? Task.FromException(new IOException($"failure {runs}")) : Task.CompletedTask);

        for (var i = 0; i < 3; i++) _time.Advance(await _time.NextWait());
        await child;

        Assert.Equal(4, runs);
        Assert.Equal(["failure 1", "failure 2", "failure 3"], _failures.Select(failure => failure.Cause.Message));
        Assert.Equal([1, 2, 3], _failures.Select(failure => failure.InARow));
        Assert.All(_failures, failure => Assert.NotNull(failure.RestartIn));
    }

    [Fact]
    public async Task A_long_run_forgets_the_failures_before_it()
    {
        await using var supervisor = Make();
        var runs = 0;
        var child = supervisor.Watch("link", _ =>
        {
            runs++;
            if (runs == 3) _time.Advance(Policy.HealthyAfter); // The third run lives long before it fails.
            return runs <= 3 ? Task.FromException(new IOException()) : Task.CompletedTask;
        });

        for (var i = 0; i < 3; i++) _time.Advance(await _time.NextWait());
        await child;

        Assert.Equal([1, 2, 1], _failures.Select(failure => failure.InARow));
    }

    [Fact]
    public async Task A_child_that_must_stay_down_stays_down()
    {
        await using var supervisor = Make();
        var runs = 0;
        var child = supervisor.Watch(
            "replica", _ => Task.FromException(new InvalidOperationException($"run {++runs}")), OnFailure.StayDown);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => child);

        Assert.Equal("run 1", failure.Message);
        Assert.Null(Assert.Single(_failures).RestartIn);
    }

    [Fact]
    public async Task One_childs_failure_does_not_touch_another()
    {
        await using var supervisor = Make();
        var gate = new TaskCompletionSource();
        var healthy = supervisor.Watch("healthy", _ => gate.Task);
        var failing = supervisor.Watch("failing", _ => Task.FromException(new IOException()), OnFailure.StayDown);
        await Assert.ThrowsAsync<IOException>(() => failing);

        gate.SetResult();
        await healthy;
        Assert.Equal("failing", Assert.Single(_failures).Name);
    }

    [Fact]
    public async Task A_stop_ends_running_and_waiting_children()
    {
        var supervisor = Make();
        var running = supervisor.Watch("running", cancel => Task.Delay(Timeout.Infinite, cancel));
        var waiting = supervisor.Watch("waiting", _ => Task.FromException(new IOException()));
        await _time.NextWait();

        await supervisor.StopAsync();

        Assert.True(running.IsCompletedSuccessfully);
        Assert.True(waiting.IsCompletedSuccessfully);
        Assert.Single(_failures);
        Assert.Throws<InvalidOperationException>(() => { _ = supervisor.Watch("late", _ => Task.CompletedTask); });
        await supervisor.DisposeAsync();
    }

    private Supervisor Make() => new(Policy, new Random(7), _time, _failures.Enqueue);
}
