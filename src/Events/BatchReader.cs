using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace Massif.Events;

/// <summary>
/// The events of one batch. The bytes are a peer's claim, so they are checked completely when it is opened.
/// </summary>
public readonly ref struct BatchReader
{
    private readonly ReadOnlySpan<byte> _batch;

    private BatchReader(ReadOnlySpan<byte> batch)
    {
        _batch = batch;
        Count = BinaryPrimitives.ReadUInt16LittleEndian(batch[EventFormat.BatchCountAt..]);
    }

    /// <summary>Gets the number of events.</summary>
    public int Count { get; }

    /// <summary>Gets one event in constant time.</summary>
    public EventView this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count);
            var start = (int)EventFormat.Start(_batch, index);
            return new(_batch[start..(int)EventFormat.End(_batch, Count, index)]);
        }
    }

    /// <summary>
    /// Checks the whole batch once. When it returns true, no later read of any event fails or leaves its event's bytes;
    /// else <paramref name="reason"/> says what is wrong. Never throws, whatever the bytes are.
    /// </summary>
    public static bool TryOpen(ReadOnlySpan<byte> batch, out BatchReader reader, [NotNullWhen(false)] out string? reason)
    {
        reason = EventFormat.ValidateBatch(batch);
        reader = reason is null ? new(batch) : default;
        return reason is null;
    }

    /// <summary>Returns an enumerator over the events in order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Walks the events of a batch.</summary>
    public ref struct Enumerator
    {
        private readonly BatchReader _reader;
        private int _index;

        internal Enumerator(BatchReader reader)
        {
            _reader = reader;
            _index = -1;
        }

        /// <summary>Gets the current event.</summary>
        public readonly EventView Current => _reader[_index];

        /// <summary>Moves to the next event; false at the end.</summary>
        public bool MoveNext() => ++_index < _reader.Count;
    }
}
