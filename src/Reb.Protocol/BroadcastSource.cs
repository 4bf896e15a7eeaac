namespace Massif.Reb.Protocol;

/// <summary>Constants of a broadcast source.</summary>
public sealed record SourceOptions
{
    /// <summary>Gets W, as the replicas have it. Default 256, range 16 to 1,024 (R8).</summary>
    public int Window { get; init; } = 256;

    /// <summary>Gets the shortest retransmission time-out in milliseconds. Default 50; it follows the measured round trips.</summary>
    public int RtoMs { get; init; } = 50;

    /// <summary>Gets the longest retransmission time-out in milliseconds. Default 1,000.</summary>
    public int RtoMaxMs { get; init; } = 1_000;

    /// <summary>
    /// Gets how many bytes of batches may be on their way to one replica: below the queue of a link, so that what is sent does
    /// not fall out of it. Default 6 MiB: 100 ms of 500 Mbit/s.
    /// </summary>
    public long BytesUnderWayMax { get; init; } = 6 * 1024 * 1024;

    /// <summary>Throws when a value is out of its range; the configuration has checked them before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Window, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Window, HaveBits.Capacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(RtoMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RtoMaxMs, RtoMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(BytesUnderWayMax, 1);
    }
}

/// <summary>The sending side of one life of a stream: windows, repeats and the release of the spool (R0, R8, R9, Release).</summary>
/// <remarks>
/// Each replica has its own window and its own repeats, so one that is down or slow holds up no other: it catches up from its peers.
/// What two replicas lack at one attempt is one effect, so that a relay gets one copy for both. Memory: n · W small entries.
/// </remarks>
public sealed class BroadcastSource
{
    private readonly Quorums _quorums;
    private readonly ReplicaView[] _replicas;
    private readonly Func<ulong, int> _bytesOf;
    private readonly ulong _openedWith;
    private ReplicaSet _heard; // Who said since it was opened that they know nothing beyond what it was opened with.

    /// <summary>
    /// Makes the core over a spool that holds the batches <paramref name="oldest"/> to <paramref name="newest"/> durably;
    /// an empty spool has newest = oldest - 1. The first seq of a life is 1.
    /// </summary>
    /// <param name="life">The life.</param>
    /// <param name="quorums">The replicas.</param>
    /// <param name="options">Constants.</param>
    /// <param name="oldest">Lowest seq in the spool.</param>
    /// <param name="newest">Highest seq in the spool.</param>
    /// <param name="bytesOf">Returns the length of a batch in the spool; null when only the window bounds what is under way.</param>
    public BroadcastSource(
        StreamLife life, Quorums quorums, SourceOptions options, ulong oldest, ulong newest, Func<ulong, int>? bytesOf = null)
    {
        options.Validate();
        ArgumentOutOfRangeException.ThrowIfZero(oldest);
        ArgumentOutOfRangeException.ThrowIfLessThan(newest, oldest - 1);
        (Life, _quorums, Released, Newest) = (life, quorums, oldest - 1, newest);
        _openedWith = newest;
        _bytesOf = bytesOf ?? (static _ => 0);
        _replicas = new ReplicaView[quorums.Replicas];
        for (var i = 0; i < _replicas.Length; i++) _replicas[i] = new(options, oldest);
    }

    /// <summary>Gets the life.</summary>
    public StreamLife Life { get; }

    /// <summary>Gets the highest released seq.</summary>
    public ulong Released { get; private set; }

    /// <summary>Gets the highest durable seq of the spool.</summary>
    public ulong Newest { get; private set; }

    /// <summary>Gets whether the replicas know more of this life than the spool (R0); nothing is sent any more.</summary>
    public bool SpoolLost { get; private set; }

    /// <summary>Gets when <see cref="OnDeadline"/> is due; null while there is nothing to wait for.</summary>
    public Instant? NextDeadline
    {
        get
        {
            Instant? next = null;
            foreach (var replica in _replicas)
                if (replica.Reachable && !SpoolLost) next = Announcer.Earlier(next, replica.NextDue);
            return next;
        }
    }

    private ulong Oldest => Released + 1;

    /// <summary>
    /// Gets the highest seq that may leave. A spool that was opened with batches may be an old copy: until so many replicas
    /// know nothing beyond it that nothing beyond could be decided without them, only what it was opened with is sent. New
    /// batches would else leave under seqs that were used before (R0).
    /// </summary>
    private ulong MayLeave => _openedWith == 0 || _heard.Count >= _quorums.Available ? Newest : _openedWith;

    /// <summary>Returns the highest seq that a replica reports delivered and durable.</summary>
    public ulong DurableAt(ReplicaId replica) => _replicas[replica.Index].Durable;

    /// <summary>The spool is synced up to this batch: it may leave (R0).</summary>
    public void OnBatchDurable(ulong seq, Instant now, SourceEffects effects)
    {
        Newest = Math.Max(Newest, seq);
        SendNew(now, effects);
    }

