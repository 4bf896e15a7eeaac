using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Massif.Simulation;

namespace Massif.Cli.Commands;

/// <summary>`massif simulate`: runs whole groups under a seeded scheduler and looks for broken promises.</summary>
internal static class SimulateCommand
{
    private const int ReplicasMin = 4;
    private const int ReplicasMax = 16;
    private const long SeedsMax = 100_000_000;

    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var world = new Option<string>("--world")
        {
            HelpName = "NAME",
            Description = $"What to simulate: {string.Join(" or ", Worlds.Names)}.",
            DefaultValueFactory = _ => Worlds.Names[0],
        };
        var replicas = new Option<int>("--replicas")
        {
            HelpName = "N",
            Description = $"Number of replicas, {ReplicasMin} to {ReplicasMax}.",
            DefaultValueFactory = _ => 4,
        };
        var seeds = new Option<long>("--seeds")
        {
            HelpName = "N",
            Description = "How many seeds to run.",
            DefaultValueFactory = _ => 1_000,
        };
        var from = new Option<ulong>("--from") { HelpName = "SEED", Description = "The first seed.", DefaultValueFactory = _ => 0 };
        var trace = new Option<bool>("--trace") { Description = "Print everything that happens on standard error; for one seed." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object on standard output." };
        var command = new Command(
            "simulate",
            "Run whole groups in virtual time, with faults and liars drawn from a seed, and check every promise. Exit code 0: every " +
            "invariant held. 1: one was broken, and the line that replays it is printed. 2: wrong arguments.")
        {
            world, replicas, seeds, from, trace, json,
        };
        command.SetAction((parse, cancel) => Task.FromResult(Run(
            new(
                parse.GetValue(world)!,
                parse.GetValue(replicas),
                parse.GetValue(seeds),
                parse.GetValue(from),
                parse.GetValue(trace),
                parse.GetValue(json)),
            cancel)));
        return command.WithExamples(
            "massif simulate --world protocol --replicas 4 --seeds 4000",
            "massif simulate --world domain --seeds 300",
            "massif simulate --world protocol --replicas 7 --seeds 1 --from 1234 --trace   # one seed, everything that happens");
    }

    private static int Run(Request request, CancellationToken cancel)
    {
        if (request.Mistake() is { } mistake)
        {
            Console.Error.WriteLine(mistake);
            Console.Error.WriteLine("Try: massif simulate --help");
            return ExitCodes.Usage;
        }

        var watch = Stopwatch.StartNew();
        var run = Worlds.Find(request.World, request.Replicas, request.Trace ? Console.Error.WriteLine : null);
        try
        {
            var outcome = SeedRunner.Run(run, request.From, request.Seeds, new Progress(request.Seeds, watch).Report, cancel: cancel);
            Print(request, outcome, watch.Elapsed);
            return outcome.Failure is null ? ExitCodes.Ok : ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Stopped before the end; what ran so far found nothing.");
            return ExitCodes.Failed;
        }
    }

    private static void Print(Request request, RangeOutcome outcome, TimeSpan elapsed)
    {
        var replay = outcome.Failure is { } failed ? Worlds.ReplayLine(request.World, request.Replicas, failed.Seed) : null;
        if (request.Json)
        {
            var result = new
            {
                world = request.World,
                replicas = request.Replicas,
                from = request.From,
                seeds = outcome.Seeds,
                events = outcome.Events,
                delivered = outcome.Delivered,
                seconds = Math.Round(elapsed.TotalSeconds, 3),
                hash = outcome.Hash.ToString(),
                failure = outcome.Failure is { } f ? new { seed = f.Seed, invariant = f.Property, detail = f.Detail, replay } : null,
            };
            Console.Out.WriteLine(JsonSerializer.Serialize(result, Readable));
            return;
        }

        var culture = CultureInfo.InvariantCulture;
        if (outcome.Failure is { } failure)
        {
            Console.Out.WriteLine(string.Create(culture, $"Broken: {failure.Property} at seed {failure.Seed}. {failure.Detail}"));
            Console.Out.WriteLine($"Replay: {replay}");
        }

        Console.Out.WriteLine(string.Create(
            culture,
            $"{outcome.Seeds:N0} seeds of world {request.World} with {request.Replicas} replicas in {elapsed.TotalSeconds:F1} s, " +
            $"{outcome.Events:N0} events, {outcome.Delivered:N0} deliveries, " +
            $"{(outcome.Failure is null ? "every invariant held" : "one broken")}."));
        Console.Out.WriteLine($"Trace hash {outcome.Hash}");
    }

    private sealed record Request(string World, int Replicas, long Seeds, ulong From, bool Trace, bool Json)
    {
        public string? Mistake() =>
            !Worlds.Names.Contains(World) ? $"--world is {World}; allowed: {string.Join(", ", Worlds.Names)}."
            : Replicas is < ReplicasMin or > ReplicasMax ? $"--replicas is {Replicas}; allowed: {ReplicasMin} to {ReplicasMax}."
            : Seeds is < 1 or > SeedsMax ? $"--seeds is {Seeds}; allowed: 1 to {SeedsMax}."
            : Trace && Seeds != 1 ? "--trace needs --seeds 1."
            : null;
    }

    /// <summary>Says how far it is, from the third second on and then every two seconds.</summary>
    private sealed class Progress(long seeds, Stopwatch watch)
    {
        private const long EveryMilliseconds = 2_000;
        private long _next = EveryMilliseconds;

        public void Report(long done)
        {
            var (now, next) = (watch.ElapsedMilliseconds, Interlocked.Read(ref _next));
            if (now < next || Interlocked.CompareExchange(ref _next, now + EveryMilliseconds, next) != next) return;
            Console.Error.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{done:N0} of {seeds:N0} seeds, {done * 1000.0 / now:N0} per second"));
        }
    }
}
