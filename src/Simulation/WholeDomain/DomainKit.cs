using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Massif.Cep;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Protocol;

namespace Massif.Simulation.WholeDomain;

/// <summary>
/// What every world of one size shares: nodes, keys from fixed material, rules. One per thread, for a MAC state is not shared.
/// </summary>
internal sealed class DomainKit
{
    public const int Relays = 2;

    /// <summary>Two that may be correct, and one that only ever lies.</summary>
    public const int Edges = 3;

    private const string Name = "simulated";

    [ThreadStatic]
    private static Dictionary<int, DomainKit>? _kits;

    private DomainKit(int replicas)
    {
        Replicas = replicas;
        var nodes = new List<DomainNode>();
        var agreements = new List<ECDiffieHellman>();
        for (var index = 0; index < replicas + Relays + Edges; index++)
        {
            var role = index < replicas ? NodeRole.Core : index < replicas + Relays ? NodeRole.Relay : NodeRole.Edge;
            var id = string.Create(CultureInfo.InvariantCulture, $"{role.ToString().ToLower(CultureInfo.InvariantCulture)}-{index}");
            var secret = SHA256.HashData(Encoding.UTF8.GetBytes("key of " + id));
            var key = new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = secret };
            var signing = ECDsa.Create(key);
            agreements.Add(ECDiffieHellman.Create(key));
            nodes.Add(new(new((ushort)index), id, role, [], null, signing.ExportSubjectPublicKeyInfo()));
            SigningKeys.Add(signing);
        }

        Nodes = nodes;
        var domain = NewDomain(new(), ChannelPaths.One);
        Keys = [.. nodes.Select(node => new PairwiseKeys(domain, node.Index, agreements[node.Index.Value]))];
        Verifier = new(domain);
        foreach (var agreement in agreements) agreement.Dispose();
    }

    public int Replicas { get; }

    public IReadOnlyList<DomainNode> Nodes { get; }

    public IReadOnlyList<PairwiseKeys> Keys { get; }

    public StartVerifier Verifier { get; }

    private List<ECDsa> SigningKeys { get; } = [];

    /// <summary>Gets the rules of every replica: one that fires often in a short run.</summary>
    public static RuleSet Rules { get; } = RuleSet.Of(new RuleDefinition
    {
        Id = "ssh-bruteforce",
        Version = 1,
        Title = "Five failed logins from one address within ten seconds",
        Severity = AlarmSeverity.High,
        Where = "event.category == authentication and event.action == login and event.outcome == failure and not tags has same_attempt",
        Key = ["source.ip"],
        Threshold = 5,
        WindowSeconds = 10,
        SuppressSeconds = 1,
    });

    public static DomainKit For(int replicas)
    {
        _kits ??= [];
        if (!_kits.TryGetValue(replicas, out var kit)) _kits.Add(replicas, kit = new(replicas));
        return kit;
    }

    /// <summary>Returns the description with the constants of one run; the keys do not depend on them.</summary>
    public Domain NewDomain(ProtocolConstants constants, ChannelPaths paths) => new(
        Name, (Replicas - 1) / 3, 0, pathFaults: 1, epoch: 1, demo: true, Nodes, [new("events", StreamClass.Bulk, paths)], constants);

    public StartSigner SignerOf(Domain domain, int node) => new(domain, new((ushort)node), SigningKeys[node]);

    /// <summary>Returns the settings of an edge: a live listener and one for replay.</summary>
    public static EdgeOptions EdgeOptions(long spoolLimit, int batchDelay) => new(
        [Listener("live", ListenerMode.Live), Listener("replay", ListenerMode.Replay)], spoolLimit, 5, batchDelay);

    private static SyslogListener Listener(string name, ListenerMode mode) =>
        new(name, SyslogProtocol.Tcp, new(IPAddress.Loopback, 0), mode, 8 * 1024, 0, [], 16);
}
