using System.Security.Cryptography;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>Appends one checkpoint to the journal: its state in parts, then what it is.</summary>
internal sealed class CheckpointRecord(SegmentLog log) : IDisposable
{
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly List<CheckpointPart> _parts = [];
    private int _length;

    /// <summary>Gets how many bytes the journal grew.</summary>
    public int Bytes { get; private set; }

    /// <summary>Appends the next part of the state; the bytes belong to the journal from then on.</summary>
    public void Add(ReadOnlyMemory<byte> part)
    {
        _parts.Add(new(_length, part.Length, log.Append((byte)JournalKind.CheckpointState, part)));
        _hash.AppendData(part.Span);
        _length += part.Length;
        Bytes += part.Length + SegmentLog.RecordOverheadBytes;
    }

    /// <summary>Appends the record that makes the parts a checkpoint.</summary>
    public KeptCheckpoint End(StreamLife life, ulong seq, in Digest chain, long ticket)
    {
        Span<byte> hash = stackalloc byte[Digest.Length];
        _hash.GetHashAndReset(hash);
        var offer = new CheckpointOffer(seq, chain, Digest.Read(hash), _length);
        var end = JournalRecords.Checkpoint(life, offer);
        log.Append((byte)JournalKind.Checkpoint, end);
        Bytes += end.Length + SegmentLog.RecordOverheadBytes;
        return new(life, offer, _parts, ticket);
    }

    /// <inheritdoc />
    public void Dispose() => _hash.Dispose();
}
