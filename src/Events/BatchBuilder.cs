using System.Buffers.Binary;

namespace Massif.Events;

/// <summary>
/// Packs events into one batch, the payload of one broadcast. Reused from batch to batch; not thread-safe.
/// </summary>
public sealed class BatchBuilder
{
    /// <summary>Most events in a batch. Default of the design: 1,024.</summary>
    public const int EventsMax = 1024;

    /// <summary>Most bytes of a batch of several events: 128 KiB, about 450 events of a 200-byte line.</summary>
    public const int BytesMax = 128 * 1024;

    /// <summary>
    /// Most bytes of a batch that holds one event; no draft is longer. The bus carries up to this much.
    /// </summary>
    public const int SingleEventBytesMax = 256 * 1024;

    private readonly uint[] _starts = new uint[EventsMax];
    private byte[] _events = new byte[BytesMax];
    private int _used;

    /// <summary>Gets the number of events so far.</summary>
    public int Count { get; private set; }

    /// <summary>Gets the length that <see cref="Build"/> would return now, in bytes.</summary>
    public int Bytes => EventFormat.BatchHead + (4 * Count) + _used;

    /// <summary>Adds a copy of the draft. False when the batch is full: build it, reset, and add again.</summary>
    public bool TryAdd(EventDraft draft)
    {
        var length = draft.EncodedLength;
        var limit = Count == 0 ? SingleEventBytesMax : BytesMax;
        if (Count == EventsMax || Bytes + 4 + length > limit) return false;

        if (_used + length > _events.Length) Array.Resize(ref _events, SingleEventBytesMax);
        draft.Encode(_events.AsSpan(_used, length));
        _starts[Count++] = (uint)_used;
        _used += length;
        return true;
    }

    /// <summary>Returns the batch. The builder keeps its events until <see cref="Reset"/>.</summary>
    public byte[] Build()
    {
        var batch = GC.AllocateUninitializedArray<byte>(Bytes);
        Write(batch);
        return batch;
    }

    /// <summary>Writes the batch into at least <see cref="Bytes"/> bytes, for hosts that reuse their buffers.</summary>
    public void Write(Span<byte> destination)
    {
        var batch = destination[..Bytes];
        batch[..EventFormat.BatchHead].Clear();
        batch[0] = EventFormat.Version;
        BinaryPrimitives.WriteUInt16LittleEndian(batch[EventFormat.BatchCountAt..], (ushort)Count);
        BinaryPrimitives.WriteUInt32LittleEndian(batch[EventFormat.BatchLengthAt..], (uint)batch.Length);

        var eventsAt = EventFormat.BatchHead + (4 * Count);
        for (var i = 0; i < Count; i++)
        {
            var start = (uint)eventsAt + _starts[i];
            BinaryPrimitives.WriteUInt32LittleEndian(batch[(EventFormat.BatchHead + (4 * i))..], start);
        }

        _events.AsSpan(0, _used).CopyTo(batch[eventsAt..]);
    }

    /// <summary>Forgets the events and keeps the buffers.</summary>
    public void Reset() => (Count, _used) = (0, 0);
}
