using System.Buffers;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <content>State transfer: checkpoints made, named, handed out in parts, and gone to (R11).</content>
public sealed partial class ReplicaHost
{
    /// <summary>Most gaps that are remembered; the number of skipped batches is counted in full.</summary>
    private const int GapsMax = 32;

    /// <summary>Gets the latest gaps since this start: what this replica went past with a checkpoint, oldest first.</summary>
    public IReadOnlyCollection<StreamGap> Gaps => _gaps;

    private bool TakeTransfer(ReplicaId peer, FrameType type, ReadOnlySpan<byte> body, in Moment now)
    {
        switch (type)
        {
            case FrameType.CheckpointQuery when TransferFrames.TryReadQuery(body, out var above):
                _verdicts.Count(type, Core.OnCheckpointQuery(peer, above, now.Now, _effects));
                return true;
            case FrameType.CheckpointOffer when TransferFrames.TryReadOffer(body, out var named, out var offer):
                _verdicts.Count(type, Core.OnCheckpointOffer(peer, named.Life, offer, now.Now, _effects));
                return true;
            case FrameType.CheckpointFetch when TransferFrames.TryReadFetch(body, out var wanted, out var state, out var offset):
                _verdicts.Count(type, Core.OnCheckpointFetch(peer, wanted, state, offset, now.Now, _effects));
                return true;
            case FrameType.CheckpointPart when TransferFrames.TryReadPart(body, out var checkpoint, out var at, out var bytes):
                _verdicts.Count(type, TakePart(peer, checkpoint, at, bytes, now));
                return true;
            default: return false;
        }
    }

    private Verdict TakePart(ReplicaId peer, in InstanceId checkpoint, int offset, ReadOnlySpan<byte> bytes, in Moment now)
    {
        var verdict = Core.OnCheckpointPart(peer, checkpoint, offset, bytes.Length, now.Now, _effects, out var isLast);
        if (verdict != Verdict.Accepted) return verdict;
        if (offset == 0) _incoming[checkpoint.Life] = new();
        _incoming[checkpoint.Life].Write(bytes);
        if (!isLast) return verdict;

        _incoming.Remove(checkpoint.Life, out var whole);
        var offer = Core.AwaitedCheckpoint(checkpoint.Life)!.Value;
        Core.OnCheckpointComplete(checkpoint.Life, Jump(checkpoint.Life, offer, whole!.WrittenMemory), now.Now, _effects);
        return verdict;
    }

    /// <summary>Lets the application go to a checkpoint, if its state is what enough replicas named.</summary>
    private ReceivedState Jump(StreamLife life, in CheckpointOffer offer, ReadOnlyMemory<byte> state)
    {
        var applied = _application.Applied(life);
        if (Digest.Of(state.Span) != offer.State) return ReceivedState.Forged;
        if (!_application.TryJump(life, offer.Seq, offer.Chain, state.Span))
        {
            _notUnderstood.Add();
            return ReceivedState.NotUnderstood;
        }

        _journal.Keep(life, offer.Seq, offer.Chain, destination => destination.Write(state.Span));
        _transfers.Add();
        if (applied >= offer.Seq) return ReceivedState.Taken;
        _journal.RemoveGap(life, applied, offer.Seq);
        _skipped.Add((long)(offer.Seq - applied));
        if (_gaps.Count == GapsMax) _gaps.Dequeue();
        _gaps.Enqueue(new(life, applied + 1, offer.Seq));
        return ReceivedState.Taken;
    }

    private void CarryOutTransfer(in Effect effect)
    {
        switch (effect.Kind)
        {
            case EffectKind.SendCheckpointQuery: SendToEach(effect.To, TransferFrames.BuildQuery(effect.Instance)); break;
            case EffectKind.SendCheckpointFetch:
                SendToEach(effect.To, TransferFrames.BuildFetch(effect.Instance, effect.Digest, effect.Number));
                break;
            case EffectKind.SendCheckpointOffers: Offer(effect); break;
            case EffectKind.SendCheckpointPart: ServePart(effect); break;
            case EffectKind.MakeCheckpoint: MakeCheckpoint(effect); break;
            default: _journal.LogJump(effect); break;
        }
    }

    private void MakeCheckpoint(in Effect effect)
    {
        var (life, seq) = (effect.Instance.Life, effect.Instance.Seq);
        if (_application.Applied(life) != seq) return; // After damage the application may be ahead: it cannot go back for this.
        _journal.Keep(life, seq, effect.Digest, destination => _application.Checkpoint(life, destination));
    }

    private void Offer(in Effect effect)
    {
        var (life, seq) = (effect.Instance.Life, effect.Instance.Seq);
        foreach (var offer in _journal.Checkpoints.OffersFrom(life, seq))
            SendToEach(effect.To, TransferFrames.BuildOffer(_domain.Epoch, life, offer));
    }

    private void ServePart(in Effect effect)
    {
        var checkpoints = _journal.Checkpoints;
        if (checkpoints.TryFind(effect.Instance.Life, effect.Instance.Seq, out var kept)
            && kept.Offer.State == effect.Digest
            && checkpoints.ReadPart(kept, effect.Number) is { } part)
            SendToEach(effect.To, TransferFrames.BuildPart(effect.Instance, effect.Number, part));
        else
            _unserved.Add(); // It was replaced by newer ones, or is not durable yet; the peer asks again what there is.
    }
}

/// <summary>Batches that a replica went past with a checkpoint: it has what they did to its state, and not themselves.</summary>
/// <param name="Life">The life.</param>
/// <param name="From">First seq.</param>
/// <param name="To">Last seq.</param>
public readonly record struct StreamGap(StreamLife Life, ulong From, ulong To);
