namespace Massif.Reb.Protocol;

/// <summary>What a step asks its host to do.</summary>
public enum EffectKind : byte
{
    /// <summary>Send <see cref="Effect.Vote"/> to every replica in <see cref="Effect.To"/>.</summary>
    SendVote,

    /// <summary>
    /// Send <see cref="Effects.StatusOf"/> to <see cref="Effect.To"/> and, if
    /// <see cref="Effect.ToSource"/>, to the stream's source.
    /// </summary>
    SendStatus,

    /// <summary>Send GONE: everything of <see cref="Effect.Instance"/>'s life below its seq is forgotten here (R9).</summary>
    SendGone,

    /// <summary>
    /// Ask the one replica in <see cref="Effect.To"/> for the payload of the instance with <see cref="Effect.Digest"/> (R7).
    /// </summary>
    SendFetch,

    /// <summary>
    /// Read that payload and send it to the one replica in <see cref="Effect.To"/>, the answer to its FETCH (R7). It has
    /// <see cref="Effect.Number"/> bytes; when that is 0, tell the core with <see cref="ReliableBroadcast.OnServed"/> how many were sent.
    /// </summary>
    SendPayload,

    /// <summary>
    /// Send DONE to <see cref="Effect.To"/> for <see cref="Effect.Number"/> seqs from that of the instance on. They are delivered,
    /// and their digests stand in the journal (R9, R11).
    /// </summary>
    SendDones,

    /// <summary>Journal: the payload that came with this input, of <see cref="Effect.Number"/> bytes.</summary>
    StorePayload,

    /// <summary>Journal: <see cref="Effect.Vote"/> of this replica (R13).</summary>
    LogVote,

    /// <summary>
    /// Journal: the instance is delivered with <see cref="Effect.Digest"/>, payload of <see cref="Effect.Number"/> bytes;
    /// <see cref="Effect.Other"/> is the chained digest of its life up to and with it.
    /// </summary>
    LogDelivered,

    /// <summary>Hand the payload to the layer above, in FIFO order per life (R10), once per instance and start.</summary>
    Deliver,

    /// <summary>
    /// The payload with <see cref="Effect.Digest"/> is not delivered any more; serve it from the journal once it is durable.
    /// </summary>
    DropPayload,

    /// <summary>
    /// Keep as evidence of kind <see cref="Effect.Evidence"/> against the replica in <see cref="Effect.To"/>, or against the
    /// source when that is empty: <see cref="Effect.Digest"/> and <see cref="Effect.Other"/> were both claimed.
    /// </summary>
    Evidence,

    /// <summary>Ask <see cref="Effect.To"/> for checkpoints of the instance's life at or above its seq (R11).</summary>
    SendCheckpointQuery,

    /// <summary>
    /// Name to <see cref="Effect.To"/> the checkpoints of the instance's life that are kept at or above its seq, lowest first, and
    /// the newest ones in any case (R11).
    /// </summary>
    SendCheckpointOffers,

    /// <summary>
    /// Ask the one in <see cref="Effect.To"/> for the state <see cref="Effect.Digest"/> from byte
    /// <see cref="Effect.Number"/> on.
    /// </summary>
    SendCheckpointFetch,

    /// <summary>
    /// Send a part of the state <see cref="Effect.Digest"/> to <see cref="Effect.To"/>, from byte
    /// <see cref="Effect.Number"/> on.
    /// </summary>
    SendCheckpointPart,

    /// <summary>
    /// Make and keep a checkpoint of the instance's life after its seq; <see cref="Effect.Digest"/> is the chained digest (R11).
    /// </summary>
    MakeCheckpoint,

    /// <summary>
    /// Journal: the life goes on after the instance's seq, with the checkpoint that the application took; <see cref="Effect.Digest"/>
    /// is the chained digest. The seqs between are a gap, which people are told of.
    /// </summary>
    LogJump,

    /// <summary>Send the signed announcement of <see cref="Effect.Start"/> to <see cref="Effect.To"/> (R13).</summary>
    SendStart,

    /// <summary>
    /// Answer the start <see cref="Effect.Start"/> of the one replica in <see cref="Effect.To"/> with <see cref="Effect.Earlier"/>
    /// and the signature that this earlier start came with (R13).
    /// </summary>
    SendStartAnswer,

    /// <summary>Journal: this replica's own start <see cref="Effect.Start"/>, not settled yet (R13).</summary>
    LogStart,

    /// <summary>Journal: the own start <see cref="Effect.Start"/> is settled (R13).</summary>
    LogStartSettled,

    /// <summary>
    /// Journal: start <see cref="Effect.Start"/> of the one replica in <see cref="Effect.To"/> with its signature, and
    /// <see cref="Effect.Earlier"/>, the one known before (R13).
    /// </summary>
    LogPeerStart,

    /// <summary>Journal: this replica sends no ECHO in this epoch any more (R13). Say it loudly.</summary>
    LogEchoForbidden,
}

