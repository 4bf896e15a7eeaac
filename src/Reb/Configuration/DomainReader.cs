using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Configuration;

/// <summary>Reads <c>domain.yaml</c> and checks it: each key by itself, then how they fit together.</summary>
internal static partial class DomainReader
{
    /// <summary>Most nodes in a domain. The description is read by people; a <see cref="NodeIndex"/> would hold 65,536.</summary>
    public const int NodesMax = 1_024;

    /// <summary>The form of names and ids, in words.</summary>
    public const string NameForm = "a lower-case letter, then up to 39 lower-case letters, digits and hyphens, not ending in a hyphen";

    private const string P256 = "1.2.840.10045.3.1.7";
    private const int ReplicasMin = 4;
    private const int FaultsMax = (ReplicaSet.Capacity - 1) / 3;

    [GeneratedRegex(@"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?\z")]
    public static partial Regex Name();

    /// <summary>Reads the map; null when anything was wrong.</summary>
    public static Domain? Read(YamlMap map, ConfigErrors errors)
    {
        var before = errors.Count;
        var name = map.Text("name", pattern: Name(), allowed: NameForm);
        var faults = (int)map.Integer("f", 1, FaultsMax);
        var recovering = (int)map.Integer("k", 0, FaultsMax, 0);
        var pathFaults = (int)map.Integer("t", 0, NodesMax / 2);
        var numbersAreFine = errors.Count == before;
        var epoch = (uint)map.Integer("epoch", 1, uint.MaxValue, 1);
        var demo = map.Flag("demo", false);
        var channels = Channels(map);
        var beforeNodes = errors.Count;
        var nodes = Nodes(map);
        var nodesAreFine = errors.Count == beforeNodes;
        var protocol = Protocol(map);
        map.End();

        // A relation between values of which one is already wrong would only repeat that mistake in other words.
        if (nodesAreFine) CheckRoles(map, nodes);
        if (nodesAreFine && numbersAreFine)
        {
            CheckGroup(map, nodes, faults, recovering);
            CheckTopology(map, nodes, pathFaults);
        }

        return errors.Count > before ? null : new(name, faults, recovering, pathFaults, epoch, demo, nodes, channels, protocol);
    }

    private static List<Channel> Channels(YamlMap map)
    {
        var channels = new List<Channel>();
        foreach (var item in map.Maps("channels", 1, 16))
        {
            var name = item.Text("name", pattern: Name(), allowed: NameForm);
            if (channels.Any(channel => channel.Name == name)) item.Error("name", $"\"{name}\" is the name of two channels");
            channels.Add(new(name, item.Enum<StreamClass>("class"), item.Enum<ChannelPaths>("paths")));
            item.End();
        }

        return channels;
    }

    private static List<DomainNode> Nodes(YamlMap map)
    {
        var nodes = new List<DomainNode>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        var keys = new HashSet<string>(StringComparer.Ordinal);
        var taken = new Dictionary<HostPort, string>();
        foreach (var item in map.Maps("nodes", 1, NodesMax))
        {
            var node = Node(item, (ushort)nodes.Count);
            if (node.Id.Length > 0 && !ids.Add(node.Id)) item.Error("id", $"\"{node.Id}\" is the id of two nodes");
            if (node.PublicKey.Length > 0 && !keys.Add(Convert.ToBase64String(node.PublicKey.Span)))
                item.Error("public_key", "is also the key of another node");
            foreach (var address in node.Addresses) Take(taken, item, "addresses", address, node.Id);
            if (node.ApiAddress is { } api) Take(taken, item, "api", api, node.Id);
            nodes.Add(node);
        }

        return nodes;
    }

    private static DomainNode Node(YamlMap item, ushort index)
    {
        var id = item.Text("id", pattern: Name(), allowed: NameForm);
        var role = item.EnumOrNull<NodeRole>("role");
        var listens = role is NodeRole.Relay or NodeRole.Core; // An edge only dials.
        var addresses = item.Values("addresses", Address, AddressForm, min: listens ? 1 : 0, max: 8);
        if (role is NodeRole.Edge or NodeRole.Relay) item.Refuse("api", "only a core has an API");
        var api = item.Value("api", Address, AddressForm, required: role == NodeRole.Core);
        var publicKey = item.Value("public_key", PublicKey, "the public key of a P-256 certificate: SubjectPublicKeyInfo in base64");
        item.End();
        return new(new(index), id, role ?? NodeRole.Edge, addresses, api, publicKey ?? []);
    }

