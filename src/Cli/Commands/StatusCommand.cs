using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Massif.Client;

namespace Massif.Cli.Commands;

/// <summary><c>massif status</c>: how the replicas stand to each other.</summary>
internal static partial class StatusCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var domain = OperatorAccess.DomainOption();
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var command = new Command(
            "status",
            "Ask all replicas how far they are. Streams are compared at the highest batch that f+1 replicas have; who is behind, " +
            "differs or is silent is named. Process ids, counters and the like are each replica's own word. Exit code 0: at most f " +
            "replicas are silent or differ, and f+1 agree about every stream. 1: not so. 2: wrong arguments or configuration.")
        {
            domain, json,
        };
        command.SetAction((parse, cancel) => RunAsync(parse, parse.GetValue(domain)!, parse.GetValue(json), cancel));
        return command.WithExamples("massif status --domain /etc/massif", "massif status --json | jq .agreed");
    }

    private static async Task<int> RunAsync(ParseResult parse, string directory, bool json, CancellationToken cancel)
    {
        if (!OperatorAccess.TryOpen(directory, parse, out var options)) return ExitCodes.Usage;
        using var client = new VotingClient(options);
        var status = await client.GetStatusAsync(cancel);
        if (json) await parse.InvocationConfiguration.Output.WriteLineAsync(status.ToJson());
        else Print(parse, status);
        return status.Agreed ? ExitCodes.Ok : ExitCodes.Failed;
    }

    private static void Print(ParseResult parse, DomainStatus status)
    {
        var output = parse.InvocationConfiguration.Output;
        output.WriteLine(
            Output.Printable($"Domain {status.Domain}: {status.Replicas.Count} replicas, f = {status.Faults}: {Verdict(status)}"));
        output.WriteLine();
        Replicas(status).Print(parse);
        if (status.Streams.Count > 0)
        {
            output.WriteLine();
            Streams(status).Print(parse);
        }

        foreach (var line in Troubles(status)) output.WriteLine(Output.Printable(line));
    }

    private static string Verdict(DomainStatus status)
    {
        if (status.Agreed) return "agreed";
        var away = status.Replicas.Where(replica => replica.State is ReplicaState.Silent or ReplicaState.Differs)
            .Select(replica => $"{replica.Id} {Output.Word(replica.State)}").ToArray();
        return away.Length > status.Faults
            ? $"NOT AGREED ({string.Join(", ", away)}; at most {status.Faults} may be)"
            : $"NOT AGREED (fewer than {status.Faults + 1} replicas say the same of a stream)";
    }

    private static TextTable Replicas(DomainStatus status)
    {
        var table = new TextTable("REPLICA", "STATE", "PID", "START", "EPOCH", "VOTE LOG", "EVENTS", "ALARMS", "JOURNAL", "LINKS", "NOTE");
        foreach (var replica in status.Replicas)
        {
            var said = replica.Report;
            table.Row(
                replica.Id,
                new(Output.Word(replica.State), Output.ColourOf(Output.Word(replica.State))),
                Number(said?.ProcessId),
                Number(said?.StartCounter),
                Number(said?.Epoch),
                new(said?.VoteLog ?? "-", Output.ColourOf(said?.VoteLog ?? "")),
                Number(said?.EventsDelivered),
                Number(said?.Alarms),
                said is null ? "-" : Bytes(said.JournalBytes),
                said is null ? "-" : $"{said.Peers.Count(peer => peer.Up)}/{said.Peers.Count}",
                replica.Note ?? "");
        }

        return table;
    }

    private static TextTable Streams(DomainStatus status)
    {
        var table = new TextTable("EDGE", "CLASS", "INCARNATION", "BATCH", "CHAINED DIGEST", "AGREEING");
        foreach (var stream in status.Streams)
        {
            table.Row(
                stream.Edge,
                stream.Class == 0 ? "bulk" : "urgent",
                stream.Incarnation,
                Number(stream.Seq),
                stream.Digest is { Length: > 16 } digest ? digest[..16] : "-",
                string.Join(' ', stream.Agreeing));
        }

        return table;
    }

    private static IEnumerable<string> Troubles(DomainStatus status)
    {
        foreach (var replica in status.Replicas)
        {
            if (replica.Report is not { } said) continue;
            if (said.VoteLog == "lost")
                yield return $"{replica.Id}: lost its vote log; it sends no ECHO in epoch {said.Epoch}, " +
                    "but delivers and serves what it has";
            if (said.DiskTrouble is { } trouble) yield return $"{replica.Id}: the disk takes nothing new: {trouble}";
            if (said.Peers.Where(peer => !peer.Up).Select(peer => peer.Id).ToArray() is { Length: > 0 } down)
                yield return $"{replica.Id}: no link to {string.Join(", ", down)}";
            var reasons = said.Reasons.Where(reason => reason.Count > 0)
                .Select(reason => $"{InWords(reason.Reason)} {Number(reason.Count)}").ToArray();
            if (reasons.Length > 0) yield return $"{replica.Id}: noticed {string.Join(", ", reasons)}";
        }
    }

    /// <summary>
    /// Returns a counter's name for people: <c>massif_path_faults_total{path="direct",reason="replayed"}</c> is
    /// <c>path faults (direct, replayed)</c>.
    /// </summary>
    internal static string InWords(string counter)
    {
        if (CounterForm().Match(counter) is not { Success: true } form) return counter.Replace('_', ' ');
        var labels = LabelForm().Matches(form.Groups[2].Value).Select(label => label.Groups[1].Value);
        return $"{form.Groups[1].Value.Replace('_', ' ')} ({string.Join(", ", labels).Replace('_', ' ')})";
    }

    [GeneratedRegex("^massif_(.+?)(?:_total)?\\{(.*)\\}$")]
    private static partial Regex CounterForm();

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex LabelForm();

    private static string Number(IFormattable? number) => number?.ToString(null, CultureInfo.InvariantCulture) ?? "-";

    private static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576.0:0.0} MiB");
}
