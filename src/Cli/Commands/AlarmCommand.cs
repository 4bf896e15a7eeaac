using System.CommandLine;
using System.Globalization;
using Massif.Client;

namespace Massif.Cli.Commands;

/// <summary><c>massif alarm</c>: alarms that f+1 replicas made.</summary>
internal static class AlarmCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var command = new Command("alarm", "Look at the alarms of the domain: those that f+1 replicas tell alike, byte for byte.");
        command.Add(CreateList());
        command.Add(CreateShow());
        return command.WithExamples(
            "massif alarm ls",
            "massif alarm show 1db601c05fddf3397da4a6b9d3dacdb2             # 32 hex digits, as ls prints them");
    }

    /// <summary>Returns an alarm as one line: last event time, severity, rule, key, count, id.</summary>
    public static string Line(AlarmInfo alarm) => string.Create(
        CultureInfo.InvariantCulture,
        $"{alarm.Last} {alarm.Severity} {alarm.Rule} {Key(alarm)} count={alarm.Count} {alarm.Id}");

    private static Command CreateList()
    {
        var domain = OperatorAccess.DomainOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object a line, byte for byte as the replicas sent it." };
        var command = new Command("ls", "List the alarms, oldest first. Exit code 1: fewer than f+1 replicas answered.") { domain, json };
        command.SetAction((parse, cancel) => ListAsync(parse, parse.GetValue(domain)!, parse.GetValue(json), cancel));
        return command.WithExamples("massif alarm ls --domain /etc/massif", "massif alarm ls --json | jq .key");
    }

    private static Command CreateShow()
    {
        var id = new Argument<string>("ID") { Description = "The alarm's id, 32 hex digits." };
        id.Validators.Add(result =>
        {
            if (result.Tokens is not [{ Value: { Length: 32 } text }] || !text.All(char.IsAsciiHexDigitLower))
                result.AddError("an alarm's id has 32 hex digits");
        });
        var domain = OperatorAccess.DomainOption();
        var json = new Option<bool>("--json")
        {
            Description = "Print the alarm and its events as JSON, one object a line, byte for byte as the replicas sent them.",
        };
        var command = new Command(
            "show",
            "Show an alarm with the events that it was made of, each as f+1 replicas tell it. Exit code 1: f+1 replicas do not tell " +
            "the alarm alike.")
        {
            id, domain, json,
        };
        command.SetAction((parse, cancel) => ShowAsync(parse, parse.GetValue(id)!, parse.GetValue(domain)!, parse.GetValue(json), cancel));
        return command.WithExamples("massif alarm show $(massif alarm ls --json | jq -r .id | tail -n 1)");
    }

    private static async Task<int> ListAsync(ParseResult parse, string directory, bool json, CancellationToken cancel)
    {
        if (!OperatorAccess.TryOpen(directory, parse, out var options)) return ExitCodes.Usage;
        using var client = new VotingClient(options);
        var list = await client.GetAlarmsAsync(cancel);
        var output = parse.InvocationConfiguration.Output;
        if (json)
        {
            foreach (var alarm in list.Alarms) await output.WriteLineAsync(Output.Json(parse, alarm.Json));
        }
        else if (list.Alarms.Count > 0)
        {
            var table = new TextTable("LAST", "SEVERITY", "RULE", "KEY", "COUNT", "EDGE", "ID");
            foreach (var alarm in list.Alarms)
            {
                var count = alarm.Count.ToString(CultureInfo.InvariantCulture);
                table.Row(
                    alarm.Last,
                    new(alarm.Severity, Output.ColourOf(alarm.Severity)),
                    alarm.Rule,
                    Key(alarm),
                    count,
                    alarm.Edge,
                    alarm.Id);
            }

            table.Print(parse);
        }
        else if (list.Answered)
        {
            await output.WriteLineAsync("No alarms.");
        }

        Output.Notes(parse, list.Replicas);
        var error = parse.InvocationConfiguration.Error;
        if (list.Unconfirmed.Count > 0)
        {
            await error.WriteLineAsync(
                $"{list.Unconfirmed.Count} more that fewer than {options.OneCorrect} replicas have: on their way, or invented.");
        }

        if (list.Answered) return ExitCodes.Ok;
        await error.WriteLineAsync($"Fewer than {options.OneCorrect} replicas answered: nothing can be said.");
        return ExitCodes.Failed;
    }

    private static async Task<int> ShowAsync(ParseResult parse, string id, string directory, bool json, CancellationToken cancel)
    {
        if (!OperatorAccess.TryOpen(directory, parse, out var options)) return ExitCodes.Usage;
        using var client = new VotingClient(options);
        var detail = await client.GetAlarmAsync(id, cancel);
        var (output, error) = (parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error);
        if (detail.Alarm is not { } alarm)
        {
            await error.WriteLineAsync($"{id}: {detail.Trouble}");
            return ExitCodes.Failed;
        }

        await output.WriteLineAsync(json ? Output.Json(parse, alarm.Json) : Describe(alarm));
        foreach (var one in detail.Events)
            await output.WriteLineAsync(json ? Output.Json(parse, one) : $"  {TailCommand.EventLine(one, asRulesSeeIt: true)}");
        foreach (var missing in detail.Missing)
            await error.WriteLineAsync($"{missing}: f+1 replicas do not tell it alike, or have it no more");
        if (alarm.EventsOmitted > 0) await error.WriteLineAsync($"{alarm.EventsOmitted} more events are counted and not listed.");
        return ExitCodes.Ok;
    }

    private static string Describe(AlarmInfo alarm) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        {Output.Printable(alarm.Title)}
        id        {alarm.Id}
        rule      {alarm.Rule}, severity {alarm.Severity}
        key       {Key(alarm)}
        edge      {alarm.Edge}
        first     {alarm.First}
        last      {alarm.Last}
        count     {alarm.Count}
        events:
        """);

    private static string Key(AlarmInfo alarm) =>
        string.Join(' ', alarm.Key.Select(field => $"{field.Key}={Output.Printable(field.Value)}"));
}
