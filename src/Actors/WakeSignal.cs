namespace Massif.Actors;

/// <summary>Lets one reader sleep until a poster has something, without a system call per post.</summary>
/// <remarks>
/// The reader says that it will sleep, looks at its inboxes once more, then sleeps. A poster posts, then looks whether the
/// reader sleeps. With a full fence between the two halves on either side at least one of them sees the other (Dekker).
/// </remarks>
internal sealed class WakeSignal
{
    private readonly object _gate = new();
    private int _asleep;

    /// <summary>Wakes the reader when it sleeps. The caller has published its work with a full fence (an interlocked operation).</summary>
    public void Wake()
    {
        if (Volatile.Read(ref _asleep) == 0) return;
        lock (_gate)
        {
            if (_asleep == 0) return;
            _asleep = 0;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Reader: says that it is about to sleep. It must look for work after this and before <see cref="Sleep"/>.</summary>
    public void Announce() => Interlocked.Exchange(ref _asleep, 1);

    /// <summary>Reader: takes the announcement back, because there is work.</summary>
    public void TakeBack() => Volatile.Write(ref _asleep, 0);

    /// <summary>Reader: sleeps until woken or until the milliseconds are over (<see cref="Timeout.Infinite"/>: no end).</summary>
    public void Sleep(int milliseconds)
    {
        lock (_gate)
        {
            // One wait is enough: whatever woke us, the loop looks at everything again.
            if (_asleep != 0) Monitor.Wait(_gate, milliseconds);
            _asleep = 0;
        }
    }
}
