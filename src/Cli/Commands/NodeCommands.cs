using System.CommandLine;
using Massif.Mis.Core;
using Massif.Mis.Core.Rules;
using Massif.Mis.Edge;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Overlay;
using Massif.Reb.Storage;
using Microsoft.Extensions.Logging;

namespace Massif.Cli.Commands;

/// <summary><c>massif edge</c>, <c>massif core</c> and <c>massif relay</c>: one node in the foreground until SIGTERM or Ctrl-C.</summary>
internal static partial class NodeCommands
{
    /// <summary>Makes the command for an edge.</summary>
    public static Command CreateEdge() => Create(
        "edge",
        "Run an edge: takes syslog in, keeps it in a durable spool, publishes it to the replicas, frees the spool when they hold it.",
        NodeRole.Edge,
        async (config, logger, _) =>
        {
            var node = await EdgeNode.StartAsync(config, logger);
            return (node, node.Completion);
        });

    /// <summary>Makes the command for a core replica.</summary>
    public static Command CreateCore() => Create(
        "core",
        "Run a core replica: agrees with the other replicas on what the edges published, correlates it, and answers people over HTTPS.",
        NodeRole.Core,
        async (config, logger, _) =>
        {
            var errors = new ConfigErrors();
            var rules = RuleFile.Load(config.Options.Core!.RulesFile, errors);
            if (rules is null || !errors.None) throw new ConfigException(errors.Items);
            var node = await CoreNode.StartAsync(config, rules, logger);
            return (node, node.Completion);
        });

    /// <summary>Makes the command for a relay.</summary>
    public static Command CreateRelay()
    {
        var misbehave = new Option<string>("--misbehave")
        {
            Description = "For demonstrations: what it does to what it forwards, of corrupt, delay, replay, drop, misroute, with commas. " +
                "Refused unless the domain says demo: true.",
            HelpName = "KINDS",
        };
        var when = new Option<string>("--misbehave-when")
        {
            Description = "It misbehaves while this file exists; without it, always.",
            HelpName = "FILE",
        };
        var command = Create(
            "relay",
            "Run a relay of the overlay: forwards envelopes between edges and replicas, and needs no trust.",
            NodeRole.Relay,
            async (config, logger, parse) =>
            {
                var kinds = Parse(parse.GetValue(misbehave));
                var file = parse.GetValue(when);
                var node = await RelayNode.StartAsync(config, kinds, file is null ? () => true : () => File.Exists(file), logger);
                return (node, node.Completion);
            });
        command.Add(misbehave);
        command.Add(when);
        return command;
    }

    private static Command Create(
        string name,
        string description,
        NodeRole role,
        Func<NodeConfig, ILogger, ParseResult, Task<(IAsyncDisposable Node, Task Completion)>> start)
    {
        var file = new Option<string>("--config", "-c") { Description = "The node's node.yaml.", Required = true, HelpName = "FILE" };
        var withInput = new Option<bool>("--stop-with-input")
        {
            Description = "Stop when standard input ends: whoever started the node is gone.",
            Hidden = true,
        };
        var command = new Command(name, description) { file, withInput };
        command.SetAction(async (parse, cancel) =>
        {
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            if (parse.GetValue(withInput)) StopWithInput(stop);
            return await RunAsync(parse, parse.GetValue(file)!, role, start, stop.Token);
        });
        return command.WithExamples(
            $"massif {name} -c /etc/massif/nodes/{name}1/node.yaml",
            $"massif check-config /etc/massif/nodes/{name}1/node.yaml");
    }

    private static async Task<int> RunAsync(
        ParseResult parse,
        string file,
        NodeRole role,
        Func<NodeConfig, ILogger, ParseResult, Task<(IAsyncDisposable Node, Task Completion)>> start,
        CancellationToken cancel)
    {
        var (config, errors) = NodeConfig.Load(file);
        if (errors.Count > 0)
            return Report.Errors(CheckConfigCommand.CheckNode(file), parse) ?? ExitCodes.Usage; // With those of its rules.
        using var owned = config!;
        var error = parse.InvocationConfiguration.Error;
        if (config!.Self.Role != role)
        {
            var actual = Word(config.Self.Role);
            var article = config.Self.Role == NodeRole.Edge ? "an" : "a";
            await error.WriteLineAsync($"{file}: the node {config.Self.Id} is {article} {actual}: run massif {actual} -c {file}");
            return ExitCodes.Usage;
        }

        using var logging = NodeLog.Create(LevelOf(config.Options.LogLevel));
        var logger = logging.CreateLogger(config.Self.Id);
        try
        {
            var (node, completion) = await start(config, logger, parse);
            LogStarted(logger, Word(role), config.Self.Id, config.Domain.Name, Environment.ProcessId);
            return await RunUntilStoppedAsync(node, completion, logger, cancel);
        }
        catch (ConfigException wrong)
        {
            return Report.Errors(wrong.Errors, parse) ?? ExitCodes.Usage;
        }
        catch (DiskFailedException failure)
        {
            LogDiskFailed(logger, failure.Message);
            return ExitCodes.Disk;
        }
        catch (Exception failure) when (failure is IOException
            or StorageFormatException or UnauthorizedAccessException or InvalidOperationException or InvalidDataException)
        {
            await error.WriteLineAsync($"{config.Self.Id}: {failure.Message}");
            return ExitCodes.Usage;
        }
    }

