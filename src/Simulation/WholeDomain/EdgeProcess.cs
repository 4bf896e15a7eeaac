using Massif.Mis.Edge;
using Massif.Reb.Hosting;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Simulation.WholeDomain;

/// <summary>A correct edge: the production host, and what has to be known of it to hold it to its promise.</summary>
internal sealed class EdgeProcess : SimulatedNode
{
    private readonly Queue<int[]> _chunkLines = new();
    private readonly List<int> _inMemory = [];
    private readonly SortedDictionary<ulong, List<int>> _unsynced = [];
    private readonly List<(long Ticket, ulong Newest)> _asked = [];
    private readonly List<long> _askedThisTurn = [];
    private ulong _durable;
    private ulong _nonces;

    public EdgeProcess(DomainWorld world, int index)
        : base(world, index) => Feed = new(world, this, world.Prng.Fork());

    public EdgeHost? Host { get; private set; }

    public LineFeed Feed { get; }

    /// <summary>Gets whether every line was fed, all of it is in batches, and the spool is released.</summary>
    public bool IsDrained =>
        Host is { } host && Feed.IsDone && _inMemory.Count == 0 && Collectors.Count == 0 && host.Source.Released + 1 == host.Source.NextSeq;

    public bool CanTake => Alive && Host!.Accepts && Collectors.Count < 16;

    protected override Instant? NextDeadline => Host?.NextDeadline;

    /// <summary>Bytes arrive from a sender; <paramref name="lines"/> are those that end in them.</summary>
    public void Take(in EdgeInput input, int[] lines)
    {
        if (input.Kind == EdgeInputKind.Chunk) _chunkLines.Enqueue(lines);
        PostCollected(input);
    }

    protected override void Open(in Moment now)
    {
        var parts = new SourceParts(
            World.Domain,
            Node,
            0,
            World.Kit.Keys[Index],
            new NodeLinks(World, this) { Tap = OnSent },
            Disk,
            World.Shape.SpoolLimit,
            5,
            Clock.BootId,
            () => ((ulong)Index << 48) + ((ulong)Life << 24) + ++_nonces,
            new Counters());
        Host = new(DomainKit.EdgeOptions(World.Shape.SpoolLimit, World.Shape.BatchDelay), parts, now);
        var survived = Host.Source.NextSeq - 1;
        World.Checker.EdgeRestarted(this, survived, _durable);
        MadeDurable(survived);
        _unsynced.Clear(); // What is above was never promised.
        AfterTurn();
    }

    protected override void Drop()
    {
        Host = null;
        _chunkLines.Clear();
        _inMemory.Clear();
        _asked.Clear();
        _askedThisTurn.Clear();
        Feed.Disconnect();
    }

    protected override void Step(in EdgeInput input, in Moment now)
    {
        var before = Host!.Source.NextSeq;
        Host.Step(input, now);
        Invariant.Holds(Host.Source.NextSeq == before); // Chunks are too small to fill a batch: one closes at the end of a turn.
        if (input.Kind == EdgeInputKind.Chunk) _inMemory.AddRange(_chunkLines.Dequeue());
    }

    protected override void OnDeadline(in Moment now)
    {
        var before = Host!.Source.NextSeq;
        Host.OnDeadline(now);
        Closed(before);
    }

    protected override void EndTurn(in Moment now)
    {
        var before = Host!.Source.NextSeq;
        Host.EndTurn(now);
        Closed(before);
        AfterTurn();
    }

    protected override void SyncAsked(long ticket)
    {
        _askedThisTurn.Add(ticket);
        base.SyncAsked(ticket);
    }

    protected override void OnCompleted(long ticket)
    {
        var newest = 0UL;
        _asked.RemoveAll(asked =>
        {
            if (asked.Ticket > ticket) return false;
            newest = Math.Max(newest, asked.Newest);
            return true;
        });
        MadeDurable(newest);
    }

    private void Closed(ulong before)
    {
        var after = Host!.Source.NextSeq;
        if (after == before) return;
        Invariant.Holds(after == before + 1);
        _unsynced[before] = [.. _inMemory];
        _inMemory.Clear();
    }

    private void AfterTurn()
    {
        foreach (var ticket in _askedThisTurn) _asked.Add((ticket, Host!.Source.NextSeq - 1));
        _askedThisTurn.Clear();
        World.Checker.Released(this, Host!.Source);
    }

    private void MadeDurable(ulong newest)
    {
        _durable = Math.Max(_durable, newest);
        while (_unsynced.Count > 0 && _unsynced.First() is var (seq, lines) && seq <= newest)
        {
            World.Checker.Promised(Index, lines);
            _unsynced.Remove(seq);
        }
    }

    private void OnSent(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (!Envelope.TryOpen(frame.Span, out var envelope) || !InitialMessage.TryRead(envelope.Body, out var message)) return;
        World.Checker.Published(this, message, _durable);
    }
}
