using System.Buffers.Binary;

namespace Massif.Events;

/// <summary>Takes one event out of a stored batch without checking the others.</summary>
public static class EventLookup
{
    /// <summary>
    /// Returns the event at that index in time independent of the batch's size, fully checked itself. False when
    /// there is
    /// none or it is damaged; never throws.
    /// </summary>
    public static bool TryGet(ReadOnlySpan<byte> batch, int index, out EventView view)
    {
        view = default;
        if (EventFormat.ValidateHead(batch) is not null) return false;

        var count = BinaryPrimitives.ReadUInt16LittleEndian(batch[EventFormat.BatchCountAt..]);
        if ((uint)index >= count) return false;
        var start = EventFormat.Start(batch, index);
        var end = EventFormat.End(batch, count, index);
        if (start > end || end > batch.Length) return false;

        var body = batch[(int)start..(int)end];
        if (EventFormat.ValidateEvent(body) is not null) return false;
        view = new(body);
        return true;
    }
}
