using System.Threading.Channels;

namespace Massif.Actors.Tests;

/// <summary>A clock that stands still until the test moves it; tells when somebody begins to wait on it.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<Waiting> _waiting = [];
    private readonly Channel<TimeSpan> _waits = Channel.CreateUnbounded<TimeSpan>();
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>Returns the length of the next wait that anybody began.</summary>
    public ValueTask<TimeSpan> NextWait() => _waits.Reader.ReadAsync();

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public void Advance(TimeSpan by)
    {
        Waiting[] due;
        lock (_gate)
        {
            _ticks += by.Ticks;
            due = [.. _waiting.Where(timer => timer.At <= _ticks)];
            _waiting.RemoveAll(timer => timer.At <= _ticks);
        }

        foreach (var timer in due) timer.Fire();
    }

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waiting timer;
        lock (_gate)
        {
            timer = new Waiting(_ticks + dueTime.Ticks, () => callback(state));
            _waiting.Add(timer);
        }

        _waits.Writer.TryWrite(dueTime);
        return timer;
    }

    private sealed record Waiting(long At, Action Fire) : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
