using System.Buffers;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>
/// Reads a journal at the start: first where payloads are and where whole snapshots are, then the state from one of them.
/// </summary>
/// <remarks>
/// A damaged journal forbids ECHO (R13), and what it says of votes and of payloads that are not delivered is not taken at all: what
/// is missing cannot be told. Deliveries count up to the first hole; what lies behind it is fetched from the peers.
/// </remarks>
internal sealed class JournalRestore(SegmentLog log, PayloadStore payloads, CheckpointStore checkpoints, JournalTargets targets)
{
    private readonly ArrayBufferWriter<byte> _application = new();
    private readonly List<(RecordAddress Address, int Length)> _parts = []; // Of a checkpoint whose end is still to come.
    private readonly List<(RecordAddress Begins, RecordAddress Ends)> _snapshots = [];
    private readonly Dictionary<StreamLife, ulong> _reached = []; // How far the records up to here deliver each life.
    private RecordAddress _base; // Where the snapshot begins whose application state is taken; default: there is none.
    private bool _isDamaged;
    private bool _inBase;

    /// <exception cref="StorageFormatException">Damage has left no state to begin with.</exception>
    public void Run()
    {
        FindSnapshots();
        _isDamaged = log.Damage.Count > 0;
        var isWhole = log.OldestFile <= 1; // Nothing was dropped: the first file begins with the empty state.
        var sound = _isDamaged ? _snapshots.FindAll(snapshot => !IsDamaged(snapshot)) : _snapshots;
        if (sound.Count == 0 && !isWhole)
        {
            throw new StorageFormatException(
                "The journal is damaged and holds no whole snapshot. Move the node's data directory away: the replica then starts "
                + "empty, sends no ECHO in this epoch, and gets what its peers still hold.");
        }

        _base = sound.Count > 0 ? sound[^1].Begins : default;

        // State is read from the last snapshot but one: when the last was written, what it builds on may not have been durable.
        // Before it only lives, deliveries and checkpoints count: they are what laggards are helped with (R9, R11).
        var state = !_isDamaged && (isWhole || sound.Count > 1) ? sound.Count > 1 ? sound[^2].Begins : default : _base;
        var history = _isDamaged ? _base : isWhole ? default : sound[0].Begins;
        log.Scan(history, (address, kind, body) =>
        {
            if (address >= state || IsHistory((JournalKind)kind))
                Take((JournalKind)kind, address, body);
        });
    }

    private static bool IsHistory(JournalKind kind) => kind
        is JournalKind.Life or JournalKind.Delivered or JournalKind.CheckpointState or JournalKind.Checkpoint or JournalKind.Jump;

    private void FindSnapshots()
    {
        var begins = default(RecordAddress);
        log.Scan((address, kind, body) =>
        {
            switch ((JournalKind)kind)
            {
                case JournalKind.SnapshotBegins: begins = address; break;
                case JournalKind.SnapshotEnds when begins != default: // Else a crash or damage took its beginning.
                    _snapshots.Add((begins, address));
                    begins = default;
                    break;
                case JournalKind.Payload: Index(address, body); break;
                case JournalKind.Delivered:
                    var delivered = JournalRecords.ReadDelivered(body);
                    payloads.KeepOnly(delivered.Instance, delivered.Digest);
                    break;
                case JournalKind.Page: payloads.AddStoredPage(body, address); break;
                default: break;
            }
        });
    }

    private bool IsDamaged((RecordAddress Begins, RecordAddress Ends) snapshot) => log.Damage.Any(damage =>
        SegmentFormat.TryParseFileName(log.Name, damage.File, out var file)
        && file == snapshot.Begins.FileIndex
        && damage.Offset < snapshot.Ends.Offset
        && damage.Offset + damage.Bytes > snapshot.Begins.Offset);

    private void Index(RecordAddress address, ReadOnlySpan<byte> body)
    {
        if (!ReplicaFrames.TryReadPayload(body, out var header)) return;
        payloads.AddStored(header.Instance, Digest.Of(body[..BatchHeader.Length]), address);
    }

