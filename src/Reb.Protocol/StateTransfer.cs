namespace Massif.Reb.Protocol;

/// <summary>A checkpoint of one life as a peer names it: what the application made of everything up to a seq.</summary>
/// <param name="Seq">The last seq in it.</param>
/// <param name="Chain">The chained digest up to that seq.</param>
/// <param name="State">Hash of the application's state.</param>
/// <param name="Length">Length of that state in bytes.</param>
public readonly record struct CheckpointOffer(ulong Seq, Digest Chain, Digest State, int Length);

/// <summary>What the host found a received state to be.</summary>
public enum ReceivedState : byte
{
    /// <summary>It is what was named, and the application stands behind it now.</summary>
    Taken,

    /// <summary>It is not what was named: somebody sent something else.</summary>
    Forged,

    /// <summary>It is what was named, and this application cannot read it: the peers run another version. Nobody is to blame.</summary>
    NotUnderstood,
}

/// <summary>Gets a replica past what its peers have forgotten: by a checkpoint that enough of them name alike (R7, R11).</summary>
/// <remarks>
/// <see cref="Quorums.OneCorrect"/> GONE above its low start it, so a liar alone cannot; one GONE does when as many peers are ahead and
/// low has stood still for long: what those hold who did not forget may be too few to decide. A checkpoint that as many name alike is
/// that of a correct replica. The lowest of those is taken, a time-out after there was one: what lies above it comes from the
/// journals of the peers, and a liar who names the highest only is not quicker than the others. Its bytes come from one of those
/// who named it at a time, in parts of a fixed length; after a time-out the next one goes on with the same part. At most one
/// transfer per life is under way.
/// </remarks>
internal sealed class StateTransfer(Quorums quorums, PeerTable peers, BroadcastOptions options)
{
    /// <summary>A low that stands still for so many of the longest time-outs is not helped by votes any more.</summary>
    private const int StillTimeOuts = 5;

    /// <summary>How long a checkpoint that cannot be read is left alone, in milliseconds: a newer version comes by hand.</summary>
    private const int NotUnderstoodMs = 60_000;

    private readonly List<Transfer> _active = [];

    public Instant? NextDeadline { get; private set; }

    /// <summary>A peer has forgotten a life below a seq.</summary>
    public void Gone(ReplicaId from, StreamWindow window, ulong low, Instant now, Effects effects)
    {
        window.Peers[from.Index].GoneBelow = low;
        var still = window.StandsStill(now, StillTimeOuts * options.RtoMaxMs);
        if (Find(window) is not null || !(IsGone(window) || (still && low > window.Low && IsLeftBehind(window)))) return;
        var transfer = new Transfer(window, quorums.Replicas);
        _active.Add(transfer);
        Query(transfer, now, effects);
        Schedule();
    }

    /// <summary>A peer names a checkpoint that it holds.</summary>
    public Verdict Offered(ReplicaId from, StreamWindow window, in CheckpointOffer offer, Instant now, Effects effects)
    {
        if (Find(window) is not { Target: null } transfer || offer.Seq < window.Low) return Verdict.NotWanted;
        if (offer.Length < 1 || offer.Length > options.CheckpointBytesMax) return Verdict.TooLarge;
        if (!transfer.Note(from, offer)) return Verdict.Duplicate;
        if (transfer.HasChoice || transfer.WhoOffers(offer).Count < quorums.OneCorrect) return Verdict.Accepted;
        transfer.HasChoice = true;
        transfer.Due = now.PlusMilliseconds(options.RtoMaxMs);
        Schedule();
        return Verdict.Accepted;
    }

    /// <summary>A part of the state came; true in <paramref name="isLast"/> when that was all of it.</summary>
    public Verdict PartArrived(
        ReplicaId from, StreamWindow window, ulong seq, int offset, int count, Instant now, Effects effects, out bool isLast)
    {
        isLast = false;
        if (Find(window) is not { } transfer || transfer.Target != from || transfer.Chosen.Seq != seq) return Verdict.NotWanted;
        if (seq < window.Low)
        {
            transfer.Restart(); // It went on without, and is stranded again further on.
            Query(transfer, now, effects);
            Schedule();
            return Verdict.NotWanted;
        }

        var expected = Math.Min(ReliableBroadcast.CheckpointPartBytes, transfer.Chosen.Length - transfer.Offset);
        if (offset != transfer.Offset || count != expected) return Verdict.NotWanted; // A byte at a time would hold it up for days.
        transfer.Offset += count;
        isLast = transfer.Offset == transfer.Chosen.Length;
        if (!isLast) AskPart(transfer, now, effects);
        Schedule();
        return Verdict.Accepted;
    }

