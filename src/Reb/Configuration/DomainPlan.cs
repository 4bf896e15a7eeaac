using System.Globalization;
using System.Net;
using System.Text;

namespace Massif.Reb.Configuration;

/// <summary>One node of a domain that is about to be made.</summary>
internal sealed record PlannedNode(
    string Id, NodeRole Role, string Host, int BusPort, int ApiPort, int HttpPort, int SyslogPort, int ReplayPort);

/// <summary>Ids, addresses and ports of a new domain, and the texts of its files, commented for people.</summary>
internal sealed class DomainPlan
{
    private readonly DomainMakerOptions _options;

    private DomainPlan(DomainMakerOptions options, IReadOnlyList<PlannedNode> nodes) => (_options, Nodes) = (options, nodes);

    /// <summary>Gets the nodes. Edges come last: a domain grows by edges, and what is appended moves nobody's index.</summary>
    public IReadOnlyList<PlannedNode> Nodes { get; }

    public static DomainPlan For(DomainMakerOptions options)
    {
        var nodes = new List<PlannedNode>();
        int Port(int first, int step) => options.PickPort?.Invoke() ?? first + step;
        foreach (var (id, role, place) in Slots(options))
        {
            // Bus ports: cores first, then relays, so that "from 7400" is where an operator looks for the first core.
            var bus = role == NodeRole.Core ? place : options.Replicas + place;
            nodes.Add(new(
                id,
                role,
                options.Addresses.GetValueOrDefault(id, options.Address),
                role == NodeRole.Edge ? 0 : Port(options.BusPort, bus),
                role == NodeRole.Core ? Port(options.ApiPort, place) : 0,
                Port(options.HttpPort, nodes.Count),
                role == NodeRole.Edge ? Port(options.SyslogPort, 2 * place) : 0,
                role == NodeRole.Edge ? Port(options.ReplayPort, 2 * place) : 0));
        }

        return new(options, nodes);
    }

    public static IEnumerable<string> Ids(DomainMakerOptions options) => Slots(options).Select(slot => slot.Id);

    /// <summary>Returns, in words, each port that is none, or that two listeners of one machine would both want.</summary>
    public IEnumerable<string> Clashes()
    {
        var listeners = Nodes.SelectMany(node => new (string Host, int Port, string What)[]
        {
            (node.Host, node.BusPort, $"the bus of {node.Id}"),
            (node.Host, node.ApiPort, $"the API of {node.Id}"),
            (node.Host, node.HttpPort, $"the health port of {node.Id}"),
            (node.Host, node.SyslogPort, $"syslog at {node.Id}"),
            (node.Host, node.ReplayPort, $"replay at {node.Id}"),
        }).Where(listener => listener.Port > 0);
        foreach (var place in listeners.GroupBy(listener => (listener.Host, listener.Port)))
        {
            var port = string.Create(CultureInfo.InvariantCulture, $"port {place.Key.Port} of {place.Key.Host}");
            if (place.Key.Port > ushort.MaxValue)
                yield return $"{port} would be {place.First().What}, and the last port is {ushort.MaxValue}";
            else if (place.Count() > 1)
                yield return $"{port} would be {string.Join(" and ", place.Select(listener => listener.What))}";
        }
    }

    /// <summary>Returns the text of <c>domain.yaml</c>.</summary>
    public string DomainText(Func<string, string> publicKeyOf)
    {
        var text = new Lines();
        text.Add($"# Domain \"{_options.Name}\": what must be equal on every node. Each node has a copy beside its node.yaml; after a");
        text.Add($"# change bring all copies up to date. Nodes compare a hash of everything but addresses, keys, demo and epoch.");
        text.Add($"name: {_options.Name}");
        var faults = _options.Faults ?? ((_options.Replicas - 1) / 3);
        text.Add($"f: {faults}            # so many cores may be Byzantine; needs n >= 3f + 2k + 1 cores");
        text.Add($"k: 0            # so many cores may recover at the same time");
        text.Add($"t: {_options.PathFaults ?? (_options.Relays / 2)}            # so many overlay paths may be faulty; needs 2t relays");
        text.Add($"epoch: 1        # period of keys and membership");
        if (_options.Demo) text.Add($"demo: true      # a relay may be told to misbehave; never in a real domain");
        text.Add($"");
        text.Add($"# paths: one = the best path; copies = a copy over each of 2t + 1 node-disjoint paths.");
        text.Add($"channels:");
        text.Add($"  - {{name: events, class: bulk, paths: {YamlMap.Word(_options.Paths)}}}");
        text.Add($"  - {{name: urgent, class: urgent, paths: copies}}");
        text.Add($"");
        text.Add($"# addresses: where the bus listens, several for a node in several networks. public_key pins the node's key;");
        text.Add($"# a certificate renewed for the same key changes nothing here.");
        text.Add($"nodes:");
        foreach (var node in Nodes)
        {
            text.Add($"  - id: {node.Id}");
            text.Add($"    role: {YamlMap.Word(node.Role)}");
            if (node.BusPort > 0) text.Add($"    addresses: [\"{new HostPort(node.Host, node.BusPort)}\"]");
            if (node.ApiPort > 0) text.Add($"    api: \"{new HostPort(node.Host, node.ApiPort)}\"");
            text.Add($"    public_key: {publicKeyOf(node.Id)}");
        }

        text.Add($"");
        text.Add($"# Constants of the protocols. These are the defaults; the range is in brackets.");
        text.Add($"protocol:");
        var defaults = new ProtocolConstants();
        foreach (var constant in ProtocolConstants.All)
            text.Add($"  {constant.Key}: {constant.Get(defaults)}   # {constant.Meaning} [{constant.Min} to {constant.Max}]");
        return text.ToString();
    }

