using Massif.Events;

namespace Massif.Cli.Demo;

/// <summary>Checks what one replica delivered, read back from it event by event, against what was sent.</summary>
internal sealed class DeliveryAudit(int lineBytesMax) : IDisposable
{
    private readonly LineDigest _digest = new(lineBytesMax);
    private readonly Dictionary<(string Edge, ulong Incarnation), (ulong Seq, int Index)> _last = [];

    /// <summary>Gets the number of distinct events that are lines sent.</summary>
    public long Delivered { get; private set; }

    /// <summary>Gets how often an id came again, or out of its order.</summary>
    public long Repeated { get; private set; }

    /// <summary>Gets the number of events born in the edge.</summary>
    public long Internal { get; private set; }

    /// <summary>Gets the number of events marked late.</summary>
    public long Late { get; private set; }

    /// <summary>Takes the next event in the replica's order.</summary>
    /// <param name="id">Its identity.</param>
    /// <param name="flags">Its flags; a replayed one is a line sent.</param>
    /// <param name="isInternal">Whether it was born in the edge itself.</param>
    /// <param name="raw">The bytes as they arrived at the edge.</param>
    public void Add(EventId id, EventFlags flags, bool isInternal, ReadOnlySpan<byte> raw)
    {
        if (IsRepeated(id))
        {
            Repeated++;
            return;
        }

        if ((flags & EventFlags.Late) != 0) Late++;
        if (isInternal) Internal++;
        if ((flags & EventFlags.Replayed) == 0 || isInternal) return;
        Delivered++;
        _digest.Add(raw);
    }

    /// <summary>Returns the digest over the delivered lines in the order of delivery.</summary>
    public string Digest() => _digest.Current();

    /// <inheritdoc />
    public void Dispose() => _digest.Dispose();

    /// <summary>
    /// FIFO: within one life of a spool, ids only grow. One that does not is a repeat, or out of order; both are broken
    /// promises.
    /// </summary>
    private bool IsRepeated(EventId id)
    {
        var (life, place) = ((id.Edge, id.Incarnation), (id.Seq, id.Index));
        if (_last.TryGetValue(life, out var last) && place.CompareTo(last) <= 0) return true;
        _last[life] = place;
        return false;
    }
}
