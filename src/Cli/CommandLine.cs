using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using Massif.Cli.Commands;

namespace Massif.Cli;

/// <summary>The command line of the program <c>massif</c>.</summary>
internal static class CommandLine
{
    /// <summary>Makes the root command with everything below it.</summary>
    public static RootCommand Create()
    {
        var root = new RootCommand(
            "Massif takes security events from where they happen to where they are judged, so that nobody who owns some of the " +
            "machines or some of the network in between can forge, lose, reorder or hide them unnoticed.");
        root.Add(DemoCommand.Create());
        root.Add(InitCommand.Create());
        root.Add(RenewCommand.Create());
        root.Add(CheckConfigCommand.Create());
        root.Add(NodeCommands.CreateEdge());
        root.Add(NodeCommands.CreateCore());
        root.Add(NodeCommands.CreateRelay());
        root.Add(ConformanceCommand.Create());
        root.Add(SimulateCommand.Create());
        root.Add(BenchCommand.Create());
        root.Add(StatusCommand.Create());
        root.Add(TailCommand.Create());
        root.Add(AlarmCommand.Create());
        root.WithExamples(
            "massif demo                         # a whole domain on this machine, with faults, watched live",
            "massif COMMAND --help               # what a command does, with examples",
            "./massif test                       # in a checkout: build and run all tests");
        var version = root.Options.OfType<VersionOption>().Single();
        version.Action = new PrintVersion();
        Help.ShowExamples(root);
        root.SetAction(parse => ((SynchronousCommandLineAction)root.Options.OfType<HelpOption>().Single().Action!).Invoke(parse));
        return root;
    }

    /// <summary>Runs one command line and returns the exit code.</summary>
    /// <param name="arguments">The arguments without the program's name.</param>
    /// <param name="output">Standard output for help and version; null for the process's.</param>
    /// <param name="error">Standard error for usage errors; null for the process's.</param>
    public static async Task<int> RunAsync(string[] arguments, TextWriter? output = null, TextWriter? error = null)
    {
        var parsed = Create().Parse(arguments);
        var configuration = new InvocationConfiguration
        {
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // It breaks at a second signal; StopSignals does not.
            Output = output ?? Console.Out,
            Error = error ?? Console.Error,
        };
        if (parsed.Action is ParseErrorAction usage) return await ExplainAsync(parsed, usage, configuration);
        try
        {
            // A command that cannot be asked to end is ended by the system, as it would be without us.
            using var signals = parsed.Action is AsynchronousCommandLineAction ? new StopSignals() : null;
            return await parsed.InvokeAsync(configuration, signals?.Token ?? CancellationToken.None);
        }
        catch (Exception failure)
        {
            Tell(PathOf(parsed.CommandResult), failure, configuration.Error);
            return ExitCodes.Failed;
        }
    }

    /// <summary>A person who mistyped wants the mistake and a suggestion, not two pages of help.</summary>
    private static async Task<int> ExplainAsync(ParseResult parsed, ParseErrorAction usage, InvocationConfiguration configuration)
    {
        usage.ShowHelp = false;
        var (mistake, error) = (new StringWriter(), configuration.Error);
        (configuration.Output, configuration.Error) = (mistake, mistake); // Suggestions too: standard output is for results.
        await parsed.InvokeAsync(configuration);
        foreach (var line in Usage.Mistakes(mistake.ToString())) await error.WriteLineAsync(line);
        await error.WriteLineAsync($"Try: {PathOf(parsed.CommandResult)} --help");
        return ExitCodes.Usage;
    }

    /// <summary>
    /// What the system refuses is told in a line; anything else is a fault of ours, and whoever mends it needs the place.
    /// </summary>
    private static void Tell(string command, Exception failure, TextWriter error)
    {
        var isRefusal = failure is IOException or UnauthorizedAccessException;
        try
        {
            error.WriteLine(isRefusal ? $"{command}: {failure.Message}" : $"{command} failed, which is a fault of the program:\n{failure}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nobody is there to be told.
        }
    }

    private static string PathOf(System.CommandLine.Parsing.CommandResult command) =>
        command.Parent is System.CommandLine.Parsing.CommandResult parent ? $"{PathOf(parent)} {command.Command.Name}" : "massif";

    /// <summary>Gets the version as <c>--version</c> prints it.</summary>
    public static string Version { get; } =
        typeof(CommandLine).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    private sealed class PrintVersion : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine($"massif {Version}");
            return ExitCodes.Ok;
        }
    }
}
