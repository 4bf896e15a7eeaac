namespace Massif.Reb.Protocol;

/// <content>Checkpoints: making and serving them, and going to one when the peers have forgotten what comes next (R7, R11).</content>
public sealed partial class ReliableBroadcast
{
    // Answers are limited per peer and instance; these are no instances, and must not be taken for the FETCH of one.
    private const uint QueryKey = uint.MaxValue, PartKey = uint.MaxValue - 1;

    /// <summary>What a query costs a peer of its FETCH rate, in bytes: about as much as there may be to name.</summary>
    private const int OffersBytes = CheckpointLadder.Most * 128;

    /// <summary>A peer asks for a checkpoint of a life at or above a seq.</summary>
    /// <remarks>
    /// Checkpoints are made at every multiple of <see cref="BroadcastOptions.CheckpointInterval"/>, equal at all correct replicas.
    /// A stream that rests between two of them would strand the peer, so one is made where it rests, and again where it rests later:
    /// there all come to be at one seq.
    /// The newest are named even when this replica itself could not go on from them: the peer votes again in the window behind.
    /// </remarks>
    public Verdict OnCheckpointQuery(ReplicaId from, in InstanceId above, Instant now, Effects effects)
    {
        if (Refuse(from, above) is { } refused) return refused;
        if (FindOrName(from, above.Life) is not { } window) return Verdict.UnknownLife;
        var tip = window.Low - 1;
        if (tip < above.Seq) return Verdict.NotWanted;
        var isMissing = window.RegularCheckpoint < above.Seq && window.RestCheckpoint != tip;
        if (isMissing && !window.RestsAt(tip, now, _options.RtoMaxMs)) return Verdict.Early;
        if (!_fetchServer.Allow(from, above with { Epoch = QueryKey }, OffersBytes, now)) return Verdict.Refused;
        if (isMissing) MakeCheckpoint(window, tip, window.Chain, effects);
        var lowest = Math.Max(above.Seq, window.Floor - 1); // From a lower one this journal cannot help the peer on.
        effects.Send(EffectKind.SendCheckpointOffers, ReplicaSet.Of(from), above with { Seq = lowest });
        return Verdict.Accepted;
    }

    /// <summary>A peer names a checkpoint that it holds; <paramref name="life"/> is the life it belongs to.</summary>
    public Verdict OnCheckpointOffer(ReplicaId from, StreamLife life, in CheckpointOffer offer, Instant now, Effects effects)
    {
        if (Refuse(from, new(_options.Epoch, life.Stream, life.Incarnation, offer.Seq)) is { } refused) return refused;
        return _streams.Find(life) is { } window ? _transfer.Offered(from, window, offer, now, effects) : Verdict.UnknownLife;
    }

    /// <summary>A peer asks for a part of the state with this hash, from an offset in bytes.</summary>
    public Verdict OnCheckpointFetch(ReplicaId from, in InstanceId checkpoint, in Digest state, int offset, Instant now, Effects effects)
    {
        if (Refuse(from, checkpoint) is { } refused) return refused;
        if (_streams.Find(checkpoint.Life) is null) return Verdict.UnknownLife;
        if (offset < 0 || offset >= _options.CheckpointBytesMax) return Verdict.NotEntitled;
        var part = checkpoint with { Epoch = PartKey, Seq = checkpoint.Seq + ((ulong)offset << 32) }; // Each part is an answer of its own.
        if (!_fetchServer.Allow(from, part, CheckpointPartBytes, now)) return Verdict.Refused;
        effects.Checkpoint(EffectKind.SendCheckpointPart, ReplicaSet.Of(from), checkpoint, state, offset);
        return Verdict.Accepted;
    }

    /// <summary>
    /// A part of a state. When it is accepted the host adds it to those before it, and when it is the last one it looks whether the
    /// whole is what was offered, gives it to the application, and says so with <see cref="OnCheckpointComplete"/>.
    /// </summary>
    public Verdict OnCheckpointPart(
        ReplicaId from, in InstanceId checkpoint, int offset, int count, Instant now, Effects effects, out bool isLast)
    {
        isLast = false;
        if (Refuse(from, checkpoint) is { } refused) return refused;
        if (_streams.Find(checkpoint.Life) is not { } window) return Verdict.UnknownLife;
        return _transfer.PartArrived(from, window, checkpoint.Seq, offset, count, now, effects, out isLast);
    }

    /// <summary>Returns the checkpoint of a life whose state is being fetched; null when none is.</summary>
    public CheckpointOffer? AwaitedCheckpoint(StreamLife life) =>
        _streams.Find(life) is { } window ? _transfer.Chosen(window) : null;

    /// <summary>The state is whole. When the application stands behind it now, the life goes on after its seq.</summary>
    public void OnCheckpointComplete(StreamLife life, ReceivedState state, Instant now, Effects effects)
    {
        if (_streams.Find(life) is not { } window || _transfer.Completed(window, state, now, effects) is not { } to) return;
        Invariant.Holds(to.Seq >= window.Low); // The host gave the application nothing older than what it has.
        _notDurable.Enqueue((effects.LogJump(window.Id(_options.Epoch, to.Seq), to.Chain), window, to.Seq));
        Jump(window, to.Seq, to.Chain);
        NoteCheckpoint(window, to.Seq);
        _announcer.Changed(window, tellPeers: true);
        DeliverInOrder(window, now, effects);
    }

    /// <summary>Restores that a life went to a checkpoint; before <see cref="Start"/>, in journal order.</summary>
    public void RestoreJump(StreamLife life, ulong seq, in Digest chain)
    {
        Invariant.Holds(!_started);
        var window = _streams.Find(life) ?? _streams.Enrol(new(life, 0, default, ByInitial: true));
        NoteCheckpoint(window, seq);
        if (seq < window.Low) return;
        Jump(window, seq, chain);
        window.Confirm(seq);
    }

    /// <summary>Restores that the journal holds a checkpoint.</summary>
    public void RestoreCheckpoint(StreamLife life, ulong seq)
    {
        if (_streams.Find(life) is { } window) NoteCheckpoint(window, seq);
    }

    private void NoteCheckpoint(StreamWindow window, ulong seq)
    {
        if (IsRegular(seq)) window.RegularCheckpoint = Math.Max(window.RegularCheckpoint, seq);
        else window.RestCheckpoint = seq;
    }

    private bool IsRegular(ulong seq) => seq % (ulong)_options.CheckpointInterval == 0;

    private void Jump(StreamWindow window, ulong seq, in Digest chain)
    {
        _fetcher.Forget(window, seq);
        window.JumpTo(seq, chain);
    }

    private void CheckpointIfDue(StreamWindow window, ulong seq, in Digest chain, Effects effects)
    {
        if (IsRegular(seq)) MakeCheckpoint(window, seq, chain, effects);
    }

    private void MakeCheckpoint(StreamWindow window, ulong seq, in Digest chain, Effects effects)
    {
        NoteCheckpoint(window, seq);
        effects.Checkpoint(EffectKind.MakeCheckpoint, default, window.Id(_options.Epoch, seq), chain, 0);
    }
}
