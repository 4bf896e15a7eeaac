using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Massif.Reb.Storage;

namespace Massif.Reb.Configuration;

/// <summary>Reads <c>node.yaml</c> and checks what can be seen in it alone.</summary>
internal static partial class NodeOptionsReader
{
    private const long Mebibyte = 1024 * 1024;
    private const long LimitMebibytesMax = 1024 * 1024 * 1024; // 1 EiB would overflow nothing; 1 PiB is more than a node has.

    private const string ListenForm = "ADDRESS:PORT, as in 127.0.0.1:5514 or [::]:5514";

    /// <summary>
    /// Reads the map. Where something was wrong the options hold harmless values, so that the paths that are right can
    /// be checked in the same round.
    /// </summary>
    public static NodeOptions Read(YamlMap map, ConfigErrors errors)
    {
        var before = errors.Count;
        var directory = Path.GetDirectoryName(Path.GetFullPath(map.File)) ?? "/";
        string FullPath(string key, string fallback) => Path.GetFullPath(map.Text(key, fallback), directory);

        var role = map.EnumOrNull<NodeRole>("role");
        if (role == NodeRole.Edge) map.Refuse("bus", "an edge only dials; it has no bus listener");
        if (role is not (NodeRole.Edge or null)) map.Refuse("edge", "only an edge has this section");
        if (role is not (NodeRole.Core or null)) map.Refuse("core", "only a core has this section");

        var bus = map.Map("bus", required: role is NodeRole.Relay or NodeRole.Core);
        var http = map.Map("http");
        var edge = map.Map("edge", required: role == NodeRole.Edge);
        var core = map.Map("core", required: role == NodeRole.Core);
        var options = new NodeOptions
        {
            Id = map.Text("id", pattern: DomainReader.Name(), allowed: DomainReader.NameForm),
            Role = role ?? NodeRole.Edge,
            DomainFile = FullPath("domain", "domain.yaml"),
            DataDirectory = FullPath("data", "data"),
            CertificateFile = FullPath("certificate", "cert.pem"),
            KeyFile = FullPath("key", "key.pem"),
            CaFile = FullPath("ca", "ca.pem"),
            Durability = map.Enum<Durability>("durability", Durability.Power),
            LogLevel = map.Enum<LogThreshold>("log_level", LogThreshold.Information),
            BusListen = bus is null ? null : Listen(bus, "listen"),
            HttpListen = http is null ? new(IPAddress.Loopback, 1) : Loopback(http, "listen"),
            Edge = edge is null ? null : Edge(edge),
            Core = core is null ? null : Core(core, directory),
        };
        bus?.End();
        http?.End();
        map.End();
        if (errors.Count == before) CheckPorts(map, options);
        return options;
    }

    private static EdgeOptions Edge(YamlMap map)
    {
        var options = new EdgeOptions(
            [.. map.Maps("syslog", 1, 64).Select(Syslog)],
            map.Integer("spool_limit_mib", 1, LimitMebibytesMax, 10 * 1024) * Mebibyte,
            (int)map.Integer("stop_at_free_percent", 0, 50, 5),
            (int)map.Integer("batch_delay_ms", 1, 1_000, 5),
            map.Integer("partial_frames_mib", 1, 4_096, EdgeOptions.PartialFrameBytesDefault / Mebibyte) * Mebibyte);
        map.End();

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var listener in options.Syslog)
        {
            if (listener.Name.Length > 0 && !names.Add(listener.Name))
                map.Error("syslog", $"\"{listener.Name}\" is the name of two listeners");
        }

