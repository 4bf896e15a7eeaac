namespace Massif.Reb.Protocol;

/// <summary>Who said what about one digest of one instance.</summary>
internal struct Candidate
{
    public Digest Digest;
    public ReplicaSet Echoes;

    /// <summary>READY or DONE: one voice per replica (R4).</summary>
    public ReplicaSet Voices;

    /// <summary>Those of <see cref="Voices"/> that said DONE (R6).</summary>
    public ReplicaSet Dones;
}

/// <summary>One instance of the broadcast, from its first vote or payload until its delivery is durable.</summary>
/// <remarks>
/// A digest counts the distinct replicas that named it, never the messages. A replica names at most one digest by ECHO and one by
/// its voice, so there are at most 2n digests; almost always there is one. Objects are recycled.
/// </remarks>
internal sealed class Instance
{
    private Candidate[] _candidates = new Candidate[1];
    private int _count;
    private ReplicaSet _echoed, _voiced, _accused;
    private int _decided = -1;
    private Digest _heldFirst, _heldSecond;
    private int _heldFirstLength, _heldSecondLength;

    /// <summary>Gets the window that the instance belongs to.</summary>
    public StreamWindow Window { get; private set; } = null!;

    public ulong Seq { get; private set; }

    /// <summary>The digest of the first valid INITIAL, when there was one.</summary>
    public Digest? Initial { get; set; }

    /// <summary>This replica's ECHO; at most one, ever (R3).</summary>
    public Digest? OwnEcho { get; private set; }

    /// <summary>This replica's READY; at most one, ever (R3).</summary>
    public Digest? OwnReady { get; private set; }

    /// <summary>The chained digest with this instance, once it is delivered.</summary>
    public Digest Chain { get; set; }

    /// <summary>Where the missing payload is being asked for (R7).</summary>
    public FetchState Fetch;

    public bool IsDecided => _decided >= 0;

    public ref readonly Candidate Decided => ref _candidates[_decided];

    public int HeldCount { get; private set; }

    /// <summary>
    /// Gets whether the source should repeat its INITIAL. A payload that was read back without its ECHO was torn from it: the ECHO
    /// is still to be made.
    /// </summary>
    public bool NeedsInitial => Initial is null && !IsDecided;

    /// <summary>Gets whether the decided payload is here.</summary>
    public bool IsComplete => IsDecided && Holds(Decided.Digest);

    public InstanceId Id(uint epoch) => new(epoch, Window.Life.Stream, Window.Life.Incarnation, Seq);

    public void Open(StreamWindow window, ulong seq) => (Window, Seq) = (window, seq);

    /// <summary>Forgets everything and keeps the memory.</summary>
    public void Recycle()
    {
        if (_candidates.Length > 1) _candidates = new Candidate[1];
        _count = 0;
        _decided = -1;
        _echoed = _voiced = _accused = default;
        Initial = OwnEcho = OwnReady = null;
        HeldCount = 0;
        Chain = default;
        Fetch = default;
    }

    /// <summary>Counts a replica's vote; the first ECHO and the first voice stand, whatever comes later (R4).</summary>
    public Verdict Record(ReplicaId from, VoteKind kind, in Digest digest)
    {
        var known = IndexOf(digest);
        if (kind == VoteKind.Echo)
        {
            if (_echoed.Contains(from))
                return known >= 0 && _candidates[known].Echoes.Contains(from) ? Verdict.Duplicate : Verdict.Equivocation;
            _echoed = _echoed.With(from);
            ref var echoed = ref CandidateAt(known, digest);
            echoed.Echoes = echoed.Echoes.With(from);
            if (from == Window.Self) OwnEcho = digest;
            return Verdict.Accepted;
        }

        var spoken = _voiced.Contains(from);
        if (spoken && (known < 0 || !_candidates[known].Voices.Contains(from))) return Verdict.Equivocation;
        if (spoken && (kind == VoteKind.Ready || _candidates[known].Dones.Contains(from))) return Verdict.Duplicate;
        _voiced = _voiced.With(from);
        ref var voiced = ref CandidateAt(known, digest);
        voiced.Voices = voiced.Voices.With(from);
        if (kind == VoteKind.Done) voiced.Dones = voiced.Dones.With(from);
        if (from == Window.Self) OwnReady = digest;
        return Verdict.Accepted;
    }

    /// <summary>Returns what is known of a digest that a vote has named.</summary>
    public ref readonly Candidate For(in Digest digest) => ref _candidates[IndexOf(digest)];

    /// <summary>Returns the digest that a replica's earlier vote of the kind named.</summary>
    public Digest ClaimOf(ReplicaId from, VoteKind kind)
    {
        for (var i = 0; i < _count; i++)
        {
            var said = kind == VoteKind.Echo ? _candidates[i].Echoes : _candidates[i].Voices;
            if (said.Contains(from)) return _candidates[i].Digest;
        }

        return default;
    }

    /// <summary>Returns true once per accused replica; the source is accused under this replica's own index.</summary>
    public bool AccuseOnce(ReplicaId who)
    {
        if (_accused.Contains(who)) return false;
        _accused = _accused.With(who);
        return true;
    }

    /// <summary>Fixes the decided digest; two of them would mean more than f Byzantine replicas.</summary>
    public void Decide(in Digest digest)
    {
        Invariant.Holds(!IsDecided || Decided.Digest == digest);
        _decided = IndexOf(digest);
    }

    public bool Holds(in Digest digest) =>
        (HeldCount > 0 && _heldFirst == digest) || (HeldCount > 1 && _heldSecond == digest);

    /// <summary>
    /// Remembers a held payload: that of the INITIAL, that of the decision, or both when the source equivocates. A third is one that
    /// was read back without its ECHO: torn, so nobody was told of it, and it makes room.
    /// </summary>
    public void Hold(in Digest digest, int length)
    {
        if (Holds(digest)) return;
        if (HeldCount == 0 || (HeldCount == 2 && !IsNeeded(_heldFirst))) (_heldFirst, _heldFirstLength) = (digest, length);
        else if (HeldCount == 1 || !IsNeeded(_heldSecond)) (_heldSecond, _heldSecondLength) = (digest, length);
        else throw new InvariantViolationException($"{Window.Life}#{Seq} needs three payloads.");
        HeldCount = Math.Min(HeldCount + 1, 2);
    }

    public (Digest Digest, int Length) HeldAt(int index) =>
        index == 0 ? (_heldFirst, _heldFirstLength) : (_heldSecond, _heldSecondLength);

    public int LengthOf(in Digest digest) => _heldFirst == digest ? _heldFirstLength : _heldSecondLength;

    private bool IsNeeded(in Digest digest) => digest == Initial || digest == OwnEcho || (IsDecided && digest == Decided.Digest);

    private int IndexOf(in Digest digest)
    {
        for (var i = 0; i < _count; i++)
            if (_candidates[i].Digest == digest) return i;
        return -1;
    }

    private ref Candidate CandidateAt(int index, in Digest digest)
    {
        if (index >= 0) return ref _candidates[index];
        if (_count == _candidates.Length) Array.Resize(ref _candidates, 2 * _count);
        _candidates[_count] = new() { Digest = digest };
        return ref _candidates[_count++];
    }
}

/// <summary>How far the search for a decided payload has come (R7).</summary>
internal struct FetchState
{
    /// <summary>Those asked in this round.</summary>
    public ReplicaSet Asked;

    /// <summary>The one whose answer is awaited.</summary>
    public ReplicaId Target;

    public Instant AskedAt;
    public Instant Due;
    public int Attempt;
    public bool Waiting;
    public bool InFlight;
}
