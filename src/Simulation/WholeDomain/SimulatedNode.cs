using System.Numerics;
using System.Runtime.InteropServices;
using Massif.Mis.Edge;
using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Simulation.WholeDomain;

/// <summary>
/// The process of one node: inboxes served in turn as the actor loop serves them, one turn at a time, kills and restarts.
/// </summary>
internal abstract class SimulatedNode
{
    /// <summary>Frames of one neighbour that wait before it is no longer read, as in a node's process.</summary>
    private const int FramesPerNeighbour = 32;

    private const int BurstMax = 64;

    private readonly Queue<EdgeInput>[] _inboxes;
    private readonly bool[] _unread;
    private int _next;
    private long _plannedAt = long.MaxValue;

    protected SimulatedNode(DomainWorld world, int index)
    {
        (World, Index) = (world, index);
        Clock = world.NewClock();
        Disk = new(DomainWorld.DiskBytes, world.Prng.Fork(), ticket => SyncAsked(ticket));
        _inboxes = [.. Enumerable.Range(0, world.Kit.Nodes.Count + 2).Select(_ => new Queue<EdgeInput>())];
        _unread = new bool[world.Kit.Nodes.Count];
    }

    public int Index { get; }

    public NodeIndex Node => new((ushort)Index);

    public bool Alive { get; private set; }

    /// <summary>Gets the number of this life; what was planned in an earlier one does not happen.</summary>
    public int Life { get; private set; }

    public SimulatedClock Clock { get; }

    public SimulatedDisk Disk { get; }

    protected DomainWorld World { get; }

    protected Queue<EdgeInput> Collectors => _inboxes[^1];

    /// <summary>Gets the next deadline of the host.</summary>
    protected abstract Instant? NextDeadline { get; }

    /// <summary>Makes the host from what the disk holds.</summary>
    public void Start(long connectWithin)
    {
        Invariant.Holds(!Alive);
        Alive = true;
        Life++;
        Disk.SyncAll(); // A process that opens its files makes durable what it reads.
        World.Trace.Add(0x500, Index, (ulong)Life, 0);
        if (World.Trace.IsRead) World.Trace.Say($"{Name} starts, life {Life}");
        Open(Clock.Read());
        World.Network.Start(Index, connectWithin);
        PlanNext();
    }

    /// <summary>kill -9, or the power goes: nothing but what the disk keeps survives.</summary>
    public virtual void Kill(bool power)
    {
        if (!Alive) return;
        World.Trace.Add(0x501, Index, (ulong)Life, power ? 1UL : 0);
        if (World.Trace.IsRead) World.Trace.Say($"{Name} {(power ? "loses power" : "is killed")}");
        Alive = false;
        Drop();
        foreach (var inbox in _inboxes) inbox.Clear();
        for (var from = 0; from < _unread.Length; from++) ReadAgain(from);
        World.Network.Stop(Index);
        if (power) Disk.CutPower();
        else Disk.KillProcess();
        _plannedAt = long.MaxValue;
    }

    public string Name => World.Kit.Nodes[Index].Id;

    public void Receive(int from, ReadOnlyMemory<byte> frame)
    {
        if (!Alive) return;
        if (IsRefusedByTheLink(frame.Span))
        {
            World.Network.Reset(Index, from, World.Prng.Between(1, 100 * VirtualTime.Millisecond));
            return;
        }

        Post(from, new(EdgeInputKind.Bus, HostInput.OfFrame(new((ushort)from), frame.ToArray())));
        if (_inboxes[from].Count < FramesPerNeighbour || _unread[from]) return;
        _unread[from] = true;
        World.Network.Block(from, Index);
    }

    public void LinkChanged(int other, bool up)
    {
        if (!Alive || !World.IsLinked(Index, other)) return;
        var node = new NodeIndex((ushort)other);
        Post(other, new(EdgeInputKind.Bus, up ? HostInput.OfLinkUp(node) : HostInput.OfLinkDown(node)));
    }

    /// <summary>The time of a sync has come; the disk says whether it can.</summary>
    public void SyncDue(long ticket)
    {
        if (Disk.CompleteSync(ticket))
        {
            OnCompleted(ticket);
            Post(_inboxes.Length - 2, new(EdgeInputKind.Bus, HostInput.OfSynced(ticket)));
        }
        else if (Disk.Trouble is not null)
        {
            World.Plan(100 * VirtualTime.Millisecond, new(HappeningKind.Synced, Index, Life, ticket, default));
        }
    }

    /// <summary>Takes a turn if its time was not moved meanwhile.</summary>
    public void Turn(long plannedAt)
    {
        if (plannedAt != _plannedAt) return;
        _plannedAt = long.MaxValue;
        var due = NextDeadline is { } deadline && deadline <= Clock.Now;
        if (due) OnDeadline(Clock.Read());
        if (TakeInTurn() > 0 || due) EndTurn(Clock.Read());
        if (Alive) PlanNext();
    }

