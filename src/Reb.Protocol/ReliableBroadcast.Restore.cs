namespace Massif.Reb.Protocol;

/// <content>Start, restore and snapshot (R11, R13).</content>
public sealed partial class ReliableBroadcast
{
    /// <summary>Restores a life from a journal record; before <see cref="Start"/>, in journal order, like all Restore methods.</summary>
    /// <remarks>
    /// Reading begins at the last snapshot but one, or earlier: deliveries that were not durable when a snapshot was made stand before it.
    /// The more older segments are read, in order, the more decided digests are remembered; of what is not, this replica says GONE.
    /// </remarks>
    public void RestoreLife(in LifeRecord life)
    {
        Invariant.Holds(!_started);
        var window = _streams.Find(life.Life) ?? _streams.Enrol(life);
        Invariant.Holds(window.Low > life.Durable); // Else deliveries before this snapshot are missing from the journal.
    }

    /// <summary>Restores that a payload is held.</summary>
    public void RestorePayload(in InstanceId instance, in Digest digest, int length)
    {
        if (Restored(instance) is { } open) open.Hold(digest, length);
    }

    /// <summary>Restores a vote of this replica.</summary>
    public void RestoreVote(in Vote vote)
    {
        if (Restored(vote.Instance) is not { } open) return;
        if (vote.Kind == VoteKind.Echo && !open.Holds(vote.Digest)) return; // Torn: it never left, they become durable together (R3).
        open.Record(_self, vote.Kind, vote.Digest);
        if (vote.Kind == VoteKind.Echo) open.Initial = vote.Digest;
        open.Window.RaiseTop(open.Seq);
    }

    /// <summary>
    /// Restores a delivery. One that does not follow the last is torn: what stood between is lost, so it never was durable.
    /// </summary>
    public void RestoreDelivered(in InstanceId instance, in Digest digest, int length, in Digest chain)
    {
        Invariant.Holds(!_started);
        if (WindowFor(instance) is not { } window || window.Low != instance.Seq) return;
        window.Advance(digest, length, chain);
        window.ForgetDurable(instance.Seq, chain);
    }

    /// <summary>Hands the live state to a new journal segment, whose later records continue it.</summary>
    /// <remarks>
    /// Nothing in it claims more than what is durable: a vote leaves the log only when its payload and a low above it are durable (R11).
    /// </remarks>
    public void Snapshot(IStateSink sink)
    {
        foreach (var window in _streams.Lives)
        {
            sink.Life(new(window.Life, window.Durable, window.DurableChain, window.ByInitial));
            for (var seq = window.Durable + 1; seq < window.End; seq++)
                if (window.Find(seq) is { } open) Write(open, sink);
        }
    }

    /// <summary>The replica's start is settled (R13): from now on inputs count, and everything is announced.</summary>
    public void Start(ulong startCounter, bool echoForbidden, Instant now, Effects effects)
    {
        _started = true;
        EchoForbidden = echoForbidden;
        RestorePlaces();
        _announcer.StartCounter = startCounter;
        _announcer.Start(now, effects);
    }

    /// <summary>The start is open again (R13): inputs are refused as early until <see cref="Start"/> is called once more.</summary>
    public void Suspend() => _started = false;

    private void Write(Instance open, IStateSink sink)
    {
        var id = open.Id(_options.Epoch);
        for (var i = 0; i < open.HeldCount; i++) sink.Payload(id, open.HeldAt(i).Digest, open.HeldAt(i).Length);
        if (open.OwnEcho is { } echo) sink.Vote(new(VoteKind.Echo, id, echo));
        if (open.OwnReady is { } ready) sink.Vote(new(VoteKind.Ready, id, ready));
    }

    /// <summary>Returns the instance of a restored record; null when it is delivered or of another epoch.</summary>
    private Instance? Restored(in InstanceId instance)
    {
        Invariant.Holds(!_started);
        if (WindowFor(instance) is not { } window || instance.Seq < window.Low) return null;
        return window.FindOrOpen(instance.Seq); // Beyond the ring: reading began too late, and votes would be forgotten.
    }

    /// <summary>A life enrolled after the last snapshot has no record of its own: its first payload or vote enrols it.</summary>
    private StreamWindow? WindowFor(in InstanceId instance)
    {
        if (instance.Epoch != _options.Epoch) return null;
        return _streams.Find(instance.Life) ?? _streams.Enrol(new(instance.Life, 0, default, ByInitial: true));
    }
}
