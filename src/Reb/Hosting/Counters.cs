namespace Massif.Reb.Hosting;

/// <summary>Named counters of one host, written by its turns and read by anybody: every drop and refusal has one with its reason.</summary>
/// <remarks>
/// Names are Prometheus metric names with an optional label part, such as
/// <c>massif_frames_refused_total{reason="length"}</c>.
/// </remarks>
public sealed class Counters
{
    private readonly Dictionary<string, Counter> _byName = [];
    private Counter[] _all = [];

    /// <summary>Returns the counter of that name, making it when there is none. Call it once and keep the result.</summary>
    public Counter Of(string name)
    {
        if (_byName.TryGetValue(name, out var counter)) return counter;
        counter = new(name);
        _byName.Add(name, counter);
        // Readers on other threads walk the array they got; it is replaced, never changed.
        Volatile.Write(ref _all, [.. _all, counter]);
        return counter;
    }

    /// <summary>Returns all counters in the order of their making; safe on any thread.</summary>
    public IReadOnlyList<Counter> All() => Volatile.Read(ref _all);

    /// <summary>One counter or gauge.</summary>
    public sealed class Counter(string name)
    {
        private long _value;

        /// <summary>Gets the name.</summary>
        public string Name => name;

        /// <summary>Gets or sets the value.</summary>
        public long Value
        {
            get => Volatile.Read(ref _value);
            set => Volatile.Write(ref _value, value);
        }

        /// <summary>Adds to the value; only the host's own turns may call it.</summary>
        public void Add(long amount = 1) => Volatile.Write(ref _value, _value + amount);
    }
}