    protected abstract void Open(in Moment now);

    protected abstract void Drop();

    protected abstract void Step(in EdgeInput input, in Moment now);

    protected abstract void OnDeadline(in Moment now);

    protected abstract void EndTurn(in Moment now);

    /// <summary>The disk has made everything up to a ticket durable.</summary>
    protected virtual void OnCompleted(long ticket)
    {
    }

    protected virtual void SyncAsked(long ticket) =>
        World.Plan(World.SyncDelay(this), new(HappeningKind.Synced, Index, Life, ticket, default));

    protected void PostCollected(in EdgeInput input) => Post(_inboxes.Length - 1, input);

    private void Post(int inbox, in EdgeInput input)
    {
        _inboxes[inbox].Enqueue(input);
        PlanAt(World.Time.Now + World.TurnDelay());
    }

    private int TakeInTurn()
    {
        var (taken, emptyInARow) = (0, 0);
        while (taken < BurstMax && emptyInARow < _inboxes.Length)
        {
            if (_next >= _inboxes.Length) _next = 0;
            var at = _next++;
            if (!_inboxes[at].TryDequeue(out var input))
            {
                emptyInARow++;
                continue;
            }

            Step(input, Clock.Read());
            taken++;
            emptyInARow = 0;
            if (at < _unread.Length && _inboxes[at].Count < FramesPerNeighbour) ReadAgain(at);
        }

        return taken;
    }

    private void ReadAgain(int from)
    {
        if (!_unread[from]) return;
        _unread[from] = false;
        World.Network.Unblock(from, Index);
    }

    private void PlanNext()
    {
        foreach (var inbox in _inboxes)
        {
            if (inbox.Count == 0) continue;
            PlanAt(World.Time.Now + World.TurnDelay());
            return;
        }

        if (NextDeadline is { } deadline) PlanAt(Math.Max(Clock.WhenReaches(deadline), World.Time.Now) + 1_000);
    }

    private void PlanAt(long time)
    {
        if (time >= _plannedAt) return;
        _plannedAt = time;
        World.Plan(time - World.Time.Now, new(HappeningKind.Turn, Index, Life, time, default));
    }

    /// <summary>What the link itself refuses before a host sees it.</summary>
    private static bool IsRefusedByTheLink(ReadOnlySpan<byte> frame) =>
        frame.Length < Frames.HeaderLength
        || Frames.TryReadHeader(frame, out var header) is not null
        || header.TotalLength != frame.Length
        || header.Type < Frames.FirstOpaque;
}

/// <summary>The links of one node in one life.</summary>
internal sealed class NodeLinks(DomainWorld world, SimulatedNode node) : ILinks
{
    private readonly int _life = node.Life;

    /// <summary>Gets or sets what looks at everything that leaves.</summary>
    public Action<NodeIndex, ReadOnlyMemory<byte>>? Tap { get; set; }

    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        Invariant.Holds(node.Life == _life);
        if (!IsUp(to)) return false;
        Tap?.Invoke(to, frame);
        return world.Network.TrySend(node.Index, to.Value, frame);
    }

    public bool IsUp(NodeIndex to) =>
        node.Alive && to.Value < world.Kit.Nodes.Count && world.IsLinked(node.Index, to.Value) && world.Network.IsUp(node.Index, to.Value);

    public void Close(NodeIndex to, string reason)
    {
        if (!IsUp(to)) return;
        if (world.Trace.IsRead) world.Trace.Say($"{node.Name} closes the link to {to}: {reason}");
        world.Network.Reset(node.Index, to.Value, world.Prng.Between(1, 100 * VirtualTime.Millisecond));
    }
}

/// <summary>Frames as the trace sees them.</summary>
internal static class FrameTrace
{
    /// <summary>
    /// Returns a check sum of a frame. Starts carry signatures, and those are random (ECDSA): of them only the length counts.
    /// </summary>
    public static ulong SumOf(ReadOnlySpan<byte> frame)
    {
        uint sum = (uint)frame.Length;
        if (frame.Length < Frames.HeaderLength || (FrameType)Frames.TypeOf(frame) is FrameType.Start or FrameType.StartAnswer) return sum;
        var words = MemoryMarshal.Cast<byte, ulong>(frame);
        foreach (var word in words) sum = BitOperations.Crc32C(sum, word);
        foreach (var rest in frame[(words.Length * sizeof(ulong))..]) sum = BitOperations.Crc32C(sum, rest);
        return ((ulong)Frames.TypeOf(frame) << 32) | sum;
    }
}
