using System.Buffers;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>Writes the live state as the first records of a journal segment, which the sync with this ticket makes durable.</summary>
internal sealed class JournalSnapshot(SegmentLog log, PayloadStore payloads, long ticket) : IStateSink, IStartSink
{
    private const int PartBytes = 512 * 1024;

    private StartDesk? _start;
    private long _bytes;

    /// <summary>Writes everything and returns how many bytes that took.</summary>
    /// <remarks>
    /// Deliveries above what the core calls durable stand in the segment before, which retention may have dropped when this one is
    /// read. They are repeated inside the snapshot: a snapshot that ends is whole.
    /// </remarks>
    public long Write(
        ReliableBroadcast core,
        StartDesk start,
        IApplication application,
        CheckpointStore checkpoints,
        IEnumerable<byte[]> deliveredUndurable)
    {
        _start = start;
        Append(JournalKind.SnapshotBegins, default);
        start.Snapshot(this);
        core.Snapshot(this);
        foreach (var checkpoint in checkpoints.All) _bytes += Append(log, checkpoint);
        foreach (var delivered in deliveredUndurable) Append(JournalKind.Delivered, delivered);
        var state = new PartWriter(part => Append(JournalKind.Application, part));
        application.Snapshot(state);
        state.End();
        Append(JournalKind.SnapshotEnds, default);
        return _bytes;
    }

    /// <summary>Appends a checkpoint: its state in parts, then what it is. Returns the bytes that took.</summary>
    public static int Append(SegmentLog log, in KeptCheckpoint checkpoint)
    {
        var bytes = 0;
        for (var rest = checkpoint.State; !rest.IsEmpty; rest = rest[Math.Min(PartBytes, rest.Length)..])
        {
            log.Append((byte)JournalKind.CheckpointState, rest[..Math.Min(PartBytes, rest.Length)]);
            bytes += Math.Min(PartBytes, rest.Length) + SegmentLog.RecordOverheadBytes;
        }

        var end = JournalRecords.Checkpoint(checkpoint.Life, checkpoint.Offer);
        log.Append((byte)JournalKind.Checkpoint, end);
        return bytes + end.Length + SegmentLog.RecordOverheadBytes;
    }

    void IStateSink.Life(in LifeRecord life) => Append(JournalKind.Life, JournalRecords.Life(life));

    void IStateSink.Payload(in InstanceId instance, in Digest digest, int length)
    {
        if (!payloads.TryGetAddress(instance, digest, out var address))
        {
            // The source equivocated, and the other payload was delivered: this one was let go, and the delivery below settles the votes.
            Invariant.Holds(payloads.Knows(instance));
            return;
        }

        if (address.FileIndex + 1 < log.NewestFile && payloads.TryRead(instance, digest, out var batch))
        {
            // An old undecided payload moves along, so that it pins no old segment; until the sync only memory can be read.
            address = log.Append((byte)JournalKind.Payload, batch.Header, batch.Payload);
            payloads.Add(instance, digest, address, batch.Header, batch.Payload, ticket);
            _bytes += batch.Header.Length + batch.Payload.Length;
        }

        Append(JournalKind.HeldPayload, JournalRecords.HeldPayload(instance, digest, length, address));
    }

    void IStateSink.Vote(in Vote vote) => Append(JournalKind.Vote, JournalRecords.Vote(vote));

    void IStartSink.Start(StartMark mark, bool settled) =>
        Append(settled ? JournalKind.StartSettled : JournalKind.Start, JournalRecords.Start(mark));

    void IStartSink.PeerStart(ReplicaId peer, StartMark mark, StartMark earlier) => Append(
        JournalKind.PeerStart,
        JournalRecords.PeerStart(peer, mark, _start!.ProofOf(peer, mark), earlier, _start.ProofOf(peer, earlier)));

    void IStartSink.EchoForbidden() => Append(JournalKind.EchoForbidden, default);

    private void Append(JournalKind kind, ReadOnlyMemory<byte> body)
    {
        log.Append((byte)kind, body);
        _bytes += body.Length + SegmentLog.RecordOverheadBytes;
    }

    /// <summary>
    /// Hands the state on in parts while it is written. Megabytes in one piece would be copied at every doubling, and what is left
    /// of that stays in memory until a full collection.
    /// </summary>
    private sealed class PartWriter(Action<ReadOnlyMemory<byte>> take) : IBufferWriter<byte>
    {
        private ArrayBufferWriter<byte> _part = new();
        private bool _isEmpty = true;

        public void Advance(int count) => _part.Advance(count);

        public Memory<byte> GetMemory(int sizeHint = 0)
        {
            MakeRoom(sizeHint);
            return _part.GetMemory(sizeHint);
        }

        public Span<byte> GetSpan(int sizeHint = 0)
        {
            MakeRoom(sizeHint);
            return _part.GetSpan(sizeHint);
        }

        /// <summary>Hands on what is left; an empty state is one empty part.</summary>
        public void End()
        {
            if (_isEmpty || _part.WrittenCount > 0) HandOn();
        }

        private void MakeRoom(int sizeHint)
        {
            if (_part.WrittenCount > 0 && _part.WrittenCount + Math.Max(1, sizeHint) > PartBytes) HandOn();
        }

        private void HandOn()
        {
            take(_part.WrittenMemory);
            _part = new(); // The disk reads the old one until it is durable.
            _isEmpty = false;
        }
    }
}
