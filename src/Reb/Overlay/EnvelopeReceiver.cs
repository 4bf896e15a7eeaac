using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Overlay;

/// <summary>Opens envelopes at their destination: who made it, unchanged, not seen before; else the path is blamed.</summary>
public sealed class EnvelopeReceiver
{
    private readonly Domain _domain;
    private readonly NodeIndex _self;
    private readonly PairwiseKeys _keys;
    private readonly ReplayGuard[] _guards;
    private readonly Counters _counters;
    private readonly Dictionary<(NodeIndex Neighbour, PathFault Fault), Counters.Counter> _blame = [];

    /// <summary>Makes a receiver for one node.</summary>
    public EnvelopeReceiver(Domain domain, NodeIndex self, PairwiseKeys keys, Counters counters)
    {
        ArgumentNullException.ThrowIfNull(domain);
        (_domain, _self, _keys, _counters) = (domain, self, keys, counters);
        _guards = [.. domain.Nodes.Select(_ => new ReplayGuard())];
    }

    /// <summary>Gets what is told when a path is blamed, with the neighbour that delivered the frame; for internal events.</summary>
    public Action<NodeIndex, PathFault>? Blamed { get; init; }

    /// <summary>
    /// Checks everything about an envelope but its body. False when it must be dropped; the neighbour that delivered it is then
    /// blamed: it is the end of the path, and an honest relay that got rubbish cannot be told from one that made it.
    /// </summary>
    public bool TryOpen(NodeIndex from, ReadOnlySpan<byte> frame, out Envelope envelope)
    {
        if (!Envelope.TryOpen(frame, out envelope)) return Blame(from, PathFault.Malformed);
        var hops = envelope.RouteLength;
        var last = hops == 0 ? envelope.Source : envelope.Relay(hops - 1);
        if (envelope.Hop != hops || last != from || envelope.Source.Value >= _domain.Nodes.Count || envelope.Source == _self)
            return Blame(from, PathFault.Misrouted);
        if (!IsForMe(envelope)) return Blame(from, PathFault.Misrouted);
        if (!envelope.IsAuthentic(_keys, _self)) return Blame(from, PathFault.BadMac);
        if (_guards[envelope.Source.Value].Record(envelope.Session, envelope.Path, envelope.Number) == Freshness.Replayed)
            return Blame(from, PathFault.Replayed);
        return true;
    }

    /// <summary>Counts a fault of a path, blames the neighbour that ends it, and returns false.</summary>
    public bool Blame(NodeIndex neighbour, PathFault fault)
    {
        if (!_blame.TryGetValue((neighbour, fault), out var counter))
        {
            var reason = fault switch
            {
                PathFault.Malformed => "malformed",
                PathFault.Misrouted => "misrouted",
                PathFault.BadMac => "bad_mac",
                PathFault.Replayed => "replayed",
                PathFault.BadBody => "bad_body",
                _ => throw new InvariantViolationException($"No name for {fault}."),
            };
            counter = _counters.Of($"massif_path_faults_total{{neighbour=\"{_domain[neighbour].Id}\",reason=\"{reason}\"}}");
            _blame.Add((neighbour, fault), counter);
        }

        counter.Add();
        Blamed?.Invoke(neighbour, fault);
        return false;
    }

    private bool IsForMe(in Envelope envelope)
    {
        for (var i = 0; i < envelope.DestinationCount; i++)
        {
            if (envelope.Destination(i) == _self) return true;
        }

        return false;
    }
}

/// <summary>What is wrong with a frame that came over a path.</summary>
public enum PathFault : byte
{
    /// <summary>Lengths do not fit together.</summary>
    Malformed,

    /// <summary>It is not for this node, or did not come the way it says.</summary>
    Misrouted,

    /// <summary>The source did not make it like this.</summary>
    BadMac,

    /// <summary>It came over this path before.</summary>
    Replayed,

    /// <summary>The body is not what the source put in.</summary>
    BadBody,
}
