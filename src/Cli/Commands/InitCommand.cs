using System.CommandLine;
using System.Globalization;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary><c>massif init</c>: makes the directory of a new domain.</summary>
internal static class InitCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var defaults = new DomainMakerOptions { RulesText = "" };
        var directory = new Argument<string>("DIR") { Description = "A new or an empty directory." };
        directory.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: "" }]) result.AddError("DIR is empty.");
        });
        var name = new Option<string>("--name")
        {
            HelpName = "NAME",
            Description = "Name of the domain; it is in every certificate.",
            DefaultValueFactory = _ => defaults.Name,
        };
        var replicas = Number("--replicas", "Number of core replicas, n >= 3f + 1.", "N", defaults.Replicas);
        var edges = Number("--edges", "Number of edges.", "N", defaults.Edges);
        var relays = Number("--relays", "Number of relays; each adds a path from every edge to every replica.", "N", defaults.Relays);
        var faults = new Option<int?>("--faults")
        {
            Description = "f, Byzantine replicas tolerated. Default: as many as n allows.",
            HelpName = "F",
        };
        var pathFaults = new Option<int?>("--path-faults")
        {
            Description = "t, faulty paths tolerated. Default: as many as the relays allow.",
            HelpName = "T",
        };
        var address = new Option<string[]>("--address")
        {
            Description = "Host name or IP address of all nodes (HOST), or of one (ID=HOST). Repeatable.",
            HelpName = "[ID=]HOST",
            DefaultValueFactory = _ => [defaults.Address],
        };
        var bus = Port("--bus-port", "First port of the bus; each core and relay takes the next.", defaults.BusPort);
        var api = Port("--api-port", "First port of the read API; each core takes the next.", defaults.ApiPort);
        var http = Port("--http-port", "First loopback port of health and metrics; each node takes the next.", defaults.HttpPort);
        var syslog = Port(
            "--syslog-port", "Syslog port (UDP and TCP) of the first edge; each further edge takes the next but one.", defaults.SyslogPort);
        var replay = Port("--replay-port", "Replay port of the first edge; each further edge takes the next but one.", defaults.ReplayPort);
        var days = Number("--days", "Validity of the certificates.", "DAYS", defaults.CertificateDays);
        var command = new Command(
            "init",
            "Make a new domain with its own CA. Writes its description, and a directory with certificate, key and settings for each " +
            "node and for the operator. Copy DIR/nodes/ID to the machine of node ID. Keep DIR/ca.key off the nodes: whoever has it can " +
            "make operators; it cannot be a node, whose keys domain.yaml pins.")
        {
            directory, name, replicas, edges, relays, faults, pathFaults, address, bus, api, http, syslog, replay, days,
        };
        command.SetAction(parse =>
        {
            var (everyone, single) = Addresses(parse.GetValue(address)!);
            var path = parse.GetValue(directory)!;
            var options = new DomainMakerOptions
            {
                Name = parse.GetValue(name)!,
                Replicas = parse.GetValue(replicas),
                Edges = parse.GetValue(edges),
                Relays = parse.GetValue(relays),
                Faults = parse.GetValue(faults),
                PathFaults = parse.GetValue(pathFaults),
                Address = everyone ?? defaults.Address,
                Addresses = single,
                BusPort = parse.GetValue(bus),
                ApiPort = parse.GetValue(api),
                HttpPort = parse.GetValue(http),
                SyslogPort = parse.GetValue(syslog),
                ReplayPort = parse.GetValue(replay),
                CertificateDays = parse.GetValue(days),
                RulesText = ShippedRules.Text,
            };
            return Report.Errors([.. DomainMaker.Create(path, options).Select(AsOption)], parse)
                ?? Explain(path, parse.InvocationConfiguration.Output);
        });
        return command.WithExamples(
            "massif init /etc/massif                                          # 4 replicas, 2 relays, 1 edge on this machine",
            "massif init dom --replicas 7 --edges 20 --relays 4               # f = 2, t = 2",
            "massif init dom --address core1=10.0.1.1 --address core2=10.0.2.1 --address core3=10.0.3.1 --address core4=10.0.4.1");
    }

    /// <summary>A mistake in what will be a file is one of an option: the file is not there, and what the person typed is.</summary>
    private static ConfigError AsOption(ConfigError error) => error.Key switch
    {
        "replicas" or "edges" or "relays" or "name" => error with { File = $"--{error.Key}", Line = 0, Key = "" },
        "f" => error with { File = "--faults", Line = 0, Key = "" },
        "t" => error with { File = "--path-faults", Line = 0, Key = "" },
        "addresses" => error with { File = "--address", Key = "" },
        "certificate_days" => error with { File = "--days", Key = "" },
        _ => error,
    };

    private static Option<int> Port(string name, string description, int port)
    {
        var option = Number(name, description, "PORT", port);
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && int.TryParse(text, CultureInfo.InvariantCulture, out var asked)
                && asked is not (>= 1 and <= ushort.MaxValue))
            {
                result.AddError($"{name} is {asked}; allowed: 1 to {ushort.MaxValue}.");
            }
        });
        return option;
    }

    private static Option<int> Number(string name, string description, string helpName, int usual) => new(name)
    {
        Description = description,
        HelpName = helpName,
        DefaultValueFactory = _ => usual,
    };

    private static (string? Everyone, IReadOnlyDictionary<string, string> Single) Addresses(IEnumerable<string> values)
    {
        var (everyone, single) = ((string?)null, new Dictionary<string, string>(StringComparer.Ordinal));
        foreach (var value in values)
        {
            var equals = value.IndexOf('=', StringComparison.Ordinal);
            if (equals < 0) everyone = value;
            else single[value[..equals]] = value[(equals + 1)..];
        }

        return (everyone, single);
    }

    private static string Several(int count, string what) => count == 1 ? $"1 {what}" : $"{count} {what}s";

    private static int Explain(string path, TextWriter output)
    {
        var (domain, _) = Domain.Load(Path.Combine(path, "domain.yaml"));
        output.WriteLine(
            $"Made domain \"{domain!.Name}\" in {path}: {domain.Replicas.Count} replicas (f = {domain.Quorums.Faults}), " +
            $"{Several(domain.Relays.Count, "relay")} (t = {domain.PathFaults}), {Several(domain.Edges.Count, "edge")}.");
        output.WriteLine("Next, each node on its machine, with its own directory copied there:");
        foreach (var node in domain.Nodes)
            output.WriteLine($"  massif {node.Role.ToString().ToLowerInvariant()} -c {Path.Combine(path, "nodes", node.Id, "node.yaml")}");
        output.WriteLine($"Keep {Path.Combine(path, "ca.key")} off the nodes. See how the domain stands with:");
        output.WriteLine($"  massif status --domain {path}");
        return ExitCodes.Ok;
    }
}
