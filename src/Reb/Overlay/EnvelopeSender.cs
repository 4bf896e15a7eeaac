using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Overlay;

/// <summary>Puts bodies into envelopes and onto paths. One frame serves all destinations that share a route.</summary>
public sealed class EnvelopeSender
{
    private readonly NodeIndex _self;
    private readonly ulong _session;
    private readonly OverlayPaths _paths;
    private readonly PairwiseKeys _keys;
    private readonly ulong[] _numbers;
    private readonly Counters.Counter[] _sent;
    private readonly Counters.Counter[] _unsent;
    private readonly NodeIndex[] _group;
    private readonly bool[] _done;

    /// <summary>Makes a sender. The session is a number that no earlier start of this node had.</summary>
    public EnvelopeSender(NodeIndex self, ulong session, OverlayPaths paths, PairwiseKeys keys, int nodes, Counters counters)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(counters);
        (_self, _session, _paths, _keys) = (self, session, paths, keys);
        _numbers = new ulong[paths.Count];
        _sent = [.. paths.Names.Select(name => counters.Of($"massif_path_sent_envelopes_total{{path=\"{name}\"}}"))];
        _unsent = [.. paths.Names.Select(name => counters.Of($"massif_path_unsent_envelopes_total{{path=\"{name}\"}}"))];
        _group = new NodeIndex[nodes];
        _done = new bool[nodes];
    }

    /// <summary>Gets the paths.</summary>
    public OverlayPaths Paths => _paths;

    /// <summary>Sends a body over one path and returns whether every destination's first link took it.</summary>
    /// <param name="content">What the body is.</param>
    /// <param name="bodyHash">Hash of the body.</param>
    /// <param name="body">The body.</param>
    /// <param name="destinations">Whom it is for.</param>
    /// <param name="path">Number of the path.</param>
    /// <param name="output">Where frames go.</param>
    public bool Send(
        EnvelopeContent content,
        in Digest bodyHash,
        ReadOnlySpan<byte> body,
        ReadOnlySpan<NodeIndex> destinations,
        int path,
        IFrameOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var all = true;
        foreach (var destination in destinations) _done[destination.Value] = false;
        foreach (var first in destinations)
        {
            if (_done[first.Value]) continue;
            if (_paths.Route(path, first) is not { } route)
            {
                all = false;
                continue;
            }

            var group = GroupOf(route, path, destinations);
            var address = new EnvelopeAddress(_self, _session, ++_numbers[path], content, (byte)path, route);
            var frame = Envelope.Build(address, group, bodyHash, body, _keys);
            all &= Post(route, group, frame, path, output);
        }

        return all;
    }

    private Span<NodeIndex> GroupOf(ReadOnlyMemory<NodeIndex> route, int path, ReadOnlySpan<NodeIndex> destinations)
    {
        var count = 0;
        foreach (var destination in destinations)
        {
            if (_done[destination.Value]) continue;
            if (_paths.Route(path, destination) is not { } other || !other.Span.SequenceEqual(route.Span)) continue;
            _done[destination.Value] = true;
            _group[count++] = destination;
        }

        return _group.AsSpan(0, count);
    }

    private bool Post(ReadOnlyMemory<NodeIndex> route, ReadOnlySpan<NodeIndex> group, byte[] frame, int path, IFrameOutput output)
    {
        var all = true;
        if (!route.IsEmpty) return Count(output.TrySend(route.Span[0], frame), path);
        foreach (var destination in group) all &= Count(output.TrySend(destination, frame), path);
        return all;
    }

    private bool Count(bool taken, int path)
    {
        (taken ? _sent : _unsent)[path].Add();
        return taken;
    }
}

/// <summary>Where frames go: the links at once, or an outbox that waits for the disk first.</summary>
public interface IFrameOutput
{
    /// <summary>Takes one whole frame for a neighbour; false when it cannot leave now.</summary>
    bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame);
}