    private void Take(JournalKind kind, RecordAddress address, ReadOnlySpan<byte> body)
    {
        switch (kind)
        {
            case JournalKind.SnapshotBegins: _inBase = address == _base; break;
            case JournalKind.Life when !_isDamaged || _inBase: RestoreLife(JournalRecords.ReadLife(body)); break;
            case JournalKind.Life or JournalKind.Vote or JournalKind.Payload or JournalKind.HeldPayload when _isDamaged: break;
            case JournalKind.Vote: targets.Core.RestoreVote(JournalRecords.ReadVote(body)); break;
            case JournalKind.Payload: RestorePayload(body); break;
            case JournalKind.HeldPayload: RestoreHeldPayload(body); break;
            case JournalKind.Delivered: RestoreDelivered(address, body); break;
            case JournalKind.CheckpointState: _parts.Add((address, body.Length)); break;
            case JournalKind.Checkpoint: RestoreCheckpoint(body); break;
            case JournalKind.Jump: RestoreJump(address, body); break;
            case JournalKind.Application when _inBase: _application.Write(body); break;
            case JournalKind.Application: break;
            case JournalKind.SnapshotEnds when _inBase:
                _inBase = false;
                targets.Application.Restore(_application.WrittenSpan);
                break;
            case JournalKind.SnapshotEnds or JournalKind.Page: break;
            case JournalKind.Start or JournalKind.StartSettled or JournalKind.PeerStart or JournalKind.EchoForbidden:
                targets.Start.Restore(JournalRecords.ReadStart(kind, body.ToArray()));
                break;
            default:
                throw new StorageFormatException(
                    $"The journal has a record of kind {(byte)kind}, which this version does not know. Run the version that wrote it.");
        }
    }

    private void RestoreLife(in LifeRecord life)
    {
        _reached[life.Life] = Math.Max(_reached.GetValueOrDefault(life.Life), life.Durable);
        targets.Core.RestoreLife(life);
    }

    private void RestorePayload(ReadOnlySpan<byte> body)
    {
        if (!ReplicaFrames.TryReadPayload(body, out var header)) return;
        targets.Core.RestorePayload(header.Instance, Digest.Of(body[..BatchHeader.Length]), header.PayloadLength);
    }

    private void RestoreHeldPayload(ReadOnlySpan<byte> body)
    {
        var (instance, digest, length, _) = JournalRecords.ReadHeldPayload(body);

        // A segment that was lost takes its payloads with it: what is not found is fetched again.
        if (payloads.TryGetAddress(instance, digest, out _)) targets.Core.RestorePayload(instance, digest, length);
    }

    private void RestoreDelivered(RecordAddress address, ReadOnlySpan<byte> body)
    {
        var (instance, digest, length, chain) = JournalRecords.ReadDelivered(body);

        // The application's own state comes at the end of its snapshot, the deliveries in it included; later ones are applied again.
        var applied = targets.Application.Applied(instance.Life);
        if (!_inBase && address >= _base && instance.Seq > applied && !TryApply(instance, applied, digest)) return;
        _reached[instance.Life] = Math.Max(_reached.GetValueOrDefault(instance.Life), instance.Seq);
        targets.Core.RestoreDelivered(instance, digest, length, chain);
    }

    private void RestoreCheckpoint(ReadOnlySpan<byte> body)
    {
        var (life, offer) = JournalRecords.ReadCheckpoint(body);
        var parts = new List<CheckpointPart>();
        for (var (i, end) = (_parts.Count - 1, offer.Length); i >= 0 && end > 0; i--) // Parts of a torn one may stand before them.
        {
            end -= _parts[i].Length;
            parts.Insert(0, new(end, _parts[i].Length, _parts[i].Address));
        }

        _parts.Clear();
        var found = new KeptCheckpoint(life, offer, parts, Ticket: 0);
        if (parts.Count == 0 || parts[0].Offset != 0 || checkpoints.Read(found) is null) return;
        checkpoints.Add(found);
        targets.Core.RestoreCheckpoint(life, offer.Seq);
    }

    private void RestoreJump(RecordAddress address, ReadOnlySpan<byte> body)
    {
        var (instance, chain) = JournalRecords.ReadJump(body);
        if (address >= _base && instance.Seq > targets.Application.Applied(instance.Life))
        {
            // Damage took its state: the replica is where it was before, and its peers help it again.
            if (!checkpoints.TryFind(instance.Life, instance.Seq, out var kept) || checkpoints.Read(kept) is not { } state) return;
            if (!targets.Application.TryJump(instance.Life, instance.Seq, chain, state.Span)) return;
        }

        payloads.RemoveGap(instance.Life, _reached.GetValueOrDefault(instance.Life), instance.Seq);
        _reached[instance.Life] = instance.Seq;
        targets.Core.RestoreJump(instance.Life, instance.Seq, chain);
    }

    /// <summary>Returns false when damage took the payload or a delivery before it: then it is not delivered yet, and is fetched.</summary>
    private bool TryApply(in InstanceId instance, ulong applied, in Digest digest)
    {
        if (instance.Seq != applied + 1 || !payloads.TryRead(instance, digest, out var batch)) return false;
        if (!BatchHeader.TryRead(batch.Header.Span, out var header)) return false;
        targets.Application.Apply(header, digest, batch.Payload);
        return true;
    }
}
