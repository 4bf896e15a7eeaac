using System.Numerics;

namespace Massif.Reb.Protocol;

/// <summary>What a peer last said about a life, and what it has been told (R9).</summary>
internal struct PeerView
{
    /// <summary>The peer's window; [1, 1 + W) until it says otherwise.</summary>
    public ulong Low, High;

    /// <summary>End of what was announced since the window was last opened, exclusive.</summary>
    public ulong AnnouncedTo;

    /// <summary>The low at the last tick: one that stands still is told again.</summary>
    public ulong LowAtTick;

    /// <summary>The session of the peer in which it last sent a STATUS of this life; another one counts as newly opened.</summary>
    public uint Session;

    /// <summary>The session in which a STATUS opened its window anew and the tick is to tell it as a whole; 0 when none did.</summary>
    public uint Deferred;

    /// <summary>The peer has forgotten what is below, as it last said.</summary>
    public ulong GoneBelow;

    /// <summary>When what it lacks is told again.</summary>
    public Instant Due;

    /// <summary>Before this moment its window is not told as a whole again.</summary>
    public Instant NextWhole;

    /// <summary>How often the time-out has doubled.</summary>
    public int Backoff;
}

/// <summary>The window of one life of a stream at this replica: instances above what is durable, and what was reached (R8, R10).</summary>
/// <remarks>
/// Holds at most 2W instances: W above low, and at most W that are delivered and not durable yet (delivery waits beyond that).
/// </remarks>
internal sealed class StreamWindow
{
    private readonly Instance?[] _ring;
    private readonly int _window;
    private readonly InstancePool _pool;
    private readonly DigestBudget _budget;
    private ulong _restTip;
    private Instant _restSince;
    private ulong _stillLow;
    private Instant _stillSince;
    private ulong _retained;

    public StreamWindow(
        in LifeRecord life, ReplicaId self, int replicas, int window, InstancePool pool, DigestBudget budget, HoldingLives holding)
    {
        (Life, Self, ByInitial, _window, _pool, _budget, Holding) = (life.Life, self, life.ByInitial, window, pool, budget, holding);
        (Durable, DurableChain, Chain) = (life.Durable, life.Chain, life.Chain);
        Confirmed = Durable;
        Low = Top = life.Durable + 1;
        Memory = new(Low);
        _retained = Low;
        _ring = new Instance?[(int)BitOperations.RoundUpToPowerOf2((uint)(2 * window))];
        Peers = new PeerView[replicas];
        foreach (ref var peer in Peers.AsSpan()) (peer.Low, peer.High) = (1, 1 + (ulong)window);
    }

    public StreamLife Life { get; }

    public ReplicaId Self { get; }

    /// <summary>Whether an INITIAL enrolled it here; such lives are limited per stream.</summary>
    public bool ByInitial { get; set; }

    /// <summary>The lowest seq not delivered.</summary>
    public ulong Low { get; private set; }

    /// <summary>End of the seqs that votes count for, exclusive.</summary>
    public ulong End => Low + (ulong)_window;

    /// <summary>End of the window as others are told, exclusive; always at least low + 1 (R8).</summary>
    public ulong High => IsNarrow ? Low + 1 : End;

    /// <summary>The lives of the stream that hold payloads for their whole window.</summary>
    public HoldingLives Holding { get; }

    /// <summary>Whether this life is one of them; kept by <see cref="HoldingLives"/>.</summary>
    public bool HasPlace { get; set; }

    /// <summary>Whether it wanted to be one of them and could not: its window is its lowest instance.</summary>
    public bool IsNarrow { get; set; }

    /// <summary>The highest seq up to which everything is delivered and durable, or will be with the record of a jump.</summary>
    public ulong Durable { get; private set; }

    /// <summary><see cref="Durable"/> as it may be told: a jump counts when its record is durable.</summary>
    public ulong Confirmed { get; private set; }

    /// <summary>The chained digest up to low - 1.</summary>
    public Digest Chain { get; private set; }

    /// <summary>The chained digest up to <see cref="Durable"/>.</summary>
    public Digest DurableChain { get; private set; }

    /// <summary>End of the seqs that this replica has voted on or delivered, exclusive: a peer with this low lacks nothing.</summary>
    public ulong Top { get; private set; }

    /// <summary>What is below is answered GONE: retention has dropped it, or it never was here. What is above is in the journal.</summary>
    public ulong Floor => Math.Min(_retained, Low);

    public DigestMemory Memory { get; private set; }

    /// <summary>The newest multiple of the interval of which a checkpoint was made here; 0 for none (R11).</summary>
    public ulong RegularCheckpoint { get; set; }

    /// <summary>The last seq where a checkpoint was made because the stream rested; 0 for none.</summary>
    public ulong RestCheckpoint { get; set; }

    public PeerView[] Peers { get; }

    /// <summary>Bookkeeping of the announcer.</summary>
    public bool IsActive, IsListed, TellPeers, TellSource;

