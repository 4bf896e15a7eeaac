using System.Buffers;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>The checkpoints that this replica can hand to a peer. Their states are in the journal; here is where.</summary>
/// <remarks>
/// Of each life those of the <see cref="CheckpointLadder"/>, and the last one made where the stream rested. The last eight and that
/// one are kept for ever, because peers may be at different sides of the newest, and one that is being fetched must not go
/// meanwhile; the older ones go with the file that they stand in, like the batches that follow them.
/// </remarks>
internal sealed class CheckpointStore(SegmentLog log, int interval)
{
    private readonly Dictionary<StreamLife, List<KeptCheckpoint>> _lives = [];
    private long _synced;

    /// <summary>Writes a checkpoint into the journal while the application writes its state; returns the bytes that took.</summary>
    /// <param name="life">The life.</param>
    /// <param name="seq">The last seq in it.</param>
    /// <param name="chain">The chained digest up to that seq.</param>
    /// <param name="write">Writes the state.</param>
    /// <param name="ticket">The sync that makes it durable; before, nothing of it can be read.</param>
    public int Make(StreamLife life, ulong seq, in Digest chain, Action<IBufferWriter<byte>> write, long ticket)
    {
        using var record = new CheckpointRecord(log);
        var parts = new PartWriter(record.Add);
        write(parts);
        parts.End();
        Add(record.End(life, seq, chain, ticket));
        return record.Bytes;
    }

    /// <summary>Adds a checkpoint whose records stand in the journal.</summary>
    public void Add(KeptCheckpoint checkpoint)
    {
        if (TryFind(checkpoint.Life, checkpoint.Offer.Seq, out _)) return;
        if (!_lives.TryGetValue(checkpoint.Life, out var ofLife)) _lives.Add(checkpoint.Life, ofLife = []);
        ofLife.Add(checkpoint);
        var newest = Newest(ofLife);
        ofLife.RemoveAll(kept => IsRegular(checkpoint)
            ? IsRegular(kept) && !CheckpointLadder.IsKept(kept.Offer.Seq, newest, interval)
            : !IsRegular(kept) && kept != checkpoint);
    }

    /// <summary>
    /// Adds what to name to a peer that can go on from a seq: those at or above it, lowest first, and the newest in any case.
    /// </summary>
    public IEnumerable<CheckpointOffer> OffersFrom(StreamLife life, ulong seq)
    {
        if (!_lives.TryGetValue(life, out var ofLife)) return [];
        var newest = Newest(ofLife);
        return ofLife
            .Where(kept => kept.Offer.Seq >= seq || kept.Offer.Seq == newest || !IsRegular(kept))
            .Select(kept => kept.Offer)
            .OrderBy(offer => offer.Seq);
    }

    public bool TryFind(StreamLife life, ulong seq, out KeptCheckpoint checkpoint)
    {
        checkpoint = (_lives.TryGetValue(life, out var ofLife) ? ofLife.Find(kept => kept.Offer.Seq == seq) : null)!;
        return checkpoint is not null;
    }

    /// <summary>Reads a state from an offset on, up to the length of a part; null when there is none, or it is not durable yet.</summary>
    public byte[]? ReadPart(KeptCheckpoint checkpoint, int offset)
    {
        if (offset >= checkpoint.Offer.Length) return null;
        var bytes = new byte[Math.Min(ReliableBroadcast.CheckpointPartBytes, checkpoint.Offer.Length - offset)];
        var filled = 0;
        foreach (var record in checkpoint.Parts)
        {
            var from = offset + filled - record.Offset;
            if (from < 0 || from >= record.Length || filled == bytes.Length) continue;
            if (ReadRecord(checkpoint, record) is not { } body) return null;
            var count = Math.Min(body.Length - from, bytes.Length - filled);
            body.AsSpan(from, count).CopyTo(bytes.AsSpan(filled));
            filled += count;
        }

        return filled == bytes.Length ? bytes : null;
    }