/// <summary>One request to the host; a value, so a step allocates nothing. Fields that a kind does not name are default.</summary>
public readonly record struct Effect
{
    /// <summary>Gets what is to be done.</summary>
    public EffectKind Kind { get; internal init; }

    /// <summary>Gets the kind of the vote, when this is one.</summary>
    public VoteKind VoteKind { get; internal init; }

    /// <summary>Gets the kind of the evidence, when this is some.</summary>
    public EvidenceKind Evidence { get; internal init; }

    /// <summary>Gets whether the stream's source is a recipient too.</summary>
    public bool ToSource { get; internal init; }

    /// <summary>Gets a length in bytes.</summary>
    public int Number { get; internal init; }

    /// <summary>Gets the replicas concerned; recipients never include this replica.</summary>
    public ReplicaSet To { get; internal init; }

    /// <summary>Gets the instance concerned.</summary>
    public InstanceId Instance { get; internal init; }

    /// <summary>Gets the digest concerned.</summary>
    public Digest Digest { get; internal init; }

    /// <summary>Gets a second digest.</summary>
    public Digest Other { get; internal init; }

    /// <summary>Gets the record number of a journal effect, counted from 1 over all cores of the host; 0 for other effects.</summary>
    public long Record { get; internal init; }

    /// <summary>Gets the vote of <see cref="EffectKind.SendVote"/> and <see cref="EffectKind.LogVote"/>.</summary>
    public Vote Vote => new(VoteKind, Instance, Digest);

    /// <summary>Gets the start of an effect of R13; it travels in the words of the digest, to keep an effect small.</summary>
    public StartMark Start => new(Digest.A, Digest.B);

    /// <summary>Gets the earlier start of an effect of R13.</summary>
    public StartMark Earlier => new(Digest.C, Digest.D);

    /// <summary>
    /// Gets whether the host appends this to its journal and calls
    /// <see cref="ReliableBroadcast.OnDurable"/> when it is durable.
    /// </summary>
    public bool IsRecord => Record != 0;
}

/// <summary>The ordered effects of the steps of one turn. The host owns one buffer for all its cores and clears it between turns.</summary>
/// <remarks>
/// Order is meaning: the host carries out from first to last. It appends the records to one journal, syncs once per turn, and
/// lets what the turn sends leave only after that sync (R3, R13, R14).
/// </remarks>
public sealed class Effects
{
    private Effect[] _items = new Effect[64];
    private StreamStatus[] _statuses = new StreamStatus[8];
    private int _count, _statusCount;

    /// <summary>Gets the effects in the order in which the host must carry them out.</summary>
    public ReadOnlySpan<Effect> Items => _items.AsSpan(0, _count);

    /// <summary>Gets the number of the last journal record asked for; numbers are consecutive from 1.</summary>
    public long LastRecord { get; private set; }

    /// <summary>Returns the STATUS of an effect of kind <see cref="EffectKind.SendStatus"/>; valid until <see cref="Clear"/>.</summary>
    public ref readonly StreamStatus StatusOf(in Effect effect)
    {
        Invariant.Holds(effect.Kind == EffectKind.SendStatus);
        return ref _statuses[effect.Number];
    }

    /// <summary>Forgets the effects and keeps the buffer and the record numbers.</summary>
    public void Clear() => (_count, _statusCount) = (0, 0);

    internal void Send(EffectKind kind, ReplicaSet to, in InstanceId instance, in Digest digest = default) =>
        Add(new() { Kind = kind, To = to, Instance = instance, Digest = digest });

    internal void SendVote(ReplicaSet to, VoteKind vote, in InstanceId instance, in Digest digest) =>
        Add(new() { Kind = EffectKind.SendVote, VoteKind = vote, To = to, Instance = instance, Digest = digest });

    internal void SendStatus(ReplicaSet to, bool toSource, in StreamStatus status)
    {
        if (_statusCount == _statuses.Length) Array.Resize(ref _statuses, 2 * _statusCount);
        _statuses[_statusCount] = status;
        Add(new() { Kind = EffectKind.SendStatus, To = to, ToSource = toSource, Number = _statusCount++ });
    }

    internal void StorePayload(in InstanceId instance, in Digest digest, int length) =>
        Add(new() { Kind = EffectKind.StorePayload, Instance = instance, Digest = digest, Number = length, Record = ++LastRecord });

    internal void LogVote(VoteKind vote, in InstanceId instance, in Digest digest) =>
        Add(new() { Kind = EffectKind.LogVote, VoteKind = vote, Instance = instance, Digest = digest, Record = ++LastRecord });

    internal long LogDelivered(in InstanceId instance, in Digest digest, int length, in Digest chain)
    {
        Add(new()
        {
            Kind = EffectKind.LogDelivered,
            Instance = instance,
            Digest = digest,
            Number = length,
            Other = chain,
            Record = ++LastRecord,
        });
        return LastRecord;
    }

    internal long LogJump(in InstanceId instance, in Digest chain)
    {
        Add(new() { Kind = EffectKind.LogJump, Instance = instance, Digest = chain, Record = ++LastRecord });
        return LastRecord;
    }

    internal void Checkpoint(EffectKind kind, ReplicaSet to, in InstanceId instance, in Digest digest, int offset) =>
        Add(new() { Kind = kind, To = to, Instance = instance, Digest = digest, Number = offset });

    internal void Payload(EffectKind kind, in InstanceId instance, in Digest digest, int length, ReplicaSet to = default) =>
        Add(new() { Kind = kind, To = to, Instance = instance, Digest = digest, Number = length });

    internal void SendDones(ReplicaSet to, in InstanceId first, int count) =>
        Add(new() { Kind = EffectKind.SendDones, To = to, Instance = first, Number = count });

    internal void Accuse(EvidenceKind kind, ReplicaSet who, in InstanceId instance, in Digest first, in Digest second) =>
        Add(new() { Kind = EffectKind.Evidence, Evidence = kind, To = who, Instance = instance, Digest = first, Other = second });

    internal void Start(EffectKind kind, ReplicaSet to, StartMark start, StartMark earlier, bool record) => Add(new()
    {
        Kind = kind,
        To = to,
        Digest = new(start.Counter, start.Nonce, earlier.Counter, earlier.Nonce),
        Record = record ? ++LastRecord : 0,
    });

    private void Add(in Effect effect)
    {
        if (_count == _items.Length) Array.Resize(ref _items, 2 * _count);
        _items[_count++] = effect;
    }
}
