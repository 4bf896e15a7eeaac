using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Reflection;
using System.Text.RegularExpressions;
using Massif.Cli.Commands;

namespace Massif.Cli;

/// <summary>The command line of the program <c>massif</c>.</summary>
internal static partial class CommandLine
{
    /// <summary>How long a command may take to end after Ctrl-C or SIGTERM before the process ends regardless.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);

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
            ProcessTerminationTimeout = StopTime,
            Output = output ?? Console.Out,
            Error = error ?? Console.Error,
        };
        if (parsed.Action is ParseErrorAction usage)
        {
            // A person who mistyped wants the mistake and a suggestion, not two pages of help.
            usage.ShowHelp = false;
            var mistake = new StringWriter(); // Suggestions too: standard output is for results.
            configuration.Output = mistake;
            configuration.Error = mistake;
            await parsed.InvokeAsync(configuration);
            configuration.Error = error ?? Console.Error;
            await configuration.Error.WriteAsync(NotANumber().Replace(mistake.ToString(), "$2 is '$1', not a whole number in its range."));
            await configuration.Error.WriteLineAsync($"Try: {PathOf(parsed.CommandResult)} --help");
            return ExitCodes.Usage;
        }

        return await parsed.InvokeAsync(configuration);
    }

    // Every option that is no text is a number, and nobody who mistyped one needs to know our types.
    [GeneratedRegex("Cannot parse argument '([^']*)' for option '([^']*)' as expected type '[^']*'\\.")]
    private static partial Regex NotANumber();

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
