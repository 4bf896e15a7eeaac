namespace Massif.Cep;

/// <summary>What a key remembers: its events in the order of time, and until when it is silent.</summary>
/// <remarks>
/// Events almost always come in the order of time, so the sum over the window that ends at the newest event is carried
/// along: such an event costs a constant number of steps. One that is late is put in its place and sums its own window.
/// </remarks>
internal struct KeyWindow
{
    private Occurrence[] _items;
    private int _length;
    private int _recent; // The first item inside the window that ends at the newest.
    private long _sum; // Of the counts from there on.

    public KeyWindow(OccurrencePool pool)
    {
        _items = pool.Rent(0);
        SilentUntil = EventTime.Never;
    }

    /// <summary>Gets the time up to which no event makes an alarm.</summary>
    public long SilentUntil { get; private set; }

    /// <summary>Gets the remembered events, oldest first; of equal times the one that came first.</summary>
    public readonly ReadOnlySpan<Occurrence> Items => _items.AsSpan(0, _length);

    /// <summary>Gets the latest time that this key has to do with: the higher, the later it is forgotten.</summary>
    public readonly long Rank => _length == 0 ? SilentUntil : Math.Max(SilentUntil, _items[_length - 1].Time);

    /// <summary>Remembers an event, and returns whether its window (t - w, t] makes an alarm.</summary>
    /// <param name="item">The event.</param>
    /// <param name="window">w in nanoseconds.</param>
    /// <param name="threshold">The sum of counts that makes an alarm.</param>
    /// <param name="pool">Where arrays come from.</param>
    /// <param name="start">Index of the first item of the window.</param>
    /// <param name="end">Index behind the last item of the window.</param>
    public bool Add(in Occurrence item, long window, int threshold, OccurrencePool pool, out int start, out int end)
    {
        start = end = 0;
        // No event that may still make an alarm has this one in its window.
        if (item.Time <= SilentUntil - window) return false;

        MakeRoom(pool);
        var inOrder = _length == 0 || item.Time >= _items[_length - 1].Time;
        end = inOrder ? Append(item, window) : Insert(item, window);
        if (item.Time <= SilentUntil) return false;

        if (inOrder)
        {
            start = _recent;
            return _sum >= threshold;
        }

        start = IndexAfter(item.Time - window);
        return Reaches(threshold, start, end);
    }

    /// <summary>Makes the key silent, and drops what no later alarm can contain.</summary>
    public void Silence(long until, long window, OccurrencePool pool)
    {
        SilentUntil = until;
        Drop(IndexAfter(until - window), window, pool);
    }

    /// <summary>Drops what is not later than a time.</summary>
    public void Forget(long time, long window, OccurrencePool pool) => Drop(IndexAfter(time), window, pool);

    /// <summary>Drops the oldest events.</summary>
    public void Drop(int count, long window, OccurrencePool pool)
    {
        _length -= count;
        var rest = _items.AsSpan(count, _length);
        if (OccurrencePool.CapacityFor(_length) <= _items.Length / 4)
        {
            var smaller = pool.Rent(_length);
            rest.CopyTo(smaller);
            pool.Return(_items);
            _items = smaller;
        }
        else
        {
            rest.CopyTo(_items);
        }

        SumRecent(window);
    }

    /// <summary>Gives the memory back; the key is gone.</summary>
    public readonly void Free(OccurrencePool pool) => pool.Return(_items);

    /// <summary>Makes a window from what a snapshot holds.</summary>
    /// <exception cref="FormatException">The items are not in the order of time.</exception>
    public static KeyWindow Restore(long silentUntil, ReadOnlySpan<Occurrence> items, long window, OccurrencePool pool)
    {
        for (var i = 1; i < items.Length; i++)
        {
            if (items[i].Time < items[i - 1].Time) throw new FormatException("The events of a key are not in order.");
        }

        var restored = new KeyWindow(pool) { SilentUntil = silentUntil, _items = pool.Rent(items.Length), _length = items.Length };
        items.CopyTo(restored._items);
        restored.SumRecent(window);
        return restored;
    }

    private void MakeRoom(OccurrencePool pool)
    {
        if (_length < _items.Length) return;
        var larger = pool.Rent(_length + 1);
        _items.CopyTo(larger, 0);
        pool.Return(_items);
        _items = larger;
    }

    private int Append(in Occurrence item, long window)
    {
        _items[_length++] = item;
        _sum += item.Count;
        while (_items[_recent].Time <= item.Time - window) _sum -= _items[_recent++].Count;
        return _length;
    }

    private int Insert(in Occurrence item, long window)
    {
        var newest = _items[_length - 1].Time;
        var place = IndexAfter(item.Time);
        _items.AsSpan(place, _length - place).CopyTo(_items.AsSpan(place + 1));
        _items[place] = item;
        _length++;
        if (item.Time > newest - window) _sum += item.Count;
        else _recent++;
        return place + 1;
    }

    private readonly bool Reaches(int threshold, int start, int end)
    {
        long sum = 0;
        for (var i = end - 1; i >= start && sum < threshold; i--) sum += _items[i].Count;
        return sum >= threshold;
    }

    private void SumRecent(long window)
    {
        _sum = 0;
        _recent = 0;
        if (_length == 0) return;
        _recent = IndexAfter(_items[_length - 1].Time - window);
        foreach (ref readonly var item in _items.AsSpan(_recent, _length - _recent)) _sum += item.Count;
    }

    // The index of the first item later than a time.
    private readonly int IndexAfter(long time)
    {
        var low = 0;
        var high = _length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_items[middle].Time <= time) low = middle + 1;
            else high = middle;
        }

        return low;
    }
}