    private static ProtocolConstants Protocol(YamlMap map)
    {
        var constants = new ProtocolConstants();
        if (map.Map("protocol", required: false) is not { } section) return constants;
        foreach (var constant in ProtocolConstants.All)
            constants = constant.With(constants, (int)section.Integer(constant.Key, constant.Min, constant.Max, constant.Get(constants)));
        section.End();

        if (constants.RtoMaxMilliseconds < constants.RtoMinMilliseconds)
        {
            section.Error(
                "rto_max_ms",
                string.Create(CultureInfo.InvariantCulture, $"is {constants.RtoMaxMilliseconds}, less than rto_min_ms"),
                string.Create(CultureInfo.InvariantCulture, $"at least {constants.RtoMinMilliseconds}"));
        }

        if (constants.CheckpointInterval > constants.Window)
        {
            section.Error(
                "checkpoint_interval",
                string.Create(CultureInfo.InvariantCulture, $"is {constants.CheckpointInterval}, more than window"),
                string.Create(CultureInfo.InvariantCulture, $"at most {constants.Window}"));
        }

        return constants;
    }

    private static void CheckRoles(YamlMap map, List<DomainNode> nodes)
    {
        if (!nodes.Exists(node => node.Role == NodeRole.Edge)) map.Error("nodes", "none has the role edge: nothing could enter the domain");
        var replicas = nodes.Count(node => node.Role == NodeRole.Core);
        if (replicas is >= ReplicasMin and <= ReplicaSet.Capacity) return;
        map.Error(
            "nodes",
            string.Create(CultureInfo.InvariantCulture, $"{replicas} have the role core"),
            string.Create(CultureInfo.InvariantCulture, $"{ReplicasMin} to {ReplicaSet.Capacity}"));
    }

    private static void CheckGroup(YamlMap map, List<DomainNode> nodes, int faults, int recovering)
    {
        var replicas = nodes.Count(node => node.Role == NodeRole.Core);
        if (replicas < ReplicasMin || Quorums.Fit(replicas, faults, recovering)) return;
        map.Error(
            "f",
            string.Create(
                CultureInfo.InvariantCulture,
                $"f = {faults} and k = {recovering} need {(3 * faults) + (2 * recovering) + 1} cores, there are {replicas}"),
            "n >= 3f + 2k + 1");
    }

    // An edge reaches a core directly and through each relay: so many paths share no node.
    private static void CheckTopology(YamlMap map, List<DomainNode> nodes, int pathFaults)
    {
        var relays = nodes.Count(node => node.Role == NodeRole.Relay);
        var given = relays / 2;
        if (pathFaults <= given) return;
        map.Error(
            "t",
            string.Create(
                CultureInfo.InvariantCulture,
                $"t = {pathFaults} needs 2t + 1 = {(2 * pathFaults) + 1} node-disjoint paths, " +
                $"so {2 * pathFaults} relays; with {relays} the topology gives t = {given}"),
            string.Create(CultureInfo.InvariantCulture, $"0 to {given}"));
    }

    private static void Take(Dictionary<HostPort, string> taken, YamlMap item, string key, HostPort address, string id)
    {
        if (taken.TryAdd(address, id)) return;
        item.Error(key, $"{address} is already the address of \"{taken[address]}\"");
    }

    private const string AddressForm = HostPort.Form + ", and one that others can dial";

    // 0.0.0.0 and :: say where a node listens, in its node.yaml; here stands where the others find it.
    private static HostPort? Address(string text) => HostPort.TryParse(text, out var address) && !address.IsAny ? address : null;

    private static byte[]? PublicKey(string text)
    {
        try
        {
            var bytes = Convert.FromBase64String(text);
            using var key = ECDsa.Create();
            key.ImportSubjectPublicKeyInfo(bytes, out var read);
            return read == bytes.Length && key.ExportParameters(false).Curve.Oid.Value == P256 ? bytes : null;
        }
        catch (Exception e) when (e is FormatException or CryptographicException or PlatformNotSupportedException)
        {
            // PlatformNotSupportedException: not a point of the curve.
            return null;
        }
    }
}
