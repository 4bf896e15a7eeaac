namespace Massif.Reb.Protocol;

/// <summary>
/// Reliable broadcast of batches at one replica, over all streams: digest-echo Bracha with windows
/// (docs/protocols/BROADCAST.md).
/// </summary>
/// <remarks>
/// <para>
/// Guarantees agreement, integrity, totality and, for a correct source, validity with f Byzantine replicas and no timing assumption.
/// Sources: Bracha 1987, fig. 1; ECHO on INITIAL only is Cachin, Guerraoui and Rodrigues 2011, algorithm 3.18. DONE, windows,
/// announcements and FETCH make it run for ever with bounded memory, over links that lose, and across restarts.
/// </para>
/// <para>
/// The host checks MACs and hashes, carries out the effects in order, appends every record to one journal, syncs once per turn and
/// lets what a turn sends leave only after that sync. A vote step costs a dictionary look-up and a few set operations and allocates
/// nothing. Memory is bounded as <see cref="Bound"/> says.
/// </para>
/// </remarks>
public sealed partial class ReliableBroadcast
{
    /// <summary>How much of a checkpoint's state one frame carries, in bytes.</summary>
    public const int CheckpointPartBytes = 512 * 1024;

    /// <summary>What a batch adds to the page of the journal in which it is looked for, in bytes.</summary>
    private const int JournalEntryBytes = 44;

    /// <summary>What a look-up in the journal costs beside the page: the disk reads a block at least.</summary>
    private const int JournalBlockBytes = 4 * 1024;

    private readonly ReplicaId _self;
    private readonly Quorums _quorums;
    private readonly BroadcastOptions _options;
    private readonly PeerTable _peers;
    private readonly StreamTable _streams;
    private readonly Announcer _announcer;
    private readonly Fetcher _fetcher;
    private readonly FetchServer _fetchServer;
    private readonly StateTransfer _transfer;
    private readonly Queue<(long Record, StreamWindow Window, ulong Seq)> _notDurable = [];
    private bool _started;

    /// <summary>Makes the core; restore it, then call <see cref="Start"/>.</summary>
    public ReliableBroadcast(ReplicaId self, Quorums quorums, BroadcastOptions options)
    {
        options.Validate();
        Invariant.Holds(self.Index < quorums.Replicas);
        (_self, _quorums, _options) = (self, quorums, options);
        _peers = new(self, quorums.Replicas);
        _streams = new(self, quorums, options);
        _fetchServer = new(quorums.Replicas, options);
        _announcer = new(_peers, _streams, _fetchServer, options);
        _fetcher = new(self, _peers, options);
        _transfer = new(quorums, _peers, options);
    }

    /// <summary>Gets whether this replica sends no ECHO in this epoch (R13).</summary>
    public bool EchoForbidden { get; private set; }

    /// <summary>Gets when <see cref="OnDeadline"/> is due; null while there is nothing to wait for.</summary>
    public Instant? NextDeadline => _started
        ? Announcer.Earlier(Announcer.Earlier(_announcer.NextDeadline, _fetcher.NextDeadline), _transfer.NextDeadline)
        : null;

    /// <summary>Gets what this core holds.</summary>
    public Footprint Footprint => _streams.Footprint;

    /// <summary>Returns the most this core may ever hold when so many streams are named to it.</summary>
    public Footprint Bound(int streams) => _streams.Bound(streams);

    /// <summary>Adds where every life stands, in order of enrolment.</summary>
    public void CopyTips(ICollection<StreamTip> tips)
    {
        foreach (var life in _streams.Lives)
        {
            var pending = life.Open - (int)(life.Low - 1 - life.Durable);
            tips.Add(new(life.Life, life.Low - 1, life.Confirmed, life.Chain, pending));
        }
    }

