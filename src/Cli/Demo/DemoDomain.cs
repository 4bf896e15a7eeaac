using System.Net;
using Massif.Reb.Configuration;

namespace Massif.Cli.Demo;

/// <summary>The domain of a demonstration: made new in a directory of its own, on free loopback ports.</summary>
internal sealed class DemoDomain
{
    private const int Replicas = 4;
    private const int Relays = 2;
    private readonly Dictionary<string, NodeOptions> _options;

    private DemoDomain(string directory, Domain domain, Dictionary<string, NodeOptions> options) =>
        (Directory, Domain, _options) = (directory, domain, options);

    /// <summary>Gets the directory with everything of the demonstration.</summary>
    public string Directory { get; }

    /// <summary>Gets the domain description.</summary>
    public Domain Domain { get; }

    /// <summary>Gets the one edge.</summary>
    public NodeOptions Edge => _options[Domain.Edges[0].Id];

    /// <summary>Gets where log lines are replayed.</summary>
    public IPEndPoint ReplayListener => Listener(ListenerMode.Replay).Address;

    /// <summary>Gets the name of the replay listener.</summary>
    public string ReplayName => Listener(ListenerMode.Replay).Name;

    /// <summary>Gets where anybody may send a line while the demonstration runs.</summary>
    public IPEndPoint LiveListener => Listener(ListenerMode.Live).Address;

    /// <summary>Gets the largest message that the replay listener takes uncut, in bytes.</summary>
    public int LineBytesMax => Listener(ListenerMode.Replay).MaxMessageBytes;

    /// <summary>Gets the directory with the operator's certificate and key.</summary>
    public string OperatorDirectory => Path.Combine(Directory, "clients", "operator");

    /// <summary>Returns a node's own settings.</summary>
    public NodeOptions this[string id] => _options[id];

    /// <summary>Returns the path of a node's <c>node.yaml</c>.</summary>
    public string NodeFile(string id) => Path.Combine(Directory, "nodes", id, "node.yaml");

    /// <summary>Returns where the output of a node's process goes.</summary>
    public string LogFile(string id) => Path.Combine(Directory, "nodes", id, "output.log");

    /// <summary>Makes the domain; null with the reasons when it cannot be made.</summary>
    public static (DemoDomain? Domain, IReadOnlyList<ConfigError> Errors) Create(string directory)
    {
        using var ports = new FreePorts();
        var errors = DomainMaker.Create(directory, new()
        {
            Name = "demo",
            Replicas = Replicas,
            Relays = Relays,
            Edges = 1,
            PickPort = ports.Next,
            Demo = true,
            DiskLimitMebibytes = 4 * 1024,
            RulesText = ShippedRules.Text,
        });
        if (errors.Count > 0) return (null, errors);
        var (domain, domainErrors) = Domain.Load(Path.Combine(directory, "domain.yaml"));
        if (domain is null) return (null, domainErrors);

        var options = new Dictionary<string, NodeOptions>();
        foreach (var node in domain.Nodes)
        {
            var (own, nodeErrors) = NodeOptions.Load(Path.Combine(directory, "nodes", node.Id, "node.yaml"));
            if (own is null) return (null, nodeErrors);
            options.Add(node.Id, own);
        }

        return (new(directory, domain, options), []);
    }

    private SyslogListener Listener(ListenerMode mode) =>
        Edge.Edge!.Syslog.First(listener => listener.Protocol == SyslogProtocol.Tcp && listener.Mode == mode);
}
