using System.Diagnostics;
using Spectre.Console;

namespace Massif.Cli.Demo;

/// <summary>One demonstration from beginning to end: domain, processes, lines, faults, audit, clean-up.</summary>
internal sealed class DemoRun : IDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan NoProgressTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan FaultTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    private readonly DemoRequest _request;
    private readonly IReadOnlyList<string> _files;
    private readonly DemoDomain _domain;
    private readonly DemoProcesses _processes = new();
    private readonly IDomainObserver _observer;
    private readonly DemoFeeder _feeder;
    private readonly DemoMonitor _monitor;
    private readonly FaultScript _script;
    private readonly IDemoView _view;
    private readonly long _planned;
    private readonly List<string> _troubles = [];

    private DemoRun(DemoRequest request, IReadOnlyList<string> files, long lines, DemoDomain domain, IDomainObserver observer, IDemoView view)
    {
        (_request, _files, _domain, _observer, _view) = (request, files, domain, observer, view);
        _planned = request.Planned(lines);
        _feeder = new(domain.ReplayListener, request.EffectiveRate, domain.LineBytesMax);
        _script = request.NoFaults
            ? FaultScript.None()
            : FaultScript.For(_planned, domain.Domain.Replicas[^1].Id, domain.Domain.Relays[0].Id);
        _monitor = new(domain, _processes, _observer, _feeder, _script, _planned);
    }

    /// <summary>Runs a demonstration and returns the exit code.</summary>
    public static async Task<int> RunAsync(DemoRequest request, CancellationToken cancel)
    {
        if (!TryFindInput(request, out var files, out var lines, out var mistake)) return Refuse(mistake);
        var directory = Directory.CreateTempSubdirectory("massif-demo-").FullName;
        var keep = true; // Whatever goes wrong, somebody will want to look.
        try
        {
            var (domain, errors) = DemoDomain.Create(directory);
            if (domain is null) return Refuse(string.Join(Environment.NewLine, errors));
            using var observer = new DomainObserver(domain);
            using var view = MakeView(request);
            DemoResult? result;
            using (var run = new DemoRun(request, files, lines, domain, observer, view)) result = await run.RunAsync(cancel);
            view.Dispose(); // The terminal is ours again before the last words.
            keep = request.Keep || result is { ExitCode: not ExitCodes.Ok };
            return Conclude(request, result);
        }
        catch (DemoFailedException failure)
        {
            await Console.Error.WriteLineAsync(failure.Message);
            return ExitCodes.Failed;
        }
        finally
        {
            if (keep) await Console.Error.WriteLineAsync($"Configuration, data and logs of all nodes: {directory}");
            else Remove(directory);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _processes.EndAll();
        _processes.Dispose();
        _monitor.Dispose();
        _feeder.Dispose();
    }

    private async Task<DemoResult?> RunAsync(CancellationToken cancel)
    {
        try
        {
            await StartAsync(cancel);
            using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var watch = WatchAsync(watching.Token);
            await FeedAsync(cancel);
            await DrainAsync(cancel);
            var result = await JudgeAsync(cancel);
            if (_request.EndsByItself is false) await StayAsync(result, cancel);
            await watching.CancelAsync();
            await watch;
            return result;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task StartAsync(CancellationToken cancel)
    {
        foreach (var node in _domain.Domain.Nodes)
        {
            var role = _domain[node.Id].Role.ToString().ToLowerInvariant();
            List<string> arguments = [role, "-c", _domain.NodeFile(node.Id), "--stop-with-input"];
            if (role == "relay" && !_request.NoFaults)
                arguments.AddRange(["--misbehave", "corrupt,delay,replay", "--misbehave-when", MisbehaveFile(node.Id)]);
            _processes.Add(node.Id, arguments, _domain.LogFile(node.Id)).Start();
        }

        var began = Stopwatch.StartNew();
        foreach (var node in _processes.All)
        {
            while (!await _observer.IsReadyAsync(node.Id, cancel))
            {
                if (node.Ended is { } how || began.Elapsed > StartTime)
                    throw new DemoFailedException($"{node.Id} did not start ({node.Ended ?? "no answer"}). The last it said:{Environment.NewLine}{node.LastWords()}");
                _view.Show(await _monitor.LookAsync(cancel));
                await Task.Delay(100, cancel);
            }
        }
    }

    private async Task FeedAsync(CancellationToken cancel)
    {
        _monitor.Phase = "replaying";
        try
        {
            var limit = _request.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
            await _feeder.RunAsync(InputLines.Read(_files), limit, BeginFaultsAsync, _script.Checkpoints, cancel);
        }
        catch (IOException e)
        {
            _troubles.Add($"the edge stopped taking lines after {_feeder.Sent}: {e.Message}");
        }

        async Task BeginFaultsAsync(long sent)
        {
            foreach (var fault in _script.Due(sent).ToList()) await BeginAsync(fault, cancel);
        }
    }

    private async Task BeginAsync(Fault fault, CancellationToken cancel)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                _processes[fault.Node].Kill();
                fault.Begin();
                await UntilAsync(async () => (await _monitor.LookAsync(cancel)).Faults.All(one => one != fault || one.Detected is not null), cancel);
                break;
            case FaultKind.Misbehave:
                await File.WriteAllTextAsync(MisbehaveFile(fault.Node), "", cancel);
                if (!await UntilAsync(() => _observer.IsMisbehavingAsync(fault.Node, cancel), cancel))
                    _troubles.Add($"{fault.Node} did not begin to misbehave");
                fault.Begin();
                break;
            default:
                _processes[fault.Node].Start();
                fault.Begin();
                break;
        }
    }

    /// <summary>Lines wait at a fault until it shows: sent at full speed, they would be through before anything happens.</summary>
    private static async Task<bool> UntilAsync(Func<Task<bool>> holds, CancellationToken cancel)
    {
        var began = Stopwatch.StartNew();
        while (!await holds())
        {
            if (began.Elapsed > FaultTime) return false;
            await Task.Delay(20, cancel);
        }

        return true;
    }

    /// <summary>Waits until every replica has everything, or nothing has moved for a minute.</summary>
    private async Task DrainAsync(CancellationToken cancel)
    {
        _monitor.Phase = "waiting for all replicas";
        var (progress, since) = ("", Stopwatch.StartNew());
        while (true)
        {
            await _monitor.LookAsync(cancel);
            var reading = _monitor.Reading!;
            if (reading.IsComplete(_feeder.Sent)) return;
            if (reading.Progress != progress) (progress, since) = (reading.Progress, Stopwatch.StartNew());
            if (since.Elapsed > NoProgressTime)
            {
                _troubles.Add($"nothing has moved for {NoProgressTime.TotalSeconds:F0} s");
                return;
            }

            await Task.Delay(200, cancel);
        }
    }

    /// <summary>Reads back from every replica what it delivered, and compares.</summary>
    private async Task<DemoResult> JudgeAsync(CancellationToken cancel)
    {
        _monitor.Phase = "checking";
        var audits = new Dictionary<string, DeliveryAudit>();
        try
        {
            foreach (var replica in _domain.Domain.Replicas) audits.Add(replica.Id, await _observer.AuditAsync(replica.Id, cancel));
            var differences = await _observer.CompareAsync(cancel);
            foreach (var lost in _processes.Lost()) _troubles.Add($"{lost.Id} {lost.Ended}, see {lost.LogFile}");
            _troubles.AddRange(differences);
            var last = await _monitor.LookAsync(cancel); // What was detected last is in the result too.
            _view.Show(last);
            return DemoResult.From(_feeder.Sent, _feeder.Digest(), audits, differences.Count == 0, last.Alarms, _script.Faults, _troubles);
        }
        finally
        {
            foreach (var audit in audits.Values) audit.Dispose();
        }
    }

    /// <summary>The samples are through; people may try it for themselves until Ctrl-C, or until the seconds are over.</summary>
    private async Task StayAsync(DemoResult result, CancellationToken cancel)
    {
        _monitor.Phase = result.Broken.Count == 0 ? "every promise was kept; now it is yours to try" : "A PROMISE WAS BROKEN";
        foreach (var broken in result.Broken) _view.Say(broken);
        try
        {
            await Task.Delay(Timeout.Infinite, cancel);
        }
        catch (OperationCanceledException)
        {
            // Ctrl-C: the verdict stands.
        }
    }

    private async Task WatchAsync(CancellationToken cancel)
    {
        try
        {
            while (true)
            {
                _view.Show(await _monitor.LookAsync(cancel));
                await Task.Delay(Poll, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The demonstration ends.
        }
    }

    private string MisbehaveFile(string relay) => Path.Combine(_domain.Directory, $"{relay}.misbehave");

    private static bool TryFindInput(DemoRequest request, out IReadOnlyList<string> files, out long lines, out string mistake)
    {
        (files, lines, mistake) = (request.Inputs, 0, "");
        if (request.UsesSamples && Samples.Find() is { } samples) files = samples;
        if (files.Count == 0) mistake = "The samples are not here; name a log file with --input FILE.";
        foreach (var file in files.Where(file => !File.Exists(file))) mistake += $"--input: {file} does not exist.{Environment.NewLine}";
        if (mistake.Length > 0) return false;
        try
        {
            lines = InputLines.Count(files);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            mistake = $"--input: {e.Message}";
        }

        if (lines == 0 && mistake.Length == 0) mistake = "--input: there is no line in it.";
        return mistake.Length == 0;
    }

    private static IDemoView MakeView(DemoRequest request)
    {
        var output = request.Json ? Console.Error : Console.Out;
        var redirected = request.Json ? Console.IsErrorRedirected : Console.IsOutputRedirected;
        if (request.Plain || redirected) return new PlainView(output);
        return new LiveView(AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) }));
    }

    private static int Conclude(DemoRequest request, DemoResult? result)
    {
        if (result is null)
        {
            Console.Error.WriteLine("Stopped before the end; nothing was checked.");
            return ExitCodes.Failed;
        }

        var people = request.Json ? Console.Error : Console.Out;
        if (request.Json) Console.Out.WriteLine(result.ToJson());
        people.WriteLine($"{result.Sent} lines sent, {result.Lost} lost, {result.Duplicates} duplicates, {result.Alarms.Count} alarms; the replicas {(result.Agree ? "agree" : "do not agree")}.");
        foreach (var fault in result.Faults) people.WriteLine($"{fault.Kind} of {fault.Node} at line {fault.At}: {fault.Detected ?? "not noticed"}");
        people.WriteLine(result.Broken.Count == 0 ? "Every promise was kept." : "Broken: " + string.Join("; ", result.Broken));
        return result.ExitCode;
    }

    private static void Remove(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"{directory} could not be removed: {e.Message}");
        }
    }

    private static int Refuse(string mistake)
    {
        Console.Error.WriteLine(mistake.TrimEnd());
        return ExitCodes.Usage;
    }
}

/// <summary>The demonstration cannot go on; the message says why.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);

/// <summary>The log lines that come with Massif.</summary>
internal static class Samples
{
    /// <summary>Returns the files in the order of their names; null when they are not there.</summary>
    public static IReadOnlyList<string>? Find()
    {
        for (var place = new DirectoryInfo(AppContext.BaseDirectory); place is not null; place = place.Parent)
        {
            var directory = Path.Combine(place.FullName, "samples");
            if (!Directory.Exists(directory)) continue;
            var files = Directory.GetFiles(directory, "*.log").Order(StringComparer.Ordinal).ToList();
            if (files.Count > 0) return files;
        }

        return null;
    }
}