    /// <summary>Reads a whole state; null when it cannot be read, or is not what the checkpoint says.</summary>
    public ReadOnlyMemory<byte>? Read(KeptCheckpoint checkpoint)
    {
        var state = new ArrayBufferWriter<byte>(checkpoint.Offer.Length);
        foreach (var part in checkpoint.Parts)
        {
            if (ReadRecord(checkpoint, part) is not { } bytes) return null;
            state.Write(bytes);
        }

        return Digest.Of(state.WrittenSpan) == checkpoint.Offer.State ? state.WrittenMemory : null;
    }

    /// <summary>
    /// Copies the last ones, where they stand in the oldest files, to the end of the journal, so that they pin no old segment; returns
    /// the bytes that took.
    /// </summary>
    /// <param name="upToFile">The last of the oldest files.</param>
    /// <param name="ticket">The sync that makes the copies durable.</param>
    /// <param name="left">The first file with one that could not be read yet; it must stay for it.</param>
    public long MoveFrom(long upToFile, long ticket, out long left)
    {
        (var bytes, left) = (0L, long.MaxValue);
        foreach (var ofLife in _lives.Values)
        {
            var newest = Newest(ofLife);
            for (var i = 0; i < ofLife.Count; i++)
            {
                var file = ofLife[i].Parts[0].Address.FileIndex;
                if (file > upToFile || !IsLast(ofLife[i], newest)) continue;
                if (ofLife[i].Ticket > _synced) left = Math.Min(left, file);
                else if (Move(ofLife[i], ticket, out var moved) is { } there) (ofLife[i], bytes) = (there, bytes + moved);
            }
        }

        return bytes;
    }

    /// <summary>Forgets those that stood in the files up to one.</summary>
    public void Forget(long fileIndex)
    {
        foreach (var (life, ofLife) in _lives)
        {
            ofLife.RemoveAll(kept => kept.Parts[0].Address.FileIndex <= fileIndex);
            if (ofLife.Count == 0) _lives.Remove(life);
        }
    }

    public void OnSynced(long ticket) => _synced = Math.Max(_synced, ticket);

    private byte[]? ReadRecord(KeptCheckpoint checkpoint, in CheckpointPart part)
    {
        if (checkpoint.Ticket > _synced) return null;
        return log.Read(part.Address, out _, out var body) == LogReadResult.Read && body.Length == part.Length ? body : null;
    }

    private bool IsRegular(KeptCheckpoint checkpoint) => checkpoint.Offer.Seq % (ulong)interval == 0;

    private bool IsLast(KeptCheckpoint checkpoint, ulong newest) =>
        !IsRegular(checkpoint) || CheckpointLadder.IsOfTheLast(checkpoint.Offer.Seq, newest, interval);

    private ulong Newest(List<KeptCheckpoint> ofLife)
    {
        ulong newest = 0;
        foreach (var kept in ofLife)
            if (IsRegular(kept)) newest = Math.Max(newest, kept.Offer.Seq);
        return newest;
    }

    /// <summary>Writes a checkpoint once more; null when the disk lost a part of it: the record goes with its file.</summary>
    private KeptCheckpoint? Move(KeptCheckpoint kept, long ticket, out long bytes)
    {
        bytes = 0;
        var bodies = kept.Parts.Select(part => ReadRecord(kept, part)).ToList();
        if (bodies.Contains(null)) return null;
        using var record = new CheckpointRecord(log);
        foreach (var body in bodies) record.Add(body);
        var moved = record.End(kept.Life, kept.Offer.Seq, kept.Offer.Chain, ticket);
        bytes = record.Bytes;
        return moved;
    }
}

/// <summary>A part of a state in the journal.</summary>
/// <param name="Offset">Where it begins in the state, in bytes.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Address">Its record.</param>
internal readonly record struct CheckpointPart(int Offset, int Length, RecordAddress Address);

/// <summary>One checkpoint and where it stands.</summary>
/// <param name="Life">The life.</param>
/// <param name="Offer">What it is called among replicas.</param>
/// <param name="Parts">The parts of its state, in order.</param>
/// <param name="Ticket">The sync that makes it durable; 0 when it was found at the start.</param>
internal sealed record KeptCheckpoint(StreamLife Life, CheckpointOffer Offer, IReadOnlyList<CheckpointPart> Parts, long Ticket);
