namespace Massif.Reb.Protocol;

/// <summary>What the source core asks its host to do.</summary>
public enum SourceEffectKind : byte
{
    /// <summary>
    /// Send the INITIAL of <see cref="SourceEffect.Seq"/> to <see cref="SourceEffect.To"/>,
    /// byte-identical at every repeat (R0).
    /// </summary>
    SendInitial,

    /// <summary>
    /// Everything up to <see cref="SourceEffect.Seq"/> is delivered and durable at enough replicas:
    /// the spool may drop it (Release).
    /// </summary>
    Release,

    /// <summary>The spool has lost what the replicas have delivered: this life ends, a new incarnation is needed (R0).</summary>
    SpoolLost,
}

/// <summary>One request of the source core to its host.</summary>
/// <param name="Kind">What is to be done.</param>
/// <param name="Seq">The batch concerned.</param>
/// <param name="To">The replicas concerned.</param>
/// <param name="Attempt">0 for the first sending, then 1, 2, ...: lets the host choose other paths (P4).</param>
public readonly record struct SourceEffect(SourceEffectKind Kind, ulong Seq, ReplicaSet To, int Attempt);

/// <summary>The ordered effects of the source's steps. The host owns one buffer and clears it between turns.</summary>
public sealed class SourceEffects
{
    private SourceEffect[] _items = new SourceEffect[64];
    private int _count;

    /// <summary>Gets the effects in the order in which the host must carry them out.</summary>
    public ReadOnlySpan<SourceEffect> Items => _items.AsSpan(0, _count);

    /// <summary>Forgets the effects and keeps the buffer.</summary>
    public void Clear() => _count = 0;

    internal void Add(SourceEffectKind kind, ulong seq, ReplicaSet to = default, int attempt = 0)
    {
        if (_count == _items.Length) Array.Resize(ref _items, 2 * _count);
        _items[_count++] = new(kind, seq, to, attempt);
    }
}
