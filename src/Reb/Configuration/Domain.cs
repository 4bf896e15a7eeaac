using System.Globalization;
using System.Text;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Configuration;

/// <summary>What a node does in the domain. The name in lower case is the role in its certificate.</summary>
public enum NodeRole : byte
{
    /// <summary>Takes events in and publishes them; trusted for nothing but its own events.</summary>
    Edge,

    /// <summary>Forwards envelopes; trusted for nothing.</summary>
    Relay,

    /// <summary>One of the n replicas.</summary>
    Core,
}

/// <summary>How many overlay paths a channel uses (docs/ARCHITECTURE.md).</summary>
public enum ChannelPaths : byte
{
    /// <summary>The best single path.</summary>
    One,

    /// <summary>A copy over each of 2t + 1 node-disjoint paths.</summary>
    Copies,
}

/// <summary>A channel: a name, the class of stream it uses, and how it crosses the overlay.</summary>
/// <param name="Name">Unique name.</param>
/// <param name="Class">Bulk or urgent; each class of one source is a stream of its own.</param>
/// <param name="Paths">One path, or copies over 2t + 1.</param>
public sealed record Channel(string Name, StreamClass Class, ChannelPaths Paths);

/// <summary>One node as the domain describes it.</summary>
/// <param name="Index">Position in the description.</param>
/// <param name="Id">Unique name; lower-case letters, digits and hyphens.</param>
/// <param name="Role">What it does.</param>
/// <param name="Addresses">Where its bus listens, several when it has several networks; empty for an edge, which only dials.</param>
/// <param name="ApiAddress">Where a core's read API listens; null for other roles.</param>
/// <param name="PublicKey">
/// SubjectPublicKeyInfo (DER) of its P-256 key. It pins the key, not the certificate: a certificate renewed for the
/// same key changes nothing here.
/// </param>
public sealed record DomainNode(
    NodeIndex Index,
    string Id,
    NodeRole Role,
    IReadOnlyList<HostPort> Addresses,
    HostPort? ApiAddress,
    ReadOnlyMemory<byte> PublicKey)
{
    /// <inheritdoc />
    public override string ToString() => Id;
}

/// <summary>The domain description: what must be equal on every node, checked and immutable.</summary>
public sealed class Domain
{
    private readonly Dictionary<string, DomainNode> _byId;

    /// <summary>Makes a domain from checked parts; <see cref="Load"/> is the way from a file.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The number of replicas does not allow f and k.</exception>
    /// <exception cref="ArgumentException">Two nodes have one id, or an index is not the position.</exception>
    public Domain(
        string name,
        int faults,
        int recovering,
        int pathFaults,
        uint epoch,
        bool demo,
        IReadOnlyList<DomainNode> nodes,
        IReadOnlyList<Channel> channels,
        ProtocolConstants protocol)
    {
        (Name, PathFaults, Epoch, Demo) = (name, pathFaults, epoch, demo);
        (Nodes, Channels, Protocol) = (nodes, channels, protocol);
        Replicas = [.. nodes.Where(node => node.Role == NodeRole.Core)];
        Relays = [.. nodes.Where(node => node.Role == NodeRole.Relay)];
        Edges = [.. nodes.Where(node => node.Role == NodeRole.Edge)];
        Quorums = Quorums.For(Replicas.Count, faults, recovering);
        _byId = nodes.ToDictionary(node => node.Id, StringComparer.Ordinal);
        for (var i = 0; i < nodes.Count; i++)
        {
            if (nodes[i].Index.Value != i) throw new ArgumentException("A node's index is its position.", nameof(nodes));
        }

        Hash = Digest.Of(Encoding.UTF8.GetBytes(CanonicalText()));
    }

    /// <summary>Gets the name; it is the trust domain in every certificate.</summary>
    public string Name { get; }

    /// <summary>Gets n, f and k as thresholds.</summary>
    public Quorums Quorums { get; }