    /// <summary>Before this moment the next STATUS on change is held back.</summary>
    public Instant NextStatus;

    /// <summary>Gets whether delivery has to wait for the disk, so that memory stays bounded.</summary>
    public bool AwaitsDisk => Low - 1 - Durable >= (ulong)_window;

    public int Open { get; private set; }

    /// <summary>Gets how many payloads are held that are not delivered.</summary>
    public int HeldPayloads
    {
        get
        {
            var count = 0;
            for (var seq = Low; seq < End && Open > 0; seq++) count += Find(seq)?.HeldCount ?? 0;
            return count;
        }
    }

    /// <summary>
    /// Gets whether payloads are held, or on their way, that are not delivered. Votes do not count: a liar could make them for any life.
    /// </summary>
    public bool HoldsUndelivered
    {
        get
        {
            for (var seq = Low; seq < End && Open > 0; seq++)
                if (Find(seq) is { } open && (open.HeldCount > 0 || open.Fetch.InFlight || open.Fetch.Waiting)) return true;
            return false;
        }
    }

    /// <summary>Returns the name of one instance.</summary>
    public InstanceId Id(uint epoch, ulong seq) => new(epoch, Life.Stream, Life.Incarnation, seq);

    /// <summary>Returns an instance above what is durable, if it exists.</summary>
    public Instance? Find(ulong seq) => InRing(seq) && _ring[Slot(seq)] is { } found && found.Seq == seq ? found : null;

    public Instance FindOrOpen(ulong seq)
    {
        if (Find(seq) is { } found) return found;
        Invariant.Holds(InRing(seq));
        var instance = _pool.Take();
        instance.Open(this, seq);
        _ring[Slot(seq)] = instance;
        Open++;
        return instance;
    }

    /// <summary>A vote of this replica stands for a seq: peers below have something to learn.</summary>
    public void RaiseTop(ulong seq) => Top = Math.Max(Top, seq + 1);

    /// <summary>Goes one seq on: low is delivered with this digest.</summary>
    public void Advance(in Digest digest, int length, in Digest chain)
    {
        Memory.Add(Low, digest, length, _budget);
        Chain = chain;
        Low++;
        RaiseTop(Low - 1);
    }

    /// <summary>The delivery of the next seq is durable: its instance, votes and all, is forgotten (R11).</summary>
    public void ForgetDurable(ulong seq, in Digest chain)
    {
        Invariant.Holds(seq == Durable + 1 && seq < Low);
        (Durable, DurableChain) = (seq, chain);
        Confirm(seq);
        ref var slot = ref _ring[Slot(seq)];
        if (slot is null || slot.Seq != seq) return;
        _pool.Return(slot);
        slot = null;
        Open--;
    }

    /// <summary>A record that brought the life to a seq is durable.</summary>
    public void Confirm(ulong seq) => Confirmed = Math.Max(Confirmed, seq);

    /// <summary>The journal holds everything that is delivered from this seq on.</summary>
    public void Retain(ulong from) => _retained = from;

    /// <summary>Goes to a seq whose state came from others: what is below was neither seen nor will be asked for.</summary>
    public void JumpTo(ulong seq, in Digest chain)
    {
        Invariant.Holds(seq >= Low);
        foreach (ref var slot in _ring.AsSpan())
        {
            if (slot is null || slot.Seq > seq) continue;
            _pool.Return(slot);
            slot = null;
            Open--;
        }

        Memory.GiveUp();
        Memory = new(seq + 1);
        (Durable, DurableChain, Chain, Low) = (seq, chain, chain, seq + 1);
        _retained = Low;
        RaiseTop(seq);
    }

    /// <summary>
    /// Returns whether the life stands at a seq since a time: since it was asked here first, for nobody needs to know otherwise.
    /// </summary>
    public bool RestsAt(ulong tip, Instant now, int milliseconds)
    {
        if (_restTip != tip) (_restTip, _restSince) = (tip, now);
        return now >= _restSince.PlusMilliseconds(milliseconds);
    }

    /// <summary>Returns whether low stands still since a time, as far as it was asked here.</summary>
    public bool StandsStill(Instant now, int milliseconds)
    {
        if (_stillLow != Low) (_stillLow, _stillSince) = (Low, now);
        return now >= _stillSince.PlusMilliseconds(milliseconds);
    }

    private bool InRing(ulong seq) => seq > Durable && seq - Durable <= (ulong)_ring.Length;

    private int Slot(ulong seq) => (int)(seq & (ulong)(_ring.Length - 1));
}

/// <summary>Recycled instances of all windows: a step of the steady state allocates nothing.</summary>
internal sealed class InstancePool
{
    private readonly Stack<Instance> _free = [];

    /// <summary>Gets the number of instances in use.</summary>
    public int InUse { get; private set; }

    public Instance Take()
    {
        InUse++;
        return _free.TryPop(out var instance) ? instance : new();
    }

    public void Return(Instance instance)
    {
        InUse--;
        instance.Recycle();
        _free.Push(instance);
    }
}
