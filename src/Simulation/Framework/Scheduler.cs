using Massif.Reb.Protocol;

namespace Massif.Simulation;

/// <summary>The time of a simulated world, in nanoseconds from its start. Only its scheduler moves it.</summary>
public class VirtualTime
{
    /// <summary>Nanoseconds in a millisecond.</summary>
    public const long Millisecond = 1_000_000;

    /// <summary>Nanoseconds in a second.</summary>
    public const long Second = 1_000_000_000;

    /// <summary>Gets the present, in nanoseconds from the start of the world.</summary>
    public long Now { get; private protected set; }
}

/// <summary>What will happen, in the order of (time, order of scheduling): the tie-break makes a run repeatable.</summary>
/// <typeparam name="TEvent">A value that says what happens; nothing is allocated for it.</typeparam>
public sealed class Scheduler<TEvent> : VirtualTime
    where TEvent : struct
{
    private const int Arity = 4;
    private Key[] _heap = new Key[256];
    private TEvent[] _events = new TEvent[256];
    private int[] _free = new int[256];
    private int _count, _freeCount, _eventsUsed;
    private long _order;

    /// <summary>Gets how many events wait.</summary>
    public int Waiting => _count;

    /// <summary>Gets how many events have happened.</summary>
    public long Happened { get; private set; }

    /// <summary>Plans an event for a moment that is not in the past.</summary>
    public void At(long time, in TEvent happening)
    {
        Invariant.Holds(time >= Now);
        var slot = TakeSlot();
        _events[slot] = happening;
        if (_count == _heap.Length) Array.Resize(ref _heap, 2 * _count);
        var key = new Key(time, _order++, slot);
        var hole = _count++;
        while (hole > 0)
        {
            var parent = (hole - 1) / Arity;
            if (!key.Before(_heap[parent])) break;
            _heap[hole] = _heap[parent];
            hole = parent;
        }

        _heap[hole] = key;
    }

    /// <summary>Plans an event for so many nanoseconds from now.</summary>
    public void In(long delay, in TEvent happening) => At(Now + delay, happening);

    /// <summary>Goes to the next event; false when none is left up to <paramref name="limit"/>, where time then stands.</summary>
    public bool TryNext(long limit, out TEvent happening)
    {
        if (_count == 0 || _heap[0].Time > limit)
        {
            Now = Math.Max(Now, limit);
            happening = default;
            return false;
        }

        var first = _heap[0];
        Now = first.Time;
        Happened++;
        happening = _events[first.Slot];
        _events[first.Slot] = default; // Lets go of what the event refers to.
        _free[_freeCount++] = first.Slot;
        var last = _heap[--_count];
        if (_count > 0) SiftDown(last);
        return true;
    }

    private int TakeSlot()
    {
        if (_freeCount > 0) return _free[--_freeCount];
        if (_eventsUsed == _events.Length)
        {
            Array.Resize(ref _events, 2 * _eventsUsed);
            Array.Resize(ref _free, 2 * _eventsUsed);
        }

        return _eventsUsed++;
    }

    private void SiftDown(in Key key)
    {
        var hole = 0;
        while (true)
        {
            var child = (hole * Arity) + 1;
            if (child >= _count) break;
            var end = Math.Min(child + Arity, _count);
            var least = child;
            for (var i = child + 1; i < end; i++)
                if (_heap[i].Before(_heap[least])) least = i;
            if (!_heap[least].Before(key)) break;
            _heap[hole] = _heap[least];
            hole = least;
        }

        _heap[hole] = key;
    }

    private readonly record struct Key(long Time, long Order, int Slot)
    {
        public bool Before(in Key other) => Time < other.Time || (Time == other.Time && Order < other.Order);
    }
}
