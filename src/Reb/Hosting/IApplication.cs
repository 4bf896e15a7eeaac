using System.Buffers;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>What runs above the bus at a replica; deterministic, so that equal batches make equal state at all correct replicas.</summary>
public interface IApplication
{
    /// <summary>Takes one delivered batch, in FIFO order per life. After a restart it may come again: ask <see cref="Applied"/>.</summary>
    /// <param name="header">What is agreed beside the payload.</param>
    /// <param name="digest">d, the digest of the header.</param>
    /// <param name="payload">The agreed bytes; from a source that may be Byzantine.</param>
    void Apply(in BatchHeader header, in Digest digest, ReadOnlyMemory<byte> payload);

    /// <summary>Returns the highest seq applied of a life; 0 when none is.</summary>
    ulong Applied(StreamLife life);

    /// <summary>Writes the whole state; the first records of a new journal segment.</summary>
    void Snapshot(IBufferWriter<byte> destination);

    /// <summary>Takes a state that <see cref="Snapshot"/> wrote.</summary>
    /// <exception cref="InvalidDataException">The bytes are no state of this version.</exception>
    void Restore(ReadOnlySpan<byte> state);

    /// <summary>
    /// Writes the state of one life, a function of its batches up to the last applied: equal bytes at all correct replicas (R11).
    /// </summary>
    void Checkpoint(StreamLife life, IBufferWriter<byte> destination);

    /// <summary>
    /// Takes a state that <see cref="Checkpoint"/> wrote elsewhere: the life goes on after <paramref name="seq"/>. One that is
    /// there already is left as it is. False when the bytes are no state of this version; nothing is changed then.
    /// </summary>
    bool TryJump(StreamLife life, ulong seq, in Digest chain, ReadOnlySpan<byte> state);
}
