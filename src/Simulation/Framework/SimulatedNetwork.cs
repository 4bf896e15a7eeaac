using Massif.Reb.Protocol;

namespace Massif.Simulation;

/// <summary>Something that happens in a <see cref="SimulatedNetwork{TFrame}"/>; the world's scheduler carries it.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="From">Index of the sending node, or of one end.</param>
/// <param name="To">Index of the receiving node, or of the other end.</param>
/// <param name="Generation">Life of the connection; what belongs to an earlier one is lost.</param>
/// <param name="Frame">The frame under way.</param>
public readonly record struct NetworkEvent<TFrame>(NetworkEventKind Kind, int From, int To, int Generation, TFrame Frame);

/// <summary>What can happen in a network.</summary>
public enum NetworkEventKind : byte
{
    /// <summary>A frame reaches the end of its link.</summary>
    Arrival,

    /// <summary>A link that was blocked carries what piled up.</summary>
    Drain,

    /// <summary>Two nodes have a connection again.</summary>
    Connect,
}

/// <summary>What the network tells its world.</summary>
public interface INetworkUser<TFrame>
{
    /// <summary>Plans an event, to be handed back by <see cref="SimulatedNetwork{TFrame}.Happen"/>.</summary>
    void Plan(long delay, in NetworkEvent<TFrame> happening);

    /// <summary>A frame has arrived.</summary>
    void Receive(int from, int to, TFrame frame);

    /// <summary>The connection between two nodes came up or went down; both know at once.</summary>
    void LinkChanged(int one, int other, bool up);
}

/// <summary>How one direction of a link behaves; times in nanoseconds.</summary>
public record struct LinkTemper
{
    /// <summary>Gets or sets the shortest ordinary delay.</summary>
    public long DelayLow { get; set; }

    /// <summary>Gets or sets the longest ordinary delay.</summary>
    public long DelayHigh { get; set; }

    /// <summary>Gets or sets in how many frames one is delayed four times as long, and of those again one; 0: never.</summary>
    public int Tail { get; set; }

    /// <summary>Gets or sets whether frames may overtake each other and get lost; otherwise order is kept as on TCP.</summary>
    public bool Datagram { get; set; }

    /// <summary>Gets or sets how many of a hundred frames are lost; datagram links only.</summary>
    public int LossPercent { get; set; }

    /// <summary>Gets or sets how many of a hundred frames arrive twice; datagram links only.</summary>
    public int DuplicatePercent { get; set; }
}

/// <summary>Links between nodes 0 .. N − 1: delays, order, loss, blocked directions, resets that eat what was in flight.</summary>
public sealed class SimulatedNetwork<TFrame>
{
    /// <summary>Frames that pile up in front of a blocked direction before the sender is refused.</summary>
    private const int PileMax = 2048;

    private readonly Prng _prng;
    private readonly VirtualTime _time;
    private readonly INetworkUser<TFrame> _user;
    private readonly Direction[] _directions;
    private readonly Connection[] _connections;
    private readonly bool[] _alive;

    /// <summary>Makes a network in which every node is alive and nobody is connected yet.</summary>
    public SimulatedNetwork(int nodes, VirtualTime time, Prng prng, INetworkUser<TFrame> user)
    {
        (Nodes, _time, _prng, _user) = (nodes, time, prng, user);
        _directions = new Direction[nodes * nodes];
        _connections = new Connection[nodes * nodes];
        _alive = new bool[nodes];
        Array.Fill(_alive, true);
    }

    /// <summary>Gets the number of nodes.</summary>
    public int Nodes { get; }

    /// <summary>Gets how many frames were lost, whatever the reason.</summary>
    public long Lost { get; private set; }

    /// <summary>Gives access to the behaviour of one direction.</summary>
    public ref LinkTemper Temper(int from, int to) => ref _directions[(from * Nodes) + to].Temper;

    /// <summary>Returns whether the two nodes have a connection.</summary>
    public bool IsUp(int one, int other) => Pair(one, other).Up;

    /// <summary>Sends a frame; false, and nothing more, when there is no connection or too much waits already.</summary>
    public bool TrySend(int from, int to, TFrame frame)
    {
        ref var connection = ref Pair(from, to);
        ref var direction = ref _directions[(from * Nodes) + to];
        if (!connection.Up || direction.Pile is { Count: >= PileMax })
        {
            Lost++;
            return false;
        }

        ref var temper = ref direction.Temper;
        if (temper.Datagram && temper.LossPercent > 0 && _prng.Chance(temper.LossPercent))
        {
            Lost++;
            return true;
        }

        PlanArrival(ref direction, new(NetworkEventKind.Arrival, from, to, connection.Generation, frame));
        if (temper.Datagram && temper.DuplicatePercent > 0 && _prng.Chance(temper.DuplicatePercent))
            PlanArrival(ref direction, new(NetworkEventKind.Arrival, from, to, connection.Generation, frame));
        return true;
    }

