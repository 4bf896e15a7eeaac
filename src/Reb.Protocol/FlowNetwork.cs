namespace Massif.Reb.Protocol;

/// <summary>The residual network of <see cref="PathSelection"/>: node i has entry 2i and exit 2i + 1.</summary>
internal sealed class FlowNetwork
{
    /// <summary>More than any route without a shared node costs: 2^31 per link, at most 2^16 links.</summary>
    private const long Shared = 1L << 48;

    private readonly List<Edge> _edges = [];
    private readonly List<int>[] _from;
    private readonly List<ushort> _nodes;
    private readonly int _start, _end;

    public FlowNetwork(List<OverlayLink> links, ushort source, ushort destination, int count)
    {
        _nodes = [.. links.SelectMany(link => new[] { link.From, link.To }).Append(source).Append(destination).Distinct().Order()];
        _from = [.. Enumerable.Range(0, 2 * _nodes.Count).Select(_ => new List<int>())];
        (_start, _end) = (Exit(source), Entry(destination));
        foreach (var node in _nodes)
            if (node != source && node != destination) Add(Entry(node), Exit(node), 0, count);
        foreach (var link in links)
        {
            Add(Exit(link.From), Entry(link.To), link.Cost, count);
            Add(Exit(link.To), Entry(link.From), link.Cost, count);
        }
    }

    /// <summary>Sends one more unit along the cheapest augmenting path; false when there is none.</summary>
    public bool Augment()
    {
        var cost = new long[_from.Length];
        var via = new int[_from.Length];
        Array.Fill(cost, long.MaxValue);
        cost[_start] = 0;
        for (var changed = true; changed;)
        {
            changed = false;
            for (var i = 0; i < _edges.Count; i++)
            {
                var edge = _edges[i];
                if (edge.Room == 0 || cost[edge.From] == long.MaxValue || cost[edge.From] + edge.Cost >= cost[edge.To]) continue;
                (cost[edge.To], via[edge.To], changed) = (cost[edge.From] + edge.Cost, i, true);
            }
        }

        if (cost[_end] == long.MaxValue) return false;
        for (var at = _end; at != _start; at = _edges[via[at]].From) Push(via[at]);
        return true;
    }

    /// <summary>Takes the flow apart into one route per unit.</summary>
    public List<OverlayRoute> Routes()
    {
        var routes = new List<OverlayRoute>();
        while (NextUsed(_start) is not null) routes.Add(Walk());
        return routes;
    }

    private OverlayRoute Walk()
    {
        var nodes = new List<ushort> { _nodes[_start / 2] };
        var cost = 0L;
        for (var at = _start; at != _end;)
        {
            var used = NextUsed(at) ?? throw new InvariantViolationException("What flows in flows out.");
            _edges[used] = _edges[used] with { Used = _edges[used].Used - 1 };
            cost += _edges[used].Cost % Shared;
            at = _edges[used].To;
            if (at % 2 == 0) nodes.Add(_nodes[at / 2]);
        }

        return new(nodes, cost);
    }

    private int? NextUsed(int at)
    {
        foreach (var index in _from[at])
            if (_edges[index].Used > 0) return index;
        return null;
    }

    /// <summary>One unit at the plain cost, and the others at a cost that outweighs everything.</summary>
    private void Add(int from, int to, long cost, int capacity)
    {
        AddPair(from, to, cost, 1);
        if (capacity > 1) AddPair(from, to, cost + Shared, capacity - 1);
    }

    private void AddPair(int from, int to, long cost, int capacity)
    {
        _from[from].Add(_edges.Count);
        _edges.Add(new(from, to, cost, capacity, 0));
        _edges.Add(new(to, from, -cost, 0, 0));
    }

    /// <summary>Moves one unit over an edge; over a backward one it takes a unit back. Pairs stand side by side.</summary>
    private void Push(int index)
    {
        var forward = index % 2 == 0;
        var (edge, back) = (_edges[index], _edges[index ^ 1]);
        _edges[index] = edge with { Room = edge.Room - 1, Used = forward ? edge.Used + 1 : 0 };
        _edges[index ^ 1] = back with { Room = back.Room + 1, Used = forward ? 0 : back.Used - 1 };
    }

    private int Entry(ushort node) => 2 * _nodes.BinarySearch(node);

    private int Exit(ushort node) => Entry(node) + 1;

    private readonly record struct Edge(int From, int To, long Cost, int Room, int Used);
}