    // Reading blocks until the other end closes the pipe, which the system does even for a process that was killed.
    private static void StopWithInput(CancellationTokenSource stop)
    {
        void ReadToEnd()
        {
            using var input = Console.OpenStandardInput();
            while (input.ReadByte() >= 0)
            {
                // Nothing is expected; only the end counts.
            }

            try
            {
                stop.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // The node has stopped already.
            }
        }

        new Thread(ReadToEnd) { IsBackground = true, Name = "stop with input" }.Start();
    }

    private static async Task<int> RunUntilStoppedAsync(IAsyncDisposable node, Task completion, ILogger logger, CancellationToken cancel)
    {
        var stop = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (cancel.Register(() => stop.TrySetResult())) await Task.WhenAny(stop.Task, completion);
        var failure = completion.Exception?.GetBaseException();
        var code = Explain(failure, logger);
        await node.DisposeAsync();
        return code;
    }

    /// <summary>Says why a node ends, and returns the exit code.</summary>
    /// <param name="failure">What ended it; null when it was asked to.</param>
    /// <param name="logger">Where it is said.</param>
    internal static int Explain(Exception? failure, ILogger logger)
    {
        switch (failure)
        {
            case null:
                LogStopping(logger);
                return ExitCodes.Ok;
            case DiskFailedException disk:
                LogDiskFailed(logger, disk.Message);
                return ExitCodes.Disk;
            case IOException trouble:
                LogFailed(logger, trouble.Message);
                return ExitCodes.Failed;
            default:
                LogBroken(logger, failure);
                return ExitCodes.Failed;
        }
    }

    private static Misbehaviours Parse(string? kinds)
    {
        var all = Misbehaviours.None;
        foreach (var kind in kinds?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [])
        {
            if (!Enum.TryParse<Misbehaviours>(kind, ignoreCase: true, out var one) || one == Misbehaviours.None)
                throw new InvalidOperationException($"--misbehave {kind}: not one of corrupt, delay, replay, drop, misroute.");
            all |= one;
        }

        return all;
    }

    private static LogLevel LevelOf(LogThreshold threshold) => threshold switch
    {
        LogThreshold.Debug => LogLevel.Debug,
        LogThreshold.Information => LogLevel.Information,
        LogThreshold.Warning => LogLevel.Warning,
        _ => LogLevel.Error,
    };

    private static string Word(NodeRole role) => role switch
    {
        NodeRole.Edge => "edge",
        NodeRole.Relay => "relay",
        _ => "core",
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "{Role} {Id} of domain {Domain} runs as process {ProcessId}")]
    private static partial void LogStarted(ILogger logger, string role, string id, string domain, int processId);

    [LoggerMessage(Level = LogLevel.Information, Message = "stopping")]
    private static partial void LogStopping(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "an invariant of this program broke: the node ends, because silence is tolerated and a wrong answer is not")]
    private static partial void LogBroken(ILogger logger, Exception failure);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "the disk does not give back what it confirmed: {Trouble}. The node ends rather than go on with a disk that lies. " +
            "Look at the disk (dmesg, smartctl); then start the node again, or move its data directory away and start with an empty one")]
    private static partial void LogDiskFailed(ILogger logger, string trouble);

    [LoggerMessage(Level = LogLevel.Critical, Message = "the node ends: {Trouble}")]
    private static partial void LogFailed(ILogger logger, string trouble);

    /// <summary>Mistakes in a file that the node's own configuration names.</summary>
    private sealed class ConfigException(IReadOnlyList<ConfigError> errors) : Exception
    {
        public IReadOnlyList<ConfigError> Errors => errors;
    }
}
