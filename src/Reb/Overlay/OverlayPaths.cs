using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Overlay;

/// <summary>The paths of one node: for each destination up to 2t + 1 node-disjoint routes, numbered alike (protocols P2).</summary>
public sealed class OverlayPaths
{
    private readonly ReadOnlyMemory<NodeIndex>?[][] _routes;

    /// <summary>Computes the routes of a node to its destinations: an edge's to the replicas, a replica's to the edges.</summary>
    public OverlayPaths(Domain domain, NodeIndex self, IReadOnlyList<NodeIndex> destinations)
    {
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(destinations);
        var needed = (2 * domain.PathFaults) + 1;
        var wanted = Math.Min(needed, ReplayGuard.MaxPaths);
        var links = LinksOf(domain);
        var chosen = destinations.ToDictionary(
            to => to,
            to => PathSelection.Choose(links, self.Value, to.Value, wanted, node => domain.Nodes[node].Role == NodeRole.Relay));
        Count = chosen.Values.Max(set => set.Routes.Count);
        AllDisjoint = chosen.Values.All(set => set.Disjoint >= needed);
        _routes = new ReadOnlyMemory<NodeIndex>?[Count][];
        Names = new string[Count];
        var names = new string[Count];
        for (var path = 0; path < Count; path++)
        {
            _routes[path] = new ReadOnlyMemory<NodeIndex>?[domain.Nodes.Count];
            foreach (var (to, set) in chosen)
            {
                if (path >= set.Routes.Count) continue;
                var relays = set.Routes[path].Nodes.Skip(1).SkipLast(1).Select(node => new NodeIndex(node)).ToArray();
                _routes[path][to.Value] = relays;
                names[path] ??= relays.Length == 0 ? "direct" : "via " + string.Join(", ", relays.Select(relay => domain[relay].Id));
            }
        }

        Names = names;
    }

    /// <summary>Gets how many paths there are at most: 2t + 1, or fewer when the topology has no more.</summary>
    public int Count { get; }

    /// <summary>Gets whether every destination has 2t + 1 node-disjoint paths; else fewer faulty paths are survived than t says.</summary>
    public bool AllDisjoint { get; }

    /// <summary>Gets a name for each path, for people: <c>direct</c> or <c>via relay-0</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>Returns the relays of a path to a destination, in order; null when that destination has no such path.</summary>
    public ReadOnlyMemory<NodeIndex>? Route(int path, NodeIndex destination) => _routes[path][destination.Value];

    /// <summary>Returns the link that a path starts with.</summary>
    public NodeIndex? FirstHop(int path, NodeIndex destination) =>
        Route(path, destination) is not { } route ? null : route.IsEmpty ? destination : route.Span[0];

    private static List<OverlayLink> LinksOf(Domain domain)
    {
        var links = new List<OverlayLink>();
        foreach (var from in domain.Nodes)
        {
            foreach (var to in domain.Nodes)
            {
                if (domain.Dials(from.Index, to.Index)) links.Add(new(from.Index.Value, to.Index.Value, 1));
            }
        }

        return links;
    }
}