    /// <summary>
    /// An INITIAL whose payload hashes to what its header says; <paramref name="digest"/> is that of the header and
    /// <paramref name="authentic"/> whether this replica's MAC entry over it is valid (R2, R3, R12).
    /// </summary>
    public Verdict OnInitial(in InstanceId instance, in Digest digest, int length, bool authentic, Instant now, Effects effects)
    {
        if (Refuse(instance) is { } refused) return refused;
        if (length < 0 || length > _options.PayloadBytesMax) return Verdict.TooLarge;
        var window = _streams.Find(instance.Life);
        if (window is null && !authentic) return Verdict.Unauthentic;
        window ??= Enrolled(_streams.EnrolByInitial(instance.Life));
        if (window is null) return Verdict.TooManyLives;
        if (OutsideWindow(window, instance.Seq) is { } outside) return outside;

        var known = window.Find(instance.Seq);
        if (!authentic && known is null) return Verdict.Unauthentic;
        if (WouldHold(known, digest, authentic) && !MayHold(window, instance.Seq, now, effects)) return Verdict.Early;
        var open = window.FindOrOpen(instance.Seq);
        if (authentic && open.Initial is null)
        {
            open.Initial = digest;
            Hold(open, digest, length, effects); // Payload and ECHO are records of one turn, so of one sync (R3).
            EchoOnce(open, digest, now, effects);
            Filled(open, asAnswer: false, now, effects);
            return Verdict.Accepted;
        }

        if (authentic && open.Initial != digest && open.AccuseOnce(_self))
            effects.Accuse(EvidenceKind.SourceEquivocation, default, instance, open.Initial.GetValueOrDefault(), digest);
        if (FillsDecision(open, digest))
        {
            Hold(open, digest, length, effects); // R12: what is decided was verified by correct replicas.
            Filled(open, asAnswer: false, now, effects);
            return Verdict.Accepted;
        }

        if (!authentic) return Verdict.Unauthentic;
        return open.Initial == digest ? Verdict.Duplicate : Verdict.Equivocation;
    }

    /// <summary>A vote that came over the direct link of <paramref name="from"/> (R1).</summary>
    public Verdict OnVote(ReplicaId from, in Vote vote, Instant now, Effects effects)
    {
        if (Refuse(from, vote.Instance) is { } refused) return refused;
        if (vote.Kind > VoteKind.Done) return Verdict.NotEntitled;
        var window = FindOrName(from, vote.Instance.Life);
        if (window is null) return Verdict.UnknownLife;
        if (OutsideWindow(window, vote.Instance.Seq) is { } outside) return outside;

        var open = window.FindOrOpen(vote.Instance.Seq);
        var verdict = open.Record(from, vote.Kind, vote.Digest);
        if (verdict == Verdict.Accepted) Counted(open, vote.Digest, now, effects);
        else if (verdict == Verdict.Equivocation && open.AccuseOnce(from)) AccuseVoter(open, from, vote, effects);
        return verdict;
    }

    /// <summary>GONE: the peer has forgotten everything of the life below <paramref name="low"/>.</summary>
    public Verdict OnGone(ReplicaId from, StreamLife life, ulong low, Instant now, Effects effects)
    {
        if (Refuse(from, new(_options.Epoch, life.Stream, life.Incarnation, low)) is { } refused) return refused;
        var window = FindOrName(from, life);
        if (window is null) return Verdict.UnknownLife;
        _fetcher.Gone(from, window, low, now, effects);
        _transfer.Gone(from, window, low, now, effects);
        return Verdict.Accepted;
    }

    /// <summary>STATUS of a peer (R9).</summary>
    public Verdict OnStatus(ReplicaId from, in StreamStatus status, Instant now, Effects effects)
    {
        if (Refuse(from, new(_options.Epoch, status.Life.Stream, status.Life.Incarnation, status.Low)) is { } refused) return refused;
        if (!_peers.NoteStart(from, status.StartCounter)) return Verdict.Old;
        var window = FindOrName(from, status.Life);
        if (window is null) return Verdict.UnknownLife;
        _announcer.StatusArrived(window, from, status, now, effects);
        return Verdict.Accepted;
    }

    /// <summary>FETCH of a peer (R7).</summary>
    public Verdict OnFetch(ReplicaId from, in InstanceId instance, in Digest digest, Instant now, Effects effects)
    {
        if (Refuse(from, instance) is { } refused) return refused;
        var window = FindOrName(from, instance.Life);
        if (window is null) return Verdict.UnknownLife;
        if (instance.Seq < window.Floor)
        {
            if (!_fetchServer.Allow(from, instance, 0, now)) return Verdict.Refused;
            var floor = new InstanceId(_options.Epoch, instance.Stream, instance.Incarnation, window.Floor);
            effects.Send(EffectKind.SendGone, ReplicaSet.Of(from), floor);
            return Verdict.Accepted;
        }

        var isInJournal = instance.Seq < window.Memory.Floor; // Its digest and its length are not known before it is read.
        var length = 0;
        if (!isInJournal && !IsHeld(window, instance.Seq, digest, out length)) return Verdict.Refused;
        var cost = isInJournal ? JournalBlockBytes + (_options.CheckpointInterval * JournalEntryBytes) : length; // What is read.
        if (!_fetchServer.Allow(from, instance, cost, now)) return Verdict.Refused;
        effects.Payload(EffectKind.SendPayload, instance, digest, length, ReplicaSet.Of(from));
        return Verdict.Accepted;
    }

