namespace Massif.Cep;

/// <summary>State of one rule for one life of a stream, either live or replayed: a window per key.</summary>
/// <remarks>
/// Keys are kept in the order of their first event, so the state is a function of the events alone. When the table is
/// full it forgets its oldest quarter by event time: sorting once for many events costs less than a heap, and an event
/// that is not older than what was forgotten plus w is still judged exactly.
/// </remarks>
internal sealed class KeyTable
{
    private readonly Rule _rule;
    private readonly CorrelationLimits _limits;
    private readonly OccurrencePool _pool;
    private KeyState[] _keys = new KeyState[16];
    private int[] _buckets = new int[16]; // Index of the first key plus 1; 0 when there is none.
    private byte[] _names = new byte[256];
    private int _keyCount, _nameBytes;

    public KeyTable(Rule rule, CorrelationLimits limits)
    {
        _rule = rule;
        _limits = limits;
        _pool = new(limits.Occurrences / 4);
    }

    /// <summary>
    /// Returns the most memory of one table in bytes: its arrays double, and a window's is up to
    /// four times as long as what it holds.
    /// </summary>
    public static long BytesMax(Rule rule, CorrelationLimits limits)
    {
        const int Doubled = 2, StateBytes = 64, WindowSpare = 4, OccurrenceBytes = 24, ArrayHead = 24, SortedBytes = 8;
        var names = Doubled * (long)limits.Keys * KeyReader.LongestOf(rule.Key.AsSpan());
        var keys = Doubled * (long)limits.Keys * (StateBytes + sizeof(int));
        var windows = limits.Keys * (ArrayHead + ((long)OccurrencePool.LengthMin * OccurrenceBytes));
        var perOccurrence = OccurrenceBytes + (ArrayHead / OccurrencePool.LengthMin / WindowSpare);
        var occurrences = (WindowSpare + 1) * (long)limits.Occurrences * perOccurrence;
        return names + keys + windows + occurrences + (SortedBytes * ((long)limits.Occurrences + limits.Keys));
    }

    /// <summary>Gets the number of keys.</summary>
    public int KeyCount => _keyCount;

    /// <summary>Gets the number of events remembered over all keys.</summary>
    public int OccurrenceCount { get; private set; }

    /// <summary>Gets how many keys were forgotten because the table was full.</summary>
    public long ForgottenKeys { get; private set; }

    /// <summary>Gets how many remembered events were forgotten because the table or their key was full.</summary>
    public long ForgottenOccurrences { get; private set; }

    /// <summary>Counts an event of a key, and returns whether it makes an alarm of <paramref name="window"/>.</summary>
    /// <param name="name">The key, as <see cref="KeyReader"/> writes it.</param>
    /// <param name="item">The event.</param>
    /// <param name="key">The key's handle, for <see cref="Silence"/>; valid until the next call.</param>
    /// <param name="window">The events of the alarm, oldest first; valid until <see cref="Silence"/>.</param>
    public bool Add(ReadOnlySpan<byte> name, in Occurrence item, out int key, out ReadOnlySpan<Occurrence> window)
    {
        if (OccurrenceCount >= _limits.Occurrences) Forget(OldestQuarterOfOccurrences());
        key = FindOrAdd(name);
        ref var state = ref _keys[key].Window;
        var before = state.Items.Length;
        if (before >= _limits.OccurrencesPerKey)
        {
            state.Drop(before / 4, _rule.WindowNanoseconds, _pool);
            ForgottenOccurrences += before / 4;
        }

        var reached = state.Add(
            item, _rule.WindowNanoseconds, _rule.Definition.Threshold, _pool, out var start, out var end);
        OccurrenceCount += state.Items.Length - before;
        window = reached ? state.Items[start..end] : [];
        return reached;
    }

    /// <summary>Makes a key silent after an alarm whose last event is at that time.</summary>
    public void Silence(int key, long last)
    {
        ref var state = ref _keys[key].Window;
        var before = state.Items.Length;
        state.Silence(last + _rule.SuppressNanoseconds, _rule.WindowNanoseconds, _pool);
        OccurrenceCount += state.Items.Length - before;
    }

    /// <summary>Returns the name, window and remembered events of a key; keys are numbered in the order of their first event.</summary>
    public ReadOnlySpan<byte> NameOf(int key) => _names.AsSpan(_keys[key].NameAt, _keys[key].NameLength);