    /// <summary>Returns the text of a <c>node.yaml</c>.</summary>
    public string NodeText(PlannedNode node)
    {
        var text = new Lines();
        var word = YamlMap.Word(node.Role);
        text.Add($"# Node \"{node.Id}\" of domain \"{_options.Name}\": what is its own. Paths are relative to this file.");
        text.Add($"# Check it with: massif check-config node.yaml        Start it with: massif {word} -c node.yaml");
        text.Add($"id: {node.Id}");
        text.Add($"role: {word}");
        text.Add($"domain: domain.yaml");
        text.Add($"data: data");
        text.Add($"certificate: cert.pem");
        text.Add($"key: key.pem           # mode 600");
        text.Add($"ca: ca.pem");
        text.Add($"durability: {YamlMap.Word(_options.Durability),-10} # power: survives a power cut; process: survives kill -9");
        text.Add($"log_level: information # debug, information, warning, error");
        if (node.BusPort > 0)
        {
            text.Add($"bus:");
            text.Add($"  listen: \"{new HostPort(ListenHost(node.Host), node.BusPort)}\"   # TCP, TLS 1.3; open it to the other nodes");
        }

        text.Add($"http:");
        text.Add($"  listen: \"127.0.0.1:{node.HttpPort}\"   # /healthz and /metrics, loopback only");
        if (node.Role == NodeRole.Core) AddCore(text, node);
        if (node.Role == NodeRole.Edge) AddEdge(text, node);
        return text.ToString();
    }

    private static IEnumerable<(string Id, NodeRole Role, int Place)> Slots(DomainMakerOptions options)
    {
        var groups = new[]
        {
            (NodeRole.Core, options.Replicas),
            (NodeRole.Relay, options.Relays),
            (NodeRole.Edge, options.Edges),
        };
        foreach (var (role, count) in groups)
        {
            for (var i = 0; i < count; i++)
                yield return (string.Create(CultureInfo.InvariantCulture, $"{YamlMap.Word(role)}{i + 1}"), role, i);
        }
    }

    // A name may mean another address on the node itself, so a node described by name listens on all of its own.
    private static string ListenHost(string host) => IPAddress.TryParse(host, out _) ? host : "0.0.0.0";

    private static string SendersOf(string host) =>
        IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address) ? "[127.0.0.0/8, \"::1\"]" : "[0.0.0.0/0, \"::/0\"]";

    private void AddCore(Lines text, PlannedNode node)
    {
        text.Add($"core:");
        text.Add($"  api_listen: \"{new HostPort(ListenHost(node.Host), node.ApiPort)}\"   # HTTPS; open it to operators");
        text.Add($"  rules: rules.yaml");
        text.Add($"  journal_limit_mib: {_options.DiskLimitMebibytes}   # delivered batches; the oldest go first");
        text.Add($"  stop_at_free_percent: 5     # writes nothing more when less of the disk is free");
    }

    private void AddEdge(Lines text, PlannedNode node)
    {
        var host = ListenHost(node.Host);
        text.Add($"edge:");
        text.Add($"  spool_limit_mib: {_options.DiskLimitMebibytes}     # when it is full TCP senders wait; UDP loss is counted");
        text.Add($"  stop_at_free_percent: 5     # also counts as full when less of the disk is free");
        text.Add($"  batch_delay_ms: 5           # a batch is closed after so long even when it is not full");
        text.Add($"  partial_frames_mib: 32      # memory for messages that have no end yet; then the oldest such connection is closed");
        text.Add($"  syslog:");
        AddListener(text, "syslog-udp", "udp", new(host, node.SyslogPort), "live", SendersOf(node.Host));
        AddListener(text, "syslog-tcp", "tcp", new(host, node.SyslogPort), "live", SendersOf(node.Host));
        text.Add($"    # Replayed events keep their claimed times, so only this machine may replay.");
        AddListener(text, "replay", "tcp", new("127.0.0.1", node.ReplayPort), "replay", SendersOf("127.0.0.1"));
    }

    private static void AddListener(Lines text, string name, string protocol, HostPort address, string mode, string senders)
    {
        text.Add($"    - name: {name}");
        text.Add($"      protocol: {protocol}");
        text.Add($"      address: \"{address}\"");
        text.Add($"      mode: {mode}");
        text.Add($"      max_message_bytes: 65536");
        text.Add($"      default_timezone: \"+00:00\"   # of claimed times that name none");
        text.Add($"      allowed_senders: {senders}");
        if (protocol == "tcp") text.Add($"      max_connections: 1000");
    }

    private sealed class Lines
    {
        private readonly StringBuilder _text = new();

        public void Add(FormattableString line) => _text.Append(line.ToString(CultureInfo.InvariantCulture)).Append('\n');

        public override string ToString() => _text.ToString();
    }
}
