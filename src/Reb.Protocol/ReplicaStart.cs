namespace Massif.Reb.Protocol;

/// <summary>Decides at a replica's start whether its vote log is whole, and answers the starts of its peers (R13).</summary>
/// <remarks>
/// A start is announced, stored durably by each peer, and answered with the highest earlier start that the peer knew, under its own
/// signature. Votes leave once <see cref="Quorums.Available"/> replicas, this one included, have stored it. An earlier start with a
/// counter not below this one's means that the log is an old copy, or lost: a log that is empty begins with counter 1, so any earlier
/// start tells. This overlap suffices for k ≤ 1. A start that never settled is continued by the next one under the same mark: no
/// vote has left in it, and crashing in between cannot overwrite what the peers know.
/// </remarks>
public sealed class ReplicaStart
{
    private readonly ReplicaId _self;
    private readonly Quorums _quorums;
    private readonly int _rtoMs, _rtoMaxMs;
    private readonly (StartMark Known, StartMark Earlier)[] _peers;
    private StartMark _settled;
    private ReplicaSet _stored;
    private int _attempt;

    /// <summary>Makes the core; restore it, then call <see cref="Begin"/>. Time-outs are in milliseconds.</summary>
    public ReplicaStart(ReplicaId self, Quorums quorums, int rtoMs = 50, int rtoMaxMs = 1_000)
    {
        Invariant.Holds(self.Index < quorums.Replicas);
        (_self, _quorums, _rtoMs, _rtoMaxMs) = (self, quorums, rtoMs, rtoMaxMs);
        _peers = new (StartMark, StartMark)[quorums.Replicas];
    }

    /// <summary>Gets whether votes may leave: enough peers know of this start.</summary>
    public bool IsSettled { get; private set; }

    /// <summary>Gets whether this replica sends no ECHO in this epoch: its vote log was lost or old.</summary>
    public bool EchoForbidden { get; private set; }

    /// <summary>Gets the start under way; its counter goes into STATUS.</summary>
    public StartMark Mark { get; private set; }

    /// <summary>Gets when <see cref="OnDeadline"/> is due; null when settled.</summary>
    public Instant? NextDeadline { get; private set; }

    /// <summary>Restores an own start from the journal.</summary>
    public void RestoreStart(StartMark mark, bool settled)
    {
        if (mark.Counter >= Mark.Counter) Mark = mark; // The head of a torn snapshot may name the one before.
        if (settled) _settled = mark;
    }

    /// <summary>Restores a peer's start from the journal.</summary>
    public void RestorePeerStart(ReplicaId peer, StartMark mark, StartMark earlier) => _peers[peer.Index] = (mark, earlier);

    /// <summary>Restores that ECHO is forbidden in this epoch.</summary>
    public void RestoreEchoForbidden() => EchoForbidden = true;

    /// <summary>Hands the live state to a new journal segment.</summary>
    public void Snapshot(IStartSink sink)
    {
        if (!_settled.IsNone) sink.Start(_settled, settled: true);
        if (Mark != _settled) sink.Start(Mark, settled: false);
        if (EchoForbidden) sink.EchoForbidden();
        for (byte i = 0; i < _peers.Length; i++)
            if (!_peers[i].Known.IsNone) sink.PeerStart(new(i), _peers[i].Known, _peers[i].Earlier);
    }

    /// <summary>
    /// Starts: continues an open start, or makes one with the next counter and <paramref name="nonce"/>, and announces it.
    /// </summary>
    public void Begin(ulong nonce, Instant now, Effects effects)
    {
        if (Mark == _settled) Open(new(Mark.Counter + 1, nonce), effects);
        _stored = ReplicaSet.Of(_self);
        Announce(now, effects);
    }

