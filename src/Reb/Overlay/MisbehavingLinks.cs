using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Overlay;

/// <summary>What a relay in the hands of an attacker does to what it forwards.</summary>
[Flags]
public enum Misbehaviours
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Changes a byte.</summary>
    Corrupt = 1,

    /// <summary>Holds frames back.</summary>
    Delay = 2,

    /// <summary>Sends earlier frames again.</summary>
    Replay = 4,

    /// <summary>Forwards nothing.</summary>
    Drop = 8,

    /// <summary>Sends frames to another node than the route says.</summary>
    Misroute = 16,
}

/// <summary>Links under an attacker's control, for demonstrations and simulations: wraps the real ones and lies on them.</summary>
/// <remarks>
/// Deterministic: it counts frames instead of drawing random numbers, so every third frame is changed, every fourth is held
/// back, every fifth is preceded by an old one. <c>massif relay --misbehave</c> is refused unless the domain says <c>demo: true</c>.
/// </remarks>
public sealed class MisbehavingLinks(ILinks inner, Misbehaviours kinds, int nodes) : ILinks
{
    /// <summary>How long a frame is held back, in milliseconds: past the first repeat of a source.</summary>
    public const int DelayMilliseconds = 300;

    private const int MaxHeld = 256;
    private readonly Queue<(Instant Due, NodeIndex To, ReadOnlyMemory<byte> Frame)> _held = new();
    private ReadOnlyMemory<byte> _old;
    private long _count;
    private Instant _now;

    /// <summary>Gets or sets whether it lies at present.</summary>
    public bool Active { get; set; }

    /// <summary>Gets when the next held frame is due; null when none is held.</summary>
    public Instant? NextDeadline => _held.TryPeek(out var first) ? first.Due : null;

    /// <summary>Tells the time, and sends what was held back until now.</summary>
    public void OnTime(Instant now)
    {
        _now = now;
        while (_held.TryPeek(out var first) && first.Due <= now)
        {
            _held.Dequeue();
            inner.TrySend(first.To, first.Frame);
        }
    }

    /// <inheritdoc />
    public bool IsUp(NodeIndex to) => inner.IsUp(to);

    /// <inheritdoc />
    public void Close(NodeIndex to, string reason) => inner.Close(to, reason);

    /// <inheritdoc />
    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (!Active) return inner.TrySend(to, frame);
        _count++;
        if (kinds.HasFlag(Misbehaviours.Drop)) return true;
        if (kinds.HasFlag(Misbehaviours.Misroute) && _count % 3 == 0) to = new((ushort)((to.Value + 1) % nodes));
        if (kinds.HasFlag(Misbehaviours.Replay) && _count % 5 == 0 && !_old.IsEmpty) inner.TrySend(to, _old);
        if (kinds.HasFlag(Misbehaviours.Replay) && _count % 16 == 1) _old = frame.ToArray();
        if (kinds.HasFlag(Misbehaviours.Corrupt) && _count % 3 == 0) frame = WithOneByteChanged(frame);
        if (!kinds.HasFlag(Misbehaviours.Delay) || _count % 4 != 0 || _held.Count >= MaxHeld) return inner.TrySend(to, frame);
        _held.Enqueue((_now.PlusMilliseconds(DelayMilliseconds), to, frame));
        return true;
    }

    private ReadOnlyMemory<byte> WithOneByteChanged(ReadOnlyMemory<byte> frame)
    {
        // The frame is shared with other links, so the lie gets a copy of its own. The second half is the body.
        var copy = frame.ToArray();
        if (!Envelope.TryOpen(copy, out var envelope)) return frame;
        var at = envelope.BodyOffset + (int)(_count % Math.Max(1, copy.Length - envelope.BodyOffset));
        if (at < copy.Length) copy[at] ^= 0x55;
        return copy;
    }
}