    /// <summary>Gets t: so many overlay paths may be faulty at once.</summary>
    public int PathFaults { get; }

    /// <summary>Gets the epoch of keys and membership.</summary>
    public uint Epoch { get; }

    /// <summary>Gets whether this is a demonstration, where a relay may be told to misbehave.</summary>
    public bool Demo { get; }

    /// <summary>Gets all nodes; a <see cref="NodeIndex"/> is a position here.</summary>
    public IReadOnlyList<DomainNode> Nodes { get; }

    /// <summary>Gets the cores in order; a <see cref="ReplicaId"/> is a position here.</summary>
    public IReadOnlyList<DomainNode> Replicas { get; }

    /// <summary>Gets the relays in order.</summary>
    public IReadOnlyList<DomainNode> Relays { get; }

    /// <summary>Gets the edges in order.</summary>
    public IReadOnlyList<DomainNode> Edges { get; }

    /// <summary>Gets the channels; the position is the channel's number on the wire.</summary>
    public IReadOnlyList<Channel> Channels { get; }

    /// <summary>Gets the constants of the protocols.</summary>
    public ProtocolConstants Protocol { get; }

    /// <summary>
    /// Gets SHA-256 of <see cref="CanonicalText"/>, which nodes compare when they meet. Addresses, keys and the epoch are
    /// not in it: a moved node or a renewed key locks nobody else out, and the epoch is compared by itself.
    /// </summary>
    public Digest Hash { get; }

    /// <summary>Reads and checks <c>domain.yaml</c>; the domain is null exactly when there are errors.</summary>
    public static (Domain? Domain, IReadOnlyList<ConfigError> Errors) Load(string path)
    {
        var errors = new ConfigErrors();
        var map = YamlDocument.Load(path, errors);
        var domain = map is null ? null : DomainReader.Read(map, errors);
        return (errors.None ? domain : null, errors.Items);
    }

    /// <summary>Returns the node at a position.</summary>
    public DomainNode this[NodeIndex index] => Nodes[index.Value];

    /// <summary>Returns the node of that id; null when there is none.</summary>
    public DomainNode? Find(string id) => _byId.GetValueOrDefault(id);

    /// <summary>Returns which replica the node is; null when it is none.</summary>
    public ReplicaId? ReplicaOf(NodeIndex node)
    {
        for (var i = 0; i < Replicas.Count; i++)
        {
            if (Replicas[i].Index == node) return new((byte)i);
        }

        return null;
    }

    /// <summary>Returns the node that is this replica.</summary>
    public NodeIndex NodeOf(ReplicaId replica) => Replicas[replica.Index].Index;

    /// <summary>
    /// Returns whether one node opens the connection to the other: edge to relay and core, relay to core, and of two
    /// cores the later one. So between any two nodes there is one link, and no two connections race.
    /// </summary>
    public bool Dials(NodeIndex from, NodeIndex to) => (this[from].Role, this[to].Role) switch
    {
        (NodeRole.Edge, NodeRole.Relay or NodeRole.Core) => true,
        (NodeRole.Relay, NodeRole.Core) => true,
        (NodeRole.Core, NodeRole.Core) => from.Value > to.Value,
        _ => false,
    };

    /// <summary>Returns the text whose hash nodes compare: one fact a line, in a fixed order.</summary>
    public string CanonicalText()
    {
        var text = new StringBuilder();
        Line(text, $"massif-domain 1 {Name}");
        Line(text, $"f {Quorums.Faults} k {Quorums.Recovering} t {PathFaults}");
        foreach (var node in Nodes) Line(text, $"node {node.Id} {node.Role}");
        foreach (var channel in Channels) Line(text, $"channel {channel.Name} {channel.Class} {channel.Paths}");
        foreach (var constant in ProtocolConstants.All) Line(text, $"{constant.Key} {constant.Get(Protocol)}");
        return text.ToString();
    }

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