        return options;
    }

    private static SyslogListener Syslog(YamlMap map)
    {
        var protocol = map.EnumOrNull<SyslogProtocol>("protocol");
        if (protocol == SyslogProtocol.Udp) map.Refuse("max_connections", "UDP has no connections");
        var listener = new SyslogListener(
            map.Text("name", pattern: DomainReader.Name(), allowed: DomainReader.NameForm),
            protocol ?? SyslogProtocol.Udp,
            Listen(map, "address"),
            map.Enum<ListenerMode>("mode", ListenerMode.Live),
            (int)map.Integer("max_message_bytes", 480, 128 * 1024, 64 * 1024), // RFC 5424 section 6.1; above, it fills a batch.
            map.Value("default_timezone", Timezone, "+HH:MM or -HH:MM, -14:00 to +14:00", required: false) ?? 0,
            map.Has("allowed_senders")
                ? map.Values("allowed_senders", Network, "a network such as 10.0.0.0/8, or one address", 1, 256)
                : Everyone,
            (int)map.Integer("max_connections", 1, 100_000, 1_000));
        _ = map.List("allowed_senders", 0, 256);
        map.End();
        return listener;
    }

    private static IReadOnlyList<IPNetwork> Everyone { get; } = [IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")];

    private static CoreOptions Core(YamlMap map, string directory)
    {
        var rules = map.Text("rules");
        var options = new CoreOptions(
            Listen(map, "api_listen"),
            rules.Length == 0 ? "" : Path.GetFullPath(rules, directory),
            map.Integer("journal_limit_mib", 16, LimitMebibytesMax, 10 * 1024) * Mebibyte,
            (int)map.Integer("stop_at_free_percent", 0, 50, 5));
        map.End();
        return options;
    }

    private static IPEndPoint Listen(YamlMap map, string key)
    {
        return map.Value(key, EndPoint, ListenForm) ?? new(IPAddress.Loopback, 1);

        static IPEndPoint? EndPoint(string text) =>
            HostPort.TryParse(text, out var value) && value.Address is { } ip ? new(ip, value.Port) : null;
    }

    // Health and metrics have no authentication, so they never leave the machine.
    private static IPEndPoint Loopback(YamlMap map, string key)
    {
        var address = Listen(map, key);
        if (!IPAddress.IsLoopback(address.Address))
            map.Error(key, $"is \"{address}\"; health and metrics are not authenticated", "a loopback address");
        return address;
    }

    private static void CheckPorts(YamlMap map, NodeOptions options)
    {
        var taken = new List<(bool Udp, IPEndPoint Address, string Name)>();
        void Take(bool udp, IPEndPoint? address, string name)
        {
            if (address is null) return;
            foreach (var other in taken.Where(other => other.Udp == udp && Collide(other.Address, address)))
            {
                var port = string.Create(CultureInfo.InvariantCulture, $"{(udp ? "UDP" : "TCP")} port {address.Port}");
                map.Error(name.Split('.')[0], $"{name} and {other.Name} both listen on {port}");
            }

            taken.Add((udp, address, name));
        }

        Take(false, options.BusListen, "bus.listen");
        Take(false, options.HttpListen, "http.listen");
        Take(false, options.Core?.ApiListen, "core.api_listen");
        foreach (var listener in options.Edge?.Syslog ?? [])
            Take(listener.Protocol == SyslogProtocol.Udp, listener.Address, $"edge.syslog {listener.Name}");
    }

    private static bool Collide(IPEndPoint a, IPEndPoint b) =>
        a.Port == b.Port && (a.Address.Equals(b.Address) || IsAny(a.Address) || IsAny(b.Address));

    private static bool IsAny(IPAddress address) => address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    private static IPNetwork? Network(string text)
    {
        if (IPNetwork.TryParse(text, out var network)) return network;
        return IPAddress.TryParse(text, out var one) ? new IPNetwork(one, one.GetAddressBytes().Length * 8) : null;
    }

    private static int? Timezone(string text)
    {
        var match = TimezoneForm().Match(text);
        if (!match.Success) return null;
        var hours = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        var minutes = (hours * 60) + int.Parse(match.Groups[3].ValueSpan, CultureInfo.InvariantCulture);
        return minutes > 14 * 60 ? null : match.Groups[1].Value == "-" ? -minutes : minutes;
    }

    [GeneratedRegex(@"^([+-])([01][0-9]):([0-5][0-9])\z")]
    private static partial Regex TimezoneForm();
}