    /// <summary>Carries out an event whose time has come.</summary>
    public void Happen(in NetworkEvent<TFrame> happening)
    {
        ref var connection = ref Pair(happening.From, happening.To);
        if (happening.Generation != connection.Generation)
        {
            if (happening.Kind == NetworkEventKind.Arrival) Lost++;
            return;
        }

        switch (happening.Kind)
        {
            case NetworkEventKind.Arrival: Arrive(happening); break;
            case NetworkEventKind.Drain: Drain(happening); break;
            default: Connect(ref connection, happening.From, happening.To); break;
        }
    }

    /// <summary>Lets the two nodes connect after a delay.</summary>
    public void ConnectLater(int one, int other, long delay) =>
        _user.Plan(delay, new(NetworkEventKind.Connect, one, other, Pair(one, other).Generation, default!));

    /// <summary>Breaks a connection: what was in flight is lost. It comes again after <paramref name="downFor"/>.</summary>
    public void Reset(int one, int other, long downFor)
    {
        Break(one, other);
        ConnectLater(one, other, downFor);
    }

    /// <summary>Stops one direction until <see cref="Unblock"/>; blocks add up. A stream piles up, datagrams are lost.</summary>
    public void Block(int from, int to) => _directions[(from * Nodes) + to].Blocks++;

    /// <summary>Takes one block away.</summary>
    public void Unblock(int from, int to)
    {
        ref var direction = ref _directions[(from * Nodes) + to];
        Invariant.Holds(direction.Blocks > 0);
        if (--direction.Blocks > 0 || direction.Pile is not { Count: > 0 }) return;
        _user.Plan(0, new(NetworkEventKind.Drain, from, to, Pair(from, to).Generation, default!));
    }

    /// <summary>Takes a node away: all its connections break.</summary>
    public void Stop(int node)
    {
        _alive[node] = false;
        for (var other = 0; other < Nodes; other++)
            if (other != node) Break(node, other);
    }

    /// <summary>Brings a node back: it connects to every living node, each at its own time up to <paramref name="within"/>.</summary>
    public void Start(int node, long within)
    {
        _alive[node] = true;
        for (var other = 0; other < Nodes; other++)
            if (other != node) ConnectLater(node, other, _prng.Between(0, within));
    }

    private void PlanArrival(ref Direction direction, in NetworkEvent<TFrame> arrival)
    {
        ref var temper = ref direction.Temper;
        var delay = _prng.Delay(temper.DelayLow, temper.DelayHigh, temper.Tail);
        if (!temper.Datagram)
        {
            direction.LastArrival = Math.Max(direction.LastArrival, _time.Now + delay);
            delay = direction.LastArrival - _time.Now;
        }

        _user.Plan(delay, arrival);
    }

    private void Arrive(in NetworkEvent<TFrame> arrival)
    {
        ref var direction = ref _directions[(arrival.From * Nodes) + arrival.To];
        if (direction.Blocks == 0 && direction.Pile is not { Count: > 0 })
        {
            _user.Receive(arrival.From, arrival.To, arrival.Frame);
            return;
        }

        if (direction.Temper.Datagram)
        {
            Lost++;
            return;
        }

        // Behind a block, and behind what piled up in front of one, a stream keeps its order.
        (direction.Pile ??= []).Add(arrival.Frame);
    }

    private void Drain(in NetworkEvent<TFrame> drain)
    {
        ref var direction = ref _directions[(drain.From * Nodes) + drain.To];
        if (direction.Blocks > 0 || direction.Pile is not { Count: > 0 } pile) return;
        direction.Pile = null;
        foreach (var frame in pile)
        {
            if (drain.Generation == Pair(drain.From, drain.To).Generation) _user.Receive(drain.From, drain.To, frame);
            else Lost++;
        }
    }

    private void Connect(ref Connection connection, int one, int other)
    {
        if (connection.Up || !_alive[one] || !_alive[other]) return;
        connection.Up = true;
        _user.LinkChanged(one, other, up: true);
    }

    private void Break(int one, int other)
    {
        ref var connection = ref Pair(one, other);
        connection.Generation++;
        Clear(ref _directions[(one * Nodes) + other]);
        Clear(ref _directions[(other * Nodes) + one]);
        if (!connection.Up) return;
        connection.Up = false;
        _user.LinkChanged(one, other, up: false);
    }

    private void Clear(ref Direction direction)
    {
        Lost += direction.Pile?.Count ?? 0;
        direction.Pile = null;
        direction.LastArrival = 0;
    }

    private ref Connection Pair(int one, int other) =>
        ref _connections[(Math.Min(one, other) * Nodes) + Math.Max(one, other)];

    private struct Direction
    {
        public LinkTemper Temper;
        public long LastArrival;
        public int Blocks;
        public List<TFrame>? Pile;
    }

    private struct Connection
    {
        public bool Up;
        public int Generation;
    }
}
