namespace Massif.Reb.Protocol;

/// <content>The rules themselves: who counts, what a count brings about, and delivery.</content>
public sealed partial class ReliableBroadcast
{
    private Verdict? Refuse(ReplicaId from, in InstanceId instance) =>
        from.Index >= _quorums.Replicas || from == _self ? Verdict.NotEntitled : Refuse(instance);

    private Verdict? Refuse(in InstanceId instance)
    {
        if (!_started) return Verdict.Early;
        if (instance.Epoch != _options.Epoch) return instance.Epoch < _options.Epoch ? Verdict.Old : Verdict.Early;
        if (instance.Stream.Source >= _options.Nodes || instance.Stream.Class > StreamClass.Urgent) return Verdict.NotEntitled;
        return instance.Seq is 0 or > long.MaxValue ? Verdict.NotEntitled : null;
    }

    /// <summary>Below low: ignored. Above the window: dropped. Neither is suspect (R8).</summary>
    private static Verdict? OutsideWindow(StreamWindow window, ulong seq)
    {
        if (seq < window.Low) return Verdict.Old;
        if (seq >= window.End) return Verdict.Early;
        return null;
    }

    private StreamWindow? FindOrName(ReplicaId from, StreamLife life) =>
        _streams.Find(life) ?? Enrolled(_streams.EnrolByName(from, life));

    /// <summary>A new life is reported at once: the peers then announce what they had said before it was enrolled (R9).</summary>
    private StreamWindow? Enrolled(StreamWindow? window)
    {
        if (window is not null) _announcer.Changed(window, tellPeers: true);
        return window;
    }

    private void EchoOnce(Instance open, in Digest digest, Instant now, Effects effects)
    {
        if (EchoForbidden) return; // R13: a replica that may have forgotten an ECHO makes none.
        if (open.OwnEcho is not null) return;
        Cast(VoteKind.Echo, open, digest, now, effects);
        Counted(open, digest, now, effects);
    }

    private void ReadyOnce(Instance open, in Digest digest, Instant now, Effects effects)
    {
        if (open.OwnReady is null) Cast(VoteKind.Ready, open, digest, now, effects);
    }

    /// <summary>Makes a vote of this replica: counted, journalled, and sent to all once it is durable (R13).</summary>
    private void Cast(VoteKind kind, Instance open, in Digest digest, Instant now, Effects effects)
    {
        var id = open.Id(_options.Epoch);
        open.Record(_self, kind, digest);
        effects.LogVote(kind, id, digest);
        effects.SendVote(_peers.Others, kind, id, digest);
        _announcer.Voted(open.Window, open.Seq, now);
    }

    /// <summary>One more replica spoke for the digest: draws the conclusions of R5 and R6.</summary>
    private void Counted(Instance open, in Digest digest, Instant now, Effects effects)
    {
        if (open.For(digest).Echoes.Count >= _quorums.Intersecting) ReadyOnce(open, digest, now, effects);
        if (open.For(digest).Voices.Count >= _quorums.OneCorrect) ReadyOnce(open, digest, now, effects);
        if (open.For(digest).Voices.Count >= _quorums.CorrectMajority) DecideOnce(open, digest, now, effects);
        if (open.For(digest).Dones.Count >= _quorums.OneCorrect) DecideOnce(open, digest, now, effects);
        WantIfRoom(open, now, effects); // R7
    }

    private void DecideOnce(Instance open, in Digest digest, Instant now, Effects effects)
    {
        if (open.IsDecided && open.Decided.Digest == digest) return;
        open.Decide(digest);
        _announcer.Changed(open.Window, tellPeers: false);
        DeliverInOrder(open.Window, now, effects);
    }

    private static bool FillsDecision(Instance open, in Digest digest) =>
        open.IsDecided && open.Decided.Digest == digest && !open.Holds(digest);

    private void Hold(Instance open, in Digest digest, int length, Effects effects)
    {
        if (open.Holds(digest)) return;
        effects.StorePayload(open.Id(_options.Epoch), digest, length);
        open.Hold(digest, length);
    }

    /// <summary>A payload came in: whatever waited for it goes on.</summary>
    private void Filled(Instance open, bool asAnswer, Instant now, Effects effects)
    {
        _announcer.Changed(open.Window, tellPeers: false);
        if (!open.IsComplete) return;
        _fetcher.Arrived(open, asAnswer, now, effects);
        DeliverInOrder(open.Window, now, effects);
    }

    /// <summary>Delivers what is decided and complete, in the order of seq: a hole blocks its stream only (R10).</summary>
    private void DeliverInOrder(StreamWindow window, Instant now, Effects effects)
    {
        while (!window.AwaitsDisk && window.Find(window.Low) is { IsComplete: true } next)
        {
            var (id, digest) = (next.Id(_options.Epoch), next.Decided.Digest);
            var length = next.LengthOf(digest);
            next.Chain = window.Chain.Chain(digest);
            var record = effects.LogDelivered(id, digest, length, next.Chain);
            effects.Payload(EffectKind.Deliver, id, digest, length);
            for (var i = 0; i < next.HeldCount; i++)
                effects.Payload(EffectKind.DropPayload, id, next.HeldAt(i).Digest, next.HeldAt(i).Length);
            _notDurable.Enqueue((record, window, next.Seq)); // Votes and all stay until this record is durable (R11).
            window.Advance(digest, length, next.Chain);
            CheckpointIfDue(window, id.Seq, window.Chain, effects);
            _announcer.Changed(window, tellPeers: true);
            if (window.IsNarrow && window.Find(window.Low) is { } lowest) WantIfRoom(lowest, now, effects);
        }
    }

    private static bool IsHeld(StreamWindow window, ulong seq, in Digest digest, out int length)
    {
        if (window.Memory.TryGet(seq, out var delivered, out length)) return delivered == digest;
        if (window.Find(seq) is not { } open || !open.Holds(digest)) return false;
        length = open.LengthOf(digest);
        return true;
    }

    private static void AccuseVoter(Instance open, ReplicaId from, in Vote vote, Effects effects)
    {
        var kind = vote.Kind == VoteKind.Echo ? EvidenceKind.EchoEquivocation : EvidenceKind.ReadyEquivocation;
        effects.Accuse(kind, ReplicaSet.Of(from), vote.Instance, open.ClaimOf(from, vote.Kind), vote.Digest);
    }
}