    /// <summary>
    /// The whole state was looked at: returns the checkpoint to go to, or null when the next peer
    /// is asked or nothing is to do.
    /// </summary>
    public CheckpointOffer? Completed(StreamWindow window, ReceivedState state, Instant now, Effects effects)
    {
        if (Find(window) is not { Target: { } target } transfer || transfer.Offset != transfer.Chosen.Length) return null;
        if (state == ReceivedState.Taken)
        {
            _active.Remove(transfer);
            Schedule();
            return transfer.Chosen;
        }

        if (state == ReceivedState.NotUnderstood)
        {
            transfer.Restart(); // The next peer sends the same.
            transfer.Due = now.PlusMilliseconds(NotUnderstoodMs);
            Schedule();
            return null;
        }

        if (!transfer.IsMixed)
        {
            var checkpoint = window.Id(options.Epoch, transfer.Chosen.Seq);
            effects.Accuse(EvidenceKind.WrongState, ReplicaSet.Of(target), checkpoint, transfer.Chosen.State, default);
        }

        transfer.FromOne = true; // Who of several sent a wrong part cannot be told: from now on each sends the whole.
        Ask(transfer, now, effects);
        Schedule();
        return null;
    }

    /// <summary>Returns the checkpoint whose state is being fetched; null when none is.</summary>
    public CheckpointOffer? Chosen(StreamWindow window) => Find(window) is { Target: not null } transfer ? transfer.Chosen : null;

    public void OnDeadline(Instant now, Effects effects)
    {
        if (NextDeadline is not { } due || now < due) return;
        for (var i = _active.Count - 1; i >= 0; i--)
        {
            var transfer = _active[i];
            if (transfer.Window.Low > transfer.Begun && !IsGone(transfer.Window))
                _active.RemoveAt(i); // It went on without: somebody still had what was missing.
            else if (now < transfer.Due) continue;
            else if (transfer.Target is null) ChooseOrQuery(transfer, now, effects);
            else Ask(transfer, now, effects);
        }

        Schedule();
    }

    private bool IsGone(StreamWindow window)
    {
        var gone = 0;
        foreach (ref readonly var view in window.Peers.AsSpan())
            if (view.GoneBelow > window.Low) gone++;
        return gone >= quorums.OneCorrect;
    }

    private bool IsLeftBehind(StreamWindow window)
    {
        var ahead = 0;
        foreach (ref readonly var view in window.Peers.AsSpan())
            if (view.Low > window.Low) ahead++;
        return ahead >= quorums.OneCorrect;
    }

    private Transfer? Find(StreamWindow window)
    {
        foreach (var transfer in _active)
            if (transfer.Window == window) return transfer;
        return null;
    }

    /// <summary>Takes the lowest checkpoint that enough peers name alike; when there is none, everybody is asked again.</summary>
    private void ChooseOrQuery(Transfer transfer, Instant now, Effects effects)
    {
        var lowest = default(CheckpointOffer?);
        foreach (ref readonly var offer in transfer.Offers)
        {
            if (offer.Length == 0 || offer.Seq < transfer.Window.Low || offer.Seq >= lowest?.Seq) continue;
            if (transfer.WhoOffers(offer).Count >= quorums.OneCorrect) lowest = offer;
        }

        if (lowest is { } chosen)
        {
            (transfer.Chosen, transfer.Namers) = (chosen, transfer.WhoOffers(chosen));
            Ask(transfer, now, effects);
        }
        else
        {
            transfer.HasChoice = false; // What they named lies behind by now.
            Query(transfer, now, effects);
        }
    }

    private void Query(Transfer transfer, Instant now, Effects effects)
    {
        effects.Send(EffectKind.SendCheckpointQuery, peers.Connected, transfer.Window.Id(options.Epoch, transfer.Window.Low));
        Wait(transfer, now);
    }