    /// <summary>A peer starts; <paramref name="validSignature"/> says whether its own signature verifies.</summary>
    /// <remarks>The host sends the answer after this turn's sync, with the signature that came with the earlier start.</remarks>
    public Verdict OnAnnouncement(ReplicaId from, in StartAnnouncement announcement, bool validSignature, Effects effects)
    {
        if (from.Index >= _peers.Length || from == _self || announcement.Replica != from) return Verdict.NotEntitled;
        if (announcement.Mark.IsNone) return Verdict.NotEntitled;
        if (!validSignature) return Verdict.BadSignature;

        ref var peer = ref _peers[from.Index];
        var mark = announcement.Mark;
        var earlier = mark == peer.Known ? peer.Earlier : peer.Known; // A repeat is answered as the first time.
        var only = ReplicaSet.Of(from);
        if (mark.Counter > peer.Known.Counter)
        {
            peer = (mark, peer.Known);
            effects.Start(EffectKind.LogPeerStart, only, mark, earlier, record: true);
        }

        effects.Start(EffectKind.SendStartAnswer, only, mark, earlier, record: false);
        return Verdict.Accepted;
    }

    /// <summary>
    /// A peer has stored this start. <paramref name="validSignature"/> is that of this replica under the earlier start in it; when
    /// that is none, pass true. <paramref name="nonce"/> is fresh: it is used if the answer shows that a new start is needed.
    /// </summary>
    public Verdict OnAnswer(ReplicaId from, in StartAnswer answer, bool validSignature, ulong nonce, Instant now, Effects effects)
    {
        if (from.Index >= _peers.Length || from == _self || answer.Announced.Replica != _self) return Verdict.NotEntitled;
        if (answer.Announced.Mark != Mark) return Verdict.Old;
        if (_stored.Contains(from)) return Verdict.Duplicate;
        if (!validSignature) return Verdict.BadSignature;

        if (answer.Earlier.Counter >= Mark.Counter) // An old log; or a lost one: without a log the counter is 1.
        {
            ForbidEcho(effects);
            Open(new(answer.Earlier.Counter + 1, nonce), effects); // Above all that peers know, so that they take its STATUS for new.
            _stored = ReplicaSet.Of(_self);
            _attempt = 0;
            Announce(now, effects);
            return Verdict.Accepted;
        }

        _stored = _stored.With(from);
        if (!IsSettled && _stored.Count >= _quorums.Available) Settle(effects);
        return Verdict.Accepted;
    }

    /// <summary>A link to a peer is up: the announcement is sent again if it has not answered.</summary>
    public void OnPeerConnected(ReplicaId peer, Effects effects)
    {
        if (Mark.IsNone || _stored.IsEmpty || _stored.Contains(peer)) return;
        effects.Start(EffectKind.SendStart, ReplicaSet.Of(peer), Mark, default, record: false);
    }

    /// <summary>A deadline passed: announces again to those who have not answered.</summary>
    public void OnDeadline(Instant now, Effects effects)
    {
        if (NextDeadline is { } due && now >= due) Announce(now, effects);
    }

    private void Open(StartMark mark, Effects effects)
    {
        Mark = mark;
        IsSettled = false;
        effects.Start(EffectKind.LogStart, default, mark, default, record: true);
    }

    private void Announce(Instant now, Effects effects)
    {
        var silent = new ReplicaSet(ReplicaSet.FirstOf(_quorums.Replicas).Bits & ~_stored.Bits);
        effects.Start(EffectKind.SendStart, silent, Mark, default, record: false);
        NextDeadline = now.PlusMilliseconds(Math.Min(_rtoMaxMs, _rtoMs << Math.Min(_attempt++, 10)));
    }

    private void Settle(Effects effects)
    {
        IsSettled = true;
        NextDeadline = null;
        _settled = Mark;
        effects.Start(EffectKind.LogStartSettled, default, Mark, default, record: true);
    }

    private void ForbidEcho(Effects effects)
    {
        if (EchoForbidden) return;
        EchoForbidden = true;
        effects.Start(EffectKind.LogEchoForbidden, default, default, default, record: true);
    }
}

/// <summary>Receives the live state of <see cref="ReplicaStart"/>; each call becomes one journal record.</summary>
public interface IStartSink
{
    /// <summary>An own start.</summary>
    void Start(StartMark mark, bool settled);

    /// <summary>A peer's start and the one known before it.</summary>
    void PeerStart(ReplicaId peer, StartMark mark, StartMark earlier);

    /// <summary>ECHO is forbidden in this epoch.</summary>
    void EchoForbidden();
}
