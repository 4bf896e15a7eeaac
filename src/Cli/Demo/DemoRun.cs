using System.Diagnostics;
using Spectre.Console;

namespace Massif.Cli.Demo;

/// <summary>One demonstration from beginning to end: domain, processes, lines, faults, audit, clean-up.</summary>
internal sealed class DemoRun : IDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan NoProgressTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan NoProgressSaid = TimeSpan.FromSeconds(10);

    /// <summary>A node that ended by itself does not come back: what is under way among the others needs no minute.</summary>
    private static readonly TimeSpan NoProgressTimeOfLost = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan FaultTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(500);

    private readonly DemoRequest _request;
    private readonly DemoInput _input;
    private readonly DemoDomain _domain;
    private readonly DemoProcesses _processes = new();
    private readonly IDomainObserver _observer;
    private readonly DemoFeeder _feeder;
    private readonly DemoMonitor _monitor;
    private readonly FaultScript _script;
    private readonly IDemoView _view;
    private readonly List<string> _troubles = [];

    private DemoRun(DemoRequest request, DemoInput input, DemoDomain domain, IDomainObserver observer, IDemoView view)
    {
        (_request, _input, _domain, _observer, _view) = (request, input, domain, observer, view);
        var planned = request.Planned(input.Lines);
        _feeder = new(domain.ReplayListener, request.EffectiveRate, domain.LineBytesMax);
        _script = request.NoFaults
            ? FaultScript.None()
            : FaultScript.For(planned, domain.Domain.Replicas[^1].Id, domain.Domain.Relays[0].Id);
        _monitor = new(domain, _processes, _observer, _feeder, _script, planned);
    }

    /// <summary>Runs a demonstration and returns the exit code.</summary>
    public static async Task<int> RunAsync(DemoRequest request, CancellationToken cancel)
    {
        if (DemoInput.MistakesIn(request) is { Count: > 0 } mistakes) return Refuse(mistakes);
        if (MakeDirectory() is not { } directory) return ExitCodes.Usage;
        var keep = true; // Whatever goes wrong, somebody will want to look.
        try
        {
            using var view = MakeView(request);
            view.Say("making a domain of 4 replicas, 2 relays and 1 edge");
            var (domain, errors) = DemoDomain.Create(directory);
            if (domain is null) return Refuse(errors.Select(error => error.ToString()));
            var (input, mistake) = await DemoInput.OpenAsync(request, directory, cancel);
            if (input is null)
            {
                view.Dispose();
                keep = false;
                return Refuse([mistake]);
            }

            using var observer = new DomainObserver(domain);
            DemoResult? result;
            using (var run = new DemoRun(request, input, domain, observer, view)) result = await run.RunAsync(cancel);
            view.Dispose(); // The terminal is ours again before the last words.
            keep = request.Keep || result is { ExitCode: not ExitCodes.Ok };
            return Conclude(request, result);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            keep = request.Keep;
            return Conclude(request, null);
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
        var waiting = _processes.All.ToList();
        while (waiting.Count > 0)
        {
            foreach (var node in waiting.ToList())
            {
                if (await _observer.IsReadyAsync(node.Id, cancel)) waiting.Remove(node);
                else if (node.Ended is { } how || began.Elapsed > StartTime)
                {
                    throw new DemoFailedException(
                        $"{node.Id} did not start ({node.Ended ?? "no answer"}). " +
                        $"The last it said:{Environment.NewLine}{node.LastWords()}");
                }
                else continue;
                _monitor.Ready(node.Id);
            }

            _view.Show(await _monitor.LookAsync(cancel));
            if (waiting.Count > 0) await Task.Delay(100, cancel);
        }
    }

    private async Task FeedAsync(CancellationToken cancel)
    {
        _monitor.Phase = "replaying";
        try
        {
            var limit = _request.Seconds is { } seconds ? TimeSpan.FromSeconds(seconds) : (TimeSpan?)null;
            await _feeder.RunAsync(InputLines.Read(_input.Files), limit, BeginFaultsAsync, _script.Checkpoints, cancel);
        }
        catch (IOException e)
        {
            _troubles.Add($"the edge stopped taking lines after {_feeder.Sent}: {e.Message}");
        }

        async Task BeginFaultsAsync(long planned)
        {
            foreach (var fault in _script.Due(planned).ToList()) await BeginAsync(fault, cancel);
        }
    }

    private async Task BeginAsync(Fault fault, CancellationToken cancel)
    {
        switch (fault.Kind)
        {
            case FaultKind.Kill:
                _processes[fault.Node].Kill();
                fault.Begin(_feeder.Sent);
                await UntilAsync(
                    async () => (await _monitor.LookAsync(cancel)).Faults.All(one => one != fault || one.Detected is not null),
                    cancel);
                break;
            case FaultKind.Misbehave:
                await File.WriteAllTextAsync(MisbehaveFile(fault.Node), "", cancel);
                if (!await UntilAsync(() => _observer.IsMisbehavingAsync(fault.Node, cancel), cancel))
                    _troubles.Add($"{fault.Node} did not begin to misbehave");
                fault.Begin(_feeder.Sent);
                break;
            default:
                _processes[fault.Node].Start();
                fault.Begin(_feeder.Sent);
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

    /// <summary>Waits until every replica has everything, or nothing has moved for too long.</summary>
    private async Task DrainAsync(CancellationToken cancel)
    {
        _monitor.Phase = "waiting for all replicas";
        var (progress, since, said) = ("", Stopwatch.StartNew(), TimeSpan.Zero);
        while (true)
        {
            await _monitor.LookAsync(cancel);
            var reading = _monitor.Reading!;
            if (reading.IsComplete(_feeder.Sent)) return;
            if (reading.Progress != progress) (progress, since, said) = (reading.Progress, Stopwatch.StartNew(), TimeSpan.Zero);
            var most = _processes.Lost().Count > 0 ? NoProgressTimeOfLost : NoProgressTime;
            if (since.Elapsed > most)
            {
                _troubles.Add($"nothing has moved for {most.TotalSeconds:F0} s");
                return;
            }

            if (since.Elapsed >= said + NoProgressSaid)
            {
                said = since.Elapsed;
                _view.Say($"nothing has moved for {said.TotalSeconds:F0} s; after {most.TotalSeconds:F0} s it counts as lost");
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
            foreach (var replica in _domain.Domain.Replicas) audits.Add(replica.Id, await AuditAsync(replica.Id, cancel));
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

    private async Task<DeliveryAudit> AuditAsync(string replica, CancellationToken cancel)
    {
        try
        {
            return await _observer.AuditAsync(replica, cancel);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or InvalidDataException
            || (e is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            _troubles.Add($"what {replica} delivered cannot be read back: {e.Message}");
            return new(_domain.LineBytesMax);
        }
    }

    /// <summary>The samples are through; people may try it for themselves until Ctrl-C, or until the seconds are over.</summary>
    private async Task StayAsync(DemoResult result, CancellationToken cancel)
    {
        _monitor.Phase = result.Broken.Count == 0 ? "every promise was kept; now it is yours to try" : "A PROMISE WAS BROKEN";
        _view.Say(DemoVerdict.Counted(result));
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

    private static string? MakeDirectory()
    {
        try
        {
            return Directory.CreateTempSubdirectory("massif-demo-").FullName;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse([$"No directory can be made in {Path.GetTempPath()}: {e.Message} TMPDIR names another place."]);
            return null;
        }
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
        foreach (var line in DemoVerdict.Lines(result)) people.WriteLine(line);
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

    private static int Refuse(IEnumerable<string> mistakes)
    {
        foreach (var mistake in mistakes) Console.Error.WriteLine(mistake);
        return ExitCodes.Usage;
    }
}

/// <summary>The demonstration cannot go on; the message says why.</summary>
internal sealed class DemoFailedException(string message) : Exception(message);
