using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Reb.Hosting;

/// <summary>Writes the live state as the first records of a journal segment, which the sync with this ticket makes durable.</summary>
/// <param name="log">The journal.</param>
/// <param name="payloads">Where payloads are.</param>
/// <param name="ticket">The sync.</param>
/// <param name="movedUpToFile">The last file whose checkpoints and held payloads move along, because retention comes to it soon.</param>
/// <param name="movedBytesMax">Most bytes of payloads that move along with one snapshot: they are in memory until the sync.</param>
internal sealed class JournalSnapshot(
    SegmentLog log, PayloadStore payloads, long ticket, long movedUpToFile, long movedBytesMax) : IStateSink, IStartSink
{
    private StartDesk? _start;
    private long _bytes;
    private long _movedBytes;

    /// <summary>Gets the oldest file with a held payload or a checkpoint that did not move: retention has to wait for it.</summary>
    public long OldestHeldFile { get; private set; } = long.MaxValue;

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
        _bytes += checkpoints.MoveFrom(movedUpToFile, ticket, out var left);
        OldestHeldFile = Math.Min(OldestHeldFile, left);
        foreach (var delivered in deliveredUndurable) Append(JournalKind.Delivered, delivered);
        var state = new PartWriter(part => Append(JournalKind.Application, part));
        application.Snapshot(state);
        state.End();
        Append(JournalKind.SnapshotEnds, default);
        return _bytes;
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

        if (MovesAlong(address) && payloads.TryRead(instance, digest, out var batch))
        {
            // An old undecided payload moves along, so that it pins no old segment; until the sync only memory can be read.
            address = log.Append((byte)JournalKind.Payload, batch.Header, batch.Payload);
            payloads.Add(instance, digest, address, batch.Header, batch.Payload, ticket);
            _movedBytes += batch.Header.Length + batch.Payload.Length;
            _bytes += batch.Header.Length + batch.Payload.Length;
        }

        OldestHeldFile = Math.Min(OldestHeldFile, address.FileIndex);
        Append(JournalKind.HeldPayload, JournalRecords.HeldPayload(instance, digest, length, address));
    }

    void IStateSink.Vote(in Vote vote) => Append(JournalKind.Vote, JournalRecords.Vote(vote));

    void IStartSink.Start(StartMark mark, bool settled) =>
        Append(settled ? JournalKind.StartSettled : JournalKind.Start, JournalRecords.Start(mark));

    void IStartSink.PeerStart(ReplicaId peer, StartMark mark, StartMark earlier) => Append(
        JournalKind.PeerStart,
        JournalRecords.PeerStart(peer, mark, _start!.ProofOf(peer, mark), earlier, _start.ProofOf(peer, earlier)));

    void IStartSink.EchoForbidden() => Append(JournalKind.EchoForbidden, default);

    private bool MovesAlong(RecordAddress address) =>
        address.FileIndex + 1 < log.NewestFile && address.FileIndex <= movedUpToFile && _movedBytes < movedBytesMax;

    private void Append(JournalKind kind, ReadOnlyMemory<byte> body)
    {
        log.Append((byte)kind, body);
        _bytes += body.Length + SegmentLog.RecordOverheadBytes;
    }
}
