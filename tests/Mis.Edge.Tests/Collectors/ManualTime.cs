namespace Massif.Mis.Edge.Tests.Collectors;

/// <summary>A clock that stands still until the test moves it, with its periodic timers.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Periodic> _timers = [];
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public void Advance(TimeSpan by)
    {
        Periodic[] timers;
        Interlocked.Add(ref _ticks, by.Ticks);
        lock (_gate) timers = [.. _timers];
        foreach (var timer in timers) timer.Fire(); // Each period is shorter than every step of the tests.
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Periodic(this, () => callback(state));
        lock (_gate) _timers.Add(timer);
        return timer;
    }

    private sealed record Periodic(ManualTime Time, Action Fire) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
            lock (Time._gate) Time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
