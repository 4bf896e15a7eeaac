namespace Massif.Reb.Protocol;

/// <summary>A link of the overlay between two nodes, usable both ways.</summary>
/// <param name="From">Index of a node in the domain description.</param>
/// <param name="To">Index of another node.</param>
/// <param name="Cost">What it costs to use it, at least 1; for instance its mean delay in microseconds.</param>
public readonly record struct OverlayLink(ushort From, ushort To, int Cost);

/// <summary>One route through the overlay: the nodes from source to destination, both included.</summary>
/// <param name="Nodes">Node indexes in order.</param>
/// <param name="Cost">Sum of the costs of the links.</param>
public sealed record OverlayRoute(IReadOnlyList<ushort> Nodes, long Cost);

/// <summary>The routes chosen for one destination.</summary>
/// <param name="Routes">At most as many as asked for, no two equal, cheapest first, then by the node indexes.</param>
/// <param name="Disjoint">How many of them share no node with a cheaper one between source and destination.</param>
public sealed record RouteSet(IReadOnlyList<OverlayRoute> Routes, int Disjoint);

/// <summary>Node-disjoint routes by min-cost max-flow on split nodes (P2).</summary>
/// <remarks>
/// Every node between source and destination is an edge of capacity 1 from its entry to its exit; a second unit through it, or over
/// one link, costs more than any route. Successive shortest augmenting paths (Bellman-Ford); for unit capacities that is Suurballe's
/// algorithm. The result depends on the set of links only, not on their order. O(count · nodes · links).
/// </remarks>
public static class PathSelection
{
    /// <summary>
    /// Returns up to <paramref name="count"/> routes (2t + 1). When fewer are disjoint, a shared node costs very much.
    /// Relays alone forward: only <paramref name="mayForward"/> nodes stand between source and destination.
    /// </summary>
    /// <exception cref="ArgumentException">Source and destination are one node, a cost is below 1, or count is.</exception>
    public static RouteSet Choose(
        IReadOnlyList<OverlayLink> links, ushort source, ushort destination, int count, Func<ushort, bool> mayForward)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfEqual(source, destination);
        var network = new FlowNetwork(Usable(links, source, destination, mayForward), source, destination, count);
        for (var i = 0; i < count && network.Augment(); i++)
        {
        }

        return Ranked(network.Routes());
    }

    /// <summary>Each link once, in index order, at its lowest cost; without those that nothing may be forwarded over.</summary>
    private static List<OverlayLink> Usable(
        IReadOnlyList<OverlayLink> links, ushort source, ushort destination, Func<ushort, bool> mayForward)
    {
        var cheapest = new SortedDictionary<(ushort, ushort), int>();
        foreach (var link in links)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(link.Cost, 1, nameof(links));
            if (link.From == link.To || !Serves(link.From) || !Serves(link.To)) continue;
            var ends = link.From < link.To ? (link.From, link.To) : (link.To, link.From);
            if (!cheapest.TryGetValue(ends, out var cost) || link.Cost < cost) cheapest[ends] = link.Cost;
        }

        return [.. cheapest.Select(link => new OverlayLink(link.Key.Item1, link.Key.Item2, link.Value))];

        bool Serves(ushort node) => node == source || node == destination || mayForward(node);
    }

    private static RouteSet Ranked(List<OverlayRoute> found)
    {
        found.Sort((left, right) => left.Cost != right.Cost ? left.Cost.CompareTo(right.Cost) : Compare(left.Nodes, right.Nodes));
        var routes = new List<OverlayRoute>(found.Count);
        var passed = new HashSet<ushort>();
        var disjoint = 0;
        foreach (var route in found)
        {
            if (routes.Count > 0 && Compare(routes[^1].Nodes, route.Nodes) == 0) continue;
            routes.Add(route);
            var between = route.Nodes.Skip(1).SkipLast(1).ToList();
            if (!between.Exists(passed.Contains)) disjoint++;
            passed.UnionWith(between);
        }

        return new(routes, disjoint);
    }

    private static int Compare(IReadOnlyList<ushort> left, IReadOnlyList<ushort> right)
    {
        for (var i = 0; i < left.Count && i < right.Count; i++)
            if (left[i] != right[i]) return left[i].CompareTo(right[i]);
        return left.Count.CompareTo(right.Count);
    }
}
