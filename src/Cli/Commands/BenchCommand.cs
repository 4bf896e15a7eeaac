using System.CommandLine;
using System.Globalization;
using Massif.Benchmarks;
using Massif.Cli.Demo;

namespace Massif.Cli.Commands;

/// <summary><c>massif bench</c>: how fast it is on this machine, beside what this machine can do at all.</summary>
internal static class BenchCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var only = new Option<string[]>("--only")
        {
            Description = $"Run only this: {string.Join(", ", Bench.Names)}. Repeatable.",
            HelpName = "NAME",
            AllowMultipleArgumentsPerToken = true,
        };
        var peer = new Option<string[]>("--peer")
        {
            Description = $"Measure an installed program too, with the same lines: {string.Join(", ", Bench.Peers)}.",
            HelpName = "PROGRAM",
            AllowMultipleArgumentsPerToken = true,
        };
        var seconds = new Option<int>("--seconds")
        {
            Description = "How long each value is measured, after a warm-up.",
            HelpName = "N",
            DefaultValueFactory = _ => 8,
        };
        var json = new Option<bool>("--json")
        {
            Description = "Print one JSON array on standard output: name, value, unit, cpu_us_per_event, limit, limited_by, ratio, " +
                "memory_mib, cpu_us_per_event_by_node.",
        };
        only.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !Bench.Names.Contains(token.Value)))
                result.AddError($"--only is {token.Value}; allowed: {string.Join(", ", Bench.Names)}.");
        });
        peer.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => !Bench.Peers.Contains(token.Value)))
                result.AddError($"--peer is {token.Value}; allowed: {string.Join(", ", Bench.Peers)}.");
        });
        seconds.Validators.Add(result =>
        {
            // What is no number at all is told by the parser.
            if (result.Tokens is [var token] && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
                && value is < BenchRequest.SecondsMin or > BenchRequest.SecondsMax)
                result.AddError($"--seconds is {token.Value}; allowed: {BenchRequest.SecondsMin} to {BenchRequest.SecondsMax}.");
        });
        var command = new Command(
            "bench",
            "Measure Massif on this machine, beside what the machine can do at all. Nodes are real processes on loopback ports; memory " +
            "copy, SHA-256, loopback TCP and TLS 1.3 are measured in the same run. Everything is removed afterwards.")
        {
            only, peer, seconds, json,
        };
        command.SetAction((parse, cancel) =>
        {
            var request = new BenchRequest
            {
                Only = parse.GetValue(only) ?? [],
                Peers = parse.GetValue(peer) ?? [],
                Seconds = parse.GetValue(seconds),
                RulesText = ShippedRules.Text,
                Launch = (id, arguments, logFile) => new NodeProcess(id, arguments, logFile),
                Progress = parse.InvocationConfiguration.Error.WriteLine,
            };
            return RunAsync(parse, request, parse.GetValue(json), cancel);
        });
        return command.WithExamples(
            "massif bench                                  # everything, about four minutes",
            "massif bench --only parse --only ingest       # the edge alone",
            "massif bench --only ingest --peer rsyslog     # the edge beside an installed rsyslog",
            "massif bench --only whole-way --seconds 30 --json");
    }

    private static async Task<int> RunAsync(ParseResult parse, BenchRequest request, bool json, CancellationToken cancel)
    {
        var error = parse.InvocationConfiguration.Error;
        try
        {
            var rows = await Bench.RunAsync(request, cancel);
            if (json) await parse.InvocationConfiguration.Output.WriteLineAsync(BenchRow.ToJson(rows));
            else Print(parse, rows);
            return ExitCodes.Ok;
        }
        catch (BenchException failure)
        {
            await error.WriteLineAsync($"massif bench: {failure.Message}");
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            await error.WriteLineAsync("massif bench: stopped");
            return ExitCodes.Failed;
        }
    }

    private static void Print(ParseResult parse, IReadOnlyList<BenchRow> rows)
    {
        var table = new TextTable("WHAT", "VALUE", "UNIT", "CPU us/event", "LIMIT", "RATIO", "LIMITED BY", "MEMORY MiB (most)");
        foreach (var row in rows)
        {
            table.Row(
                row.Name,
                Text(row.Value),
                row.Unit,
                row.CpuMicrosecondsPerEvent is { } cpu ? cpu.ToString("F2", CultureInfo.InvariantCulture) : "",
                row.Limit is { } limit ? Text(limit) : "",
                row.Ratio is { } ratio ? ratio.ToString("P0", CultureInfo.InvariantCulture) : "",
                row.LimitedBy ?? "",
                string.Join(
                    ' ',
                    row.MemoryMebibytes.Select(node => string.Create(CultureInfo.InvariantCulture, $"{node.Key}={node.Value:F0}"))));
        }

        table.Print(parse);
    }

    private static string Text(double value) => value.ToString(value < 100 ? "0.##" : "N0", CultureInfo.InvariantCulture);
}