    /// <summary>STATUS of a replica under its MAC (R9).</summary>
    public Verdict OnStatus(ReplicaId from, in StreamStatus status, Instant now, SourceEffects effects)
    {
        if (from.Index >= _replicas.Length || status.Life != Life) return Verdict.NotEntitled;
        if (status.StartCounter == 0 || status.Low is 0 or > long.MaxValue) return Verdict.NotEntitled;
        if (!_replicas[from.Index].Update(status, now)) return Verdict.Old;
        var left = MayLeave; // Before this one counts: what did not leave yet can be known to nobody.
        if (!IsAhead(status)) _heard = _heard.With(from);
        CheckSpool(left, effects);
        if (!SpoolLost) Release(left, effects); // What they hold under these seqs is not what this spool holds: it moves to the next life.
        SendNew(now, effects);
        return Verdict.Accepted;
    }

    /// <summary>At least one path to a replica came up, or the last one went down.</summary>
    public void OnReplicaReachable(ReplicaId replica, bool reachable, Instant now, SourceEffects effects)
    {
        var view = _replicas[replica.Index];
        if (view.Reachable == reachable) return;
        view.Reachable = reachable;
        if (!reachable) return;
        view.MakeDue(Oldest, now);
        OnDeadline(now, effects);
        SendNew(now, effects);
    }

    /// <summary>A deadline passed: repeats to whoever lacks it. Late and early calls are harmless.</summary>
    public void OnDeadline(Instant now, SourceEffects effects)
    {
        if (SpoolLost) return;
        for (var i = 0; i < _replicas.Length; i++)
        {
            if (!_replicas[i].Reachable || _replicas[i].NextDue is not { } due || now < due) continue;
            Repeat(i, now, effects);
            _replicas[i].Reschedule(Oldest);
        }
    }

    /// <summary>Repeats what one replica lacks, in one effect with those that lack it at the same attempt (R9).</summary>
    private void Repeat(int first, Instant now, SourceEffects effects)
    {
        var (from, to) = _replicas[first].Outstanding(Oldest);
        for (var seq = from; seq < to; seq++)
        {
            var attempt = _replicas[first].DueAttempt(seq, Oldest, now);
            if (attempt == 0) continue;
            var lacking = default(ReplicaSet);
            for (var i = first; i < _replicas.Length; i++)
            {
                if (_replicas[i].DueAttempt(seq, Oldest, now) != attempt) continue;
                lacking = lacking.With(new((byte)i));
                _replicas[i].Sent(seq, attempt, _bytesOf(seq), now);
            }

            effects.Add(SourceEffectKind.SendInitial, seq, lacking, attempt);
        }
    }

    /// <summary>Sends what is durable, inside a window and never sent, lowest seq first; equal seqs in one effect.</summary>
    private void SendNew(Instant now, SourceEffects effects)
    {
        var newest = MayLeave;
        while (!SpoolLost)
        {
            var (seq, to) = (ulong.MaxValue, default(ReplicaSet));
            for (var i = 0; i < _replicas.Length; i++)
            {
                var unsent = _replicas[i].Unsent(Oldest, newest);
                if (unsent == 0 || unsent > seq) continue;
                to = unsent < seq ? ReplicaSet.Of(new((byte)i)) : to.With(new((byte)i));
                seq = unsent;
            }

            if (to.IsEmpty) return;
            var bytes = _bytesOf(seq);
            foreach (var replica in to) _replicas[replica.Index].Sent(seq, 0, bytes, now);
            effects.Add(SourceEffectKind.SendInitial, seq, to);
        }
    }

    /// <summary>Returns whether a replica knows of batches that this spool did not have when it was opened.</summary>
    private bool IsAhead(in StreamStatus status)
    {
        if (_openedWith == 0 || _heard.Count >= _quorums.Available) return false; // New ones have left since.
        if (status.Low > _openedWith + 1) return true;
        for (var bit = (int)Math.Min(_openedWith + 1 - status.Low, HaveBits.Capacity); bit < HaveBits.Capacity; bit++)
            if (status.Have.Has(bit)) return true;
        return false;
    }

    /// <summary>Frees the spool up to what enough replicas report delivered and durable: f + 1 correct ones can then serve it.</summary>
    private void Release(ulong left, SourceEffects effects)
    {
        Span<ulong> durable = stackalloc ulong[_replicas.Length];
        for (var i = 0; i < durable.Length; i++) durable[i] = _replicas[i].Durable;
        durable.Sort();
        var agreed = Math.Min(left, durable[^_quorums.CorrectMajority]); // The CorrectMajority-th largest.
        if (agreed <= Released) return;
        Released = agreed;
        effects.Add(SourceEffectKind.Release, agreed);
    }

    /// <summary>Replicas that delivered more than ever left this spool: it was lost or set back, this life ends (R0).</summary>
    private void CheckSpool(ulong left, SourceEffects effects)
    {
        var ahead = 0;
        foreach (var replica in _replicas)
            if (replica.Low > left + 1) ahead++;
        if (SpoolLost || ahead < _quorums.OneCorrect) return;
        SpoolLost = true;
        effects.Add(SourceEffectKind.SpoolLost, Newest);
    }
}
