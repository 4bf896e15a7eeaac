using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Massif.Client;

namespace Massif.Cli.Commands;

/// <summary><c>massif tail</c>: follows events or alarms.</summary>
internal static class TailCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var what = new Argument<string>("WHAT") { Description = "events or alarms.", DefaultValueFactory = _ => "events" };
        what.AcceptOnlyFromAmong("events", "alarms");
        var domain = OperatorAccess.DomainOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line, byte for byte as the replicas sent it." };
        var count = new Option<long?>("--count") { Description = "End after that many.", HelpName = "N" };
        count.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && long.TryParse(text, CultureInfo.InvariantCulture, out var wanted) && wanted < 1)
                result.AddError($"--count is {wanted}; allowed: 1 or more.");
        });
        var command = new Command(
            "tail",
            "Follow what happens. Each event or alarm is printed once, as soon as f+1 replicas have sent identical bytes for it; the " +
            "events of one stream in their order. What happens to replicas is told on standard error. Ctrl-C ends it.")
        {
            what, domain, json, count,
        };
        command.SetAction((parse, cancel) => RunAsync(
            parse,
            parse.GetValue(what) == "alarms" ? TailKind.Alarms : TailKind.Events,
            parse.GetValue(domain)!,
            parse.GetValue(json),
            parse.GetValue(count),
            cancel));
        return command.WithExamples(
            "massif tail                              # events of the domain described in this directory",
            "massif tail alarms --json --count 1      # wait for the next alarm");
    }

    private static async Task<int> RunAsync(
        ParseResult parse, TailKind kind, string directory, bool json, long? count, CancellationToken cancel)
    {
        if (!OperatorAccess.TryOpen(directory, parse, out var options)) return ExitCodes.Usage;
        using var client = new VotingClient(options);
        var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
        long printed = 0;
        try
        {
            await foreach (var entry in client.TailAsync(kind, cancel))
            {
                if (entry.Json is null)
                {
                    await error.WriteLineAsync($"{entry.Replica}: {Output.Printable(entry.News ?? "")}");
                    continue;
                }

                var line = kind == TailKind.Alarms ? AlarmCommand.Line(AlarmInfo.Parse(entry.Json)) : EventLine(entry.Json);
                await output.WriteLineAsync(json ? Output.Json(parse, entry.Json) : line);
                if (++printed == count) break;
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // Ctrl-C is how a tail ends.
        }

        return ExitCodes.Ok;
    }

    /// <summary>Returns an event as one line: time, edge, host, application, message.</summary>
    /// <param name="json">The event.</param>
    /// <param name="asRulesSeeIt">
    /// The time is that by which rules count: the edge's own, unless the event was replayed. Otherwise what the source claims.
    /// </param>
    public static string EventLine(string json, bool asRulesSeeIt = false)
    {
        using var document = JsonDocument.Parse(json);
        var fields = document.RootElement;
        string Text(string name) =>
            fields.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
                ? Output.Printable(value.GetString()!)
                : "-";
        var isReplayed = fields.TryGetProperty("tags", out var tags) && tags.ValueKind == JsonValueKind.Array
            && tags.EnumerateArray().Any(tag => tag.ValueEquals("replayed"));
        var time = asRulesSeeIt && !isReplayed ? "event.created" : "@timestamp";
        var process = Text("log.syslog.procid") is { } id and not "-" ? $"[{id}]" : "";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Text(time)} {Text("event.id").Split('/')[0]} " +
            $"{Text("host.name")} {Text("process.name")}{process}: {Text("message")}");
    }
}