    /// <summary>
    /// A payload of this many bytes went to a peer whose <see cref="EffectKind.SendPayload"/> did not say how long it is.
    /// </summary>
    public void OnServed(ReplicaId to, int bytes) => _fetchServer.Charge(to, bytes);

    /// <summary>A peer's answer to a FETCH; <paramref name="digest"/> is what the host computed from header and payload (R7).</summary>
    public Verdict OnPayload(ReplicaId from, in InstanceId instance, in Digest digest, int length, Instant now, Effects effects)
    {
        if (Refuse(from, instance) is { } refused) return refused;
        if (_streams.Find(instance.Life)?.Find(instance.Seq) is not { } open || !open.IsDecided) return Verdict.NotWanted;
        if (open.IsComplete) return Verdict.Duplicate;
        var asked = Fetcher.Awaits(open, from);
        if (FillsDecision(open, digest) && MayHold(open.Window, instance.Seq, now, effects))
        {
            Hold(open, digest, length, effects);
            Filled(open, asked, now, effects);
            return Verdict.Accepted;
        }

        if (!asked || FillsDecision(open, digest)) return Verdict.NotWanted;
        effects.Accuse(EvidenceKind.WrongPayload, ReplicaSet.Of(from), instance, open.Decided.Digest, digest);
        _fetcher.Rotate(open, now, effects);
        return Verdict.NotWanted;
    }

    /// <summary>The direct link to a peer is up, or was replaced: what was in flight may be lost (R9).</summary>
    public void OnPeerConnected(ReplicaId peer, Instant now, Effects effects)
    {
        Invariant.Holds(peer != _self && peer.Index < _quorums.Replicas);
        _peers.Connect(peer);
        if (_started) _announcer.PeerConnected(peer, now, effects);
    }

    /// <summary>The direct link to a peer is down; it is left in peace until it is up again.</summary>
    public void OnPeerDisconnected(ReplicaId peer) => _peers.Disconnect(peer);

    /// <summary>A source became reachable: it gets the STATUS of all its lives in full.</summary>
    public void OnSourceConnected(ushort source, Instant now, Effects effects)
    {
        if (_started) _announcer.SourceConnected(source, effects);
    }

    /// <summary>
    /// The journal holds every digest and payload of a life that is delivered from a seq on, and nothing below it (retention): that
    /// is answered GONE (R11). Before <see cref="Start"/> it may be lower than what was restored; after it, it only rises.
    /// </summary>
    public void OnRetention(StreamLife life, ulong oldest)
    {
        if (_streams.Find(life) is { } window) window.Retain(_started ? Math.Max(oldest, window.Floor) : oldest);
    }

    /// <summary>All journal records up to this number are durable (R11).</summary>
    public void OnDurable(long record, Instant now, Effects effects)
    {
        while (_notDurable.TryPeek(out var next) && next.Record <= record)
        {
            _notDurable.Dequeue();
            if (next.Seq <= next.Window.Durable) // The record of a jump, or of a delivery that one went past.
            {
                next.Window.Confirm(next.Seq);
                _announcer.Changed(next.Window, tellPeers: false);
                continue;
            }

            var delivered = next.Window.Find(next.Seq);
            Invariant.Holds(delivered is not null);
            next.Window.ForgetDurable(next.Seq, delivered.Chain);
            _announcer.Changed(next.Window, tellPeers: false);
            DeliverInOrder(next.Window, now, effects);
        }
    }

    /// <summary>
    /// Ends a burst of inputs: reports the streams that changed (R9, R14). The host calls it after every burst, also after one
    /// of <see cref="OnDurable"/> alone, and reads <see cref="NextDeadline"/> then.
    /// </summary>
    public void EndTurn(Instant now, Effects effects)
    {
        if (_started) _announcer.EndTurn(now, effects);
    }

    /// <summary>A deadline passed. Late and early calls are harmless: the state is looked at first.</summary>
    public void OnDeadline(Instant now, Effects effects)
    {
        if (!_started) return;
        _fetcher.OnDeadline(now, effects);
        _transfer.OnDeadline(now, effects);
        _announcer.OnDeadline(now, effects);
    }
}
