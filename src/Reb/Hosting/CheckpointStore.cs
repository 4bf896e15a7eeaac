using Massif.Reb.Protocol;

namespace Massif.Reb.Hosting;

/// <summary>The checkpoints that this replica can hand to a peer, in memory and in the journal.</summary>
/// <remarks>
/// Of each life the last two at multiples of the interval, because peers may be at different sides of the newest, so that one
/// that enough of them have is among them; and the last one made where the stream rested.
/// </remarks>
internal sealed class CheckpointStore(int interval)
{
    /// <summary>Most bytes kept over all lives, the newest always: 64 MiB.</summary>
    public const long BytesMax = 64 * 1024 * 1024;

    private const int RegularPerLife = 2;

    private readonly LinkedList<KeptCheckpoint> _byAge = new();
    private long _bytes;

    /// <summary>Gets everything kept, oldest first.</summary>
    public IEnumerable<KeptCheckpoint> All => _byAge;

    public void Add(in KeptCheckpoint checkpoint)
    {
        if (TryFind(checkpoint.Life, checkpoint.Offer.Seq, out _)) return;
        _byAge.AddLast(checkpoint);
        _bytes += checkpoint.State.Length;
        var life = checkpoint.Life;
        var isRegular = IsRegular(checkpoint);
        var ofKind = _byAge.Where(kept => kept.Life == life && IsRegular(kept) == isRegular).ToList();
        if (ofKind.Count > (isRegular ? RegularPerLife : 1)) Remove(ofKind[0]);
        while (_bytes > BytesMax && _byAge.Count > 1) Remove(_byAge.First!.Value);
    }

    public bool TryFind(StreamLife life, ulong seq, out KeptCheckpoint checkpoint)
    {
        foreach (var kept in _byAge)
        {
            if (kept.Life != life || kept.Offer.Seq != seq) continue;
            checkpoint = kept;
            return true;
        }

        checkpoint = default;
        return false;
    }

    private bool IsRegular(in KeptCheckpoint checkpoint) => checkpoint.Offer.Seq % (ulong)interval == 0;

    private void Remove(in KeptCheckpoint checkpoint)
    {
        _byAge.Remove(checkpoint);
        _bytes -= checkpoint.State.Length;
    }
}

/// <summary>One checkpoint with its bytes.</summary>
/// <param name="Life">The life.</param>
/// <param name="Offer">What it is called among replicas.</param>
/// <param name="State">The application's state.</param>
internal readonly record struct KeptCheckpoint(StreamLife Life, CheckpointOffer Offer, ReadOnlyMemory<byte> State);
