using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Massif.Cli.Demo;

namespace Massif.Cli.Commands;

/// <summary><c>massif demo</c>: a whole domain on this machine, with faults, watched live.</summary>
internal static class DemoCommand
{
    private const int RateMax = 10_000_000;
    private const int SecondsMax = 7 * 24 * 3600;

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var input = new Option<string[]>("--input")
        {
            Description = "A log file to replay: RFC 3164, RFC 5424 or bare lines. Repeatable; one file after another. " +
                "- is standard input. Without it: samples/, once, at 100/s.",
            HelpName = "FILE",
            AllowMultipleArgumentsPerToken = true,
        };
        var rate = new Option<int?>("--rate") { Description = "Events per second. Default: as fast as they are accepted.", HelpName = "N" };
        var seconds = new Option<int?>("--seconds") { Description = "Send for so long at most, then end.", HelpName = "N" };
        var plain = new Option<bool>("--plain")
        {
            Description = "Print lines instead of a live table; also whenever the output is no terminal.",
        };
        var noFaults = new Option<bool>("--no-faults") { Description = "Kill nothing and let no relay misbehave." };
        var json = new Option<bool>("--json")
        {
            Description = "Print one JSON object at the end on standard output, everything else on standard error.",
        };
        var keep = new Option<bool>("--keep")
        {
            Description = "Keep the directory with configuration, data and logs of all nodes, and print where it is.",
        };
        var command = new Command(
            "demo",
            "Run a whole domain on this machine, with faults, and watch it. 4 replicas, 2 relays and 1 edge, each a process of its own; " +
            "log lines are replayed, a replica is killed, a relay turns bad, the replica comes back, and nothing is lost, forged or " +
            "reordered.\n\n" +
            "Exit code 0: every promise was kept. 1: one was broken. 2: wrong arguments.")
        {
            input, rate, seconds, plain, noFaults, json, keep,
        };
        InRange(command, rate, 1, RateMax);
        InRange(command, seconds, 1, SecondsMax);
        command.SetAction((parse, cancel) => RunAsync(
            new()
            {
                Inputs = parse.GetValue(input) ?? [],
                Rate = parse.GetValue(rate),
                Seconds = parse.GetValue(seconds),
                Plain = parse.GetValue(plain) || Console.IsOutputRedirected,
                NoFaults = parse.GetValue(noFaults),
                Json = parse.GetValue(json),
                Keep = parse.GetValue(keep),
            },
            cancel));
        return command.WithExamples(
            "massif demo                                        # the samples, with faults; stays up until Ctrl-C",
            "massif demo --input /var/log/auth.log --no-faults  # your own lines, as fast as they are accepted",
            "massif demo --input auth.log --rate 5000 --json    # for scripts: one JSON object on standard output",
            "massif demo --seconds 20 --plain                   # without a live table");
    }

    private static void InRange(Command command, Option<int?> option, int min, int max) => command.Validators.Add(result =>
    {
        // What is no number at all is told by the parser.
        if (result.GetResult(option)?.Tokens is [var token, ..]
            && int.TryParse(token.Value, NumberStyles.Integer, CultureInfo.InvariantCulture, out var value)
            && (value < min || value > max))
            result.AddError($"{option.Name} is {value}; allowed: {min} to {max}.");
    });

    private static async Task<int> RunAsync(DemoRequest request, CancellationToken cancel)
    {
        // A closed terminal ends the demonstration like Ctrl-C: nothing is left running.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
        {
            context.Cancel = true;
            stop.Cancel();
        });
        return await DemoRun.RunAsync(request, stop.Token);
    }
}