    /// <inheritdoc cref="NameOf" />
    public ref readonly KeyWindow WindowOf(int key) => ref _keys[key].Window;

    /// <summary>Adds a key that a snapshot holds, behind those that are there.</summary>
    /// <exception cref="FormatException">The key is there already, or its events are not in order.</exception>
    public void Restore(ReadOnlySpan<byte> name, long silentUntil, ReadOnlySpan<Occurrence> items)
    {
        var count = _keyCount;
        var key = FindOrAdd(name);
        if (_keyCount == count) throw new FormatException("A key is twice in a table.");
        _keys[key].Window.Free(_pool);
        _keys[key].Window = KeyWindow.Restore(silentUntil, items, _rule.WindowNanoseconds, _pool);
        OccurrenceCount += items.Length;
    }

    private int FindOrAdd(ReadOnlySpan<byte> name)
    {
        var hash = HashOf(name);
        for (var i = _buckets[hash & (_buckets.Length - 1)] - 1; i >= 0; i = _keys[i].Next - 1)
        {
            if (_keys[i].Hash == hash && NameOf(i).SequenceEqual(name)) return i;
        }

        if (_keyCount >= _limits.Keys) Forget(OldestQuarterOfKeys());
        if (_keyCount == _keys.Length) GrowKeys();
        return Append(name, hash, new(_pool));
    }

    // Only the place in a bucket depends on the hash, never an answer, so the process's own seed does no harm here; it
    // keeps an attacker who chooses the keys from choosing the buckets.
    private static int HashOf(ReadOnlySpan<byte> name)
    {
        var hash = default(HashCode);
        hash.AddBytes(name);
        return hash.ToHashCode();
    }

    private int Append(ReadOnlySpan<byte> name, int hash, in KeyWindow window)
    {
        if (_nameBytes + name.Length > _names.Length)
            Array.Resize(ref _names, Math.Max(2 * _names.Length, _nameBytes + name.Length));
        name.CopyTo(_names.AsSpan(_nameBytes));

        var key = _keyCount++;
        ref var bucket = ref _buckets[hash & (_buckets.Length - 1)];
        _keys[key] = new() { Hash = hash, Next = bucket, NameAt = _nameBytes, NameLength = name.Length, Window = window };
        bucket = key + 1;
        _nameBytes += name.Length;
        return key;
    }

    private void GrowKeys()
    {
        Array.Resize(ref _keys, 2 * _keys.Length);
        _buckets = new int[_keys.Length];
        for (var i = 0; i < _keyCount; i++)
        {
            ref var bucket = ref _buckets[_keys[i].Hash & (_buckets.Length - 1)];
            _keys[i].Next = bucket;
            bucket = i + 1;
        }
    }

    private long OldestQuarterOfKeys()
    {
        var ranks = new long[_keyCount];
        for (var i = 0; i < _keyCount; i++) ranks[i] = _keys[i].Window.Rank;
        return Quartile(ranks);
    }

    private long OldestQuarterOfOccurrences()
    {
        var times = new long[OccurrenceCount];
        var end = 0;
        for (var i = 0; i < _keyCount; i++)
        {
            foreach (ref readonly var item in _keys[i].Window.Items) times[end++] = item.Time;
        }

        return Quartile(times);
    }

    private static long Quartile(long[] times)
    {
        Array.Sort(times);
        return times[times.Length / 4];
    }

    /// <summary>Drops events up to a time, and the keys that have nothing later; the others keep their order.</summary>
    private void Forget(long time)
    {
        var count = _keyCount;
        var occurrences = OccurrenceCount;
        Array.Clear(_buckets);
        _keyCount = _nameBytes = OccurrenceCount = 0;
        for (var i = 0; i < count; i++)
        {
            var state = _keys[i];
            state.Window.Forget(time, _rule.WindowNanoseconds, _pool);
            if (state.Window.Rank <= time)
            {
                state.Window.Free(_pool);
                continue;
            }

            // Names only move down: the copy never runs over one that is still to be read.
            Append(_names.AsSpan(state.NameAt, state.NameLength), state.Hash, state.Window);
            OccurrenceCount += state.Window.Items.Length;
        }

        Array.Clear(_keys, _keyCount, count - _keyCount);
        ForgottenKeys += count - _keyCount;
        ForgottenOccurrences += occurrences - OccurrenceCount;
    }

    private struct KeyState
    {
        public int Hash, Next, NameAt, NameLength;
        public KeyWindow Window;
    }
}