    /// <summary>Goes on with the next of those who named the checkpoint; when all were asked, everybody is queried again.</summary>
    private void Ask(Transfer transfer, Instant now, Effects effects)
    {
        if (transfer.FromOne || transfer.Offset == transfer.Chosen.Length) transfer.Offset = 0;
        foreach (var peer in transfer.Namers)
        {
            if (transfer.Asked.Contains(peer) || !peers.Connected.Contains(peer)) continue;
            transfer.Asked = transfer.Asked.With(peer);
            transfer.IsMixed = transfer.Offset > 0;
            transfer.Target = peer;
            AskPart(transfer, now, effects);
            return;
        }

        if (transfer.Offset > transfer.RoundOffset)
        {
            (transfer.RoundOffset, transfer.Asked) = (transfer.Offset, default); // They are slow, and it goes on: another round.
            Ask(transfer, now, effects);
            return;
        }

        transfer.Restart();
        Query(transfer, now, effects);
    }

    private void AskPart(Transfer transfer, Instant now, Effects effects)
    {
        effects.Checkpoint(
            EffectKind.SendCheckpointFetch,
            ReplicaSet.Of(transfer.Target!.Value),
            transfer.Window.Id(options.Epoch, transfer.Chosen.Seq),
            transfer.Chosen.State,
            transfer.Offset);
        transfer.Due = now.PlusMilliseconds(options.RtoMaxMs);
    }

    private void Wait(Transfer transfer, Instant now)
    {
        transfer.Due = now.PlusMilliseconds(Math.Min(options.RtoMaxMs, options.RtoMs << transfer.Attempt));
        transfer.Attempt = Math.Min(transfer.Attempt + 1, 10);
    }

    private void Schedule()
    {
        NextDeadline = null;
        foreach (var transfer in _active) NextDeadline = Announcer.Earlier(NextDeadline, transfer.Due);
    }

    /// <summary>The search for a checkpoint of one life. Of each peer the last offers are kept, as many as a correct one has.</summary>
    private sealed class Transfer(StreamWindow window, int replicas)
    {
        private const int OffersPerPeer = CheckpointLadder.Most;

        private readonly CheckpointOffer[] _offers = new CheckpointOffer[replicas * OffersPerPeer];
        private readonly int[] _noted = new int[replicas];

        public StreamWindow Window => window;

        /// <summary>What was named so far; an offer of length 0 is none.</summary>
        public ReadOnlySpan<CheckpointOffer> Offers => _offers;

        /// <summary>Whether there is one that enough peers name alike.</summary>
        public bool HasChoice { get; set; }

        public CheckpointOffer Chosen { get; set; }

        /// <summary>Those who named the chosen checkpoint.</summary>
        public ReplicaSet Namers { get; set; }

        public ReplicaSet Asked { get; set; }

        /// <summary>The one whose part is awaited; null while checkpoints are being named.</summary>
        public ReplicaId? Target { get; set; }

        public int Offset { get; set; }

        /// <summary>How far it had come when all were asked before.</summary>
        public int RoundOffset { get; set; }

        /// <summary>Whether parts of more than one peer are put together.</summary>
        public bool IsMixed { get; set; }

        /// <summary>Whether each peer has to send the whole.</summary>
        public bool FromOne { get; set; }

        /// <summary>Low when it began.</summary>
        public ulong Begun { get; } = window.Low;

        public Instant Due { get; set; }

        public int Attempt { get; set; }

        public bool Note(ReplicaId from, in CheckpointOffer offer)
        {
            var ofPeer = _offers.AsSpan(from.Index * OffersPerPeer, OffersPerPeer);
            if (ofPeer.Contains(offer)) return false;
            ofPeer[_noted[from.Index]++ % OffersPerPeer] = offer;
            return true;
        }

        public ReplicaSet WhoOffers(in CheckpointOffer offer)
        {
            var who = default(ReplicaSet);
            for (var i = 0; i < _offers.Length; i++)
                if (_offers[i] == offer) who = who.With(new((byte)(i / OffersPerPeer)));
            return who;
        }

        public void Restart()
        {
            (Target, Asked, Offset, RoundOffset, IsMixed, HasChoice) = (null, default, 0, 0, false, false);
            Array.Clear(_offers);
            Array.Clear(_noted);
        }
    }
}
