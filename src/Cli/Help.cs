using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.CompilerServices;

namespace Massif.Cli;

/// <summary>Examples below the help of a command: what people copy.</summary>
internal static class Help
{
    private static readonly ConditionalWeakTable<Command, string[]> Examples = [];

    /// <summary>Gives the command its examples: each a line to run, with a remark after two spaces and a hash if needed.</summary>
    public static Command WithExamples(this Command command, params string[] examples)
    {
        Examples.AddOrUpdate(command, examples);
        return command;
    }

    /// <summary>Returns the examples of a command; empty when it has none.</summary>
    public static IReadOnlyList<string> ExamplesOf(Command command) =>
        Examples.TryGetValue(command, out var examples) ? examples : [];

    /// <summary>Makes <c>--help</c> show the examples.</summary>
    public static void ShowExamples(RootCommand root)
    {
        var option = root.Options.OfType<HelpOption>().Single();
        option.Action = new WithExamplesAction((HelpAction)option.Action!);
    }

    private sealed class WithExamplesAction(HelpAction help) : SynchronousCommandLineAction
    {
        // Fits into every terminal; wider text is harder to read.
        private const int ColumnsOfHelp = 80;

        public override int Invoke(ParseResult parseResult)
        {
            var output = parseResult.InvocationConfiguration.Output;
            if (parseResult.CommandResult.Command is RootCommand root) WriteOverview(root, output);
            else help.Invoke(parseResult);
            WriteExamples(parseResult.CommandResult.Command, output);
            return ExitCodes.Ok;
        }

        /// <summary>One line a command: what people look for when they do not know the name yet.</summary>
        private static void WriteOverview(RootCommand root, TextWriter output)
        {
            foreach (var line in Wrapped(root.Description ?? "", ColumnsOfHelp)) output.WriteLine(line);
            output.WriteLine();
            output.WriteLine("Usage: massif COMMAND [OPTIONS]");
            output.WriteLine();
            output.WriteLine("Commands:");
            var visible = root.Subcommands.Where(command => !command.Hidden).ToList();
            var width = visible.Max(command => command.Name.Length);
            foreach (var command in visible)
            {
                var name = command.Name.PadRight(width);
                foreach (var line in Wrapped(FirstSentence(command.Description), ColumnsOfHelp - width - 4))
                {
                    output.WriteLine($"  {name}  {line}");
                    name = new string(' ', width);
                }
            }

            output.WriteLine();
            output.WriteLine("Options:");
            output.WriteLine("  --help     Show this, or the help of a command");
            output.WriteLine("  --version  Show the version");
            output.WriteLine();
        }

        private static IEnumerable<string> Wrapped(string text, int columns)
        {
            var line = "";
            foreach (var word in text.Split(' '))
            {
                if (line.Length > 0 && line.Length + 1 + word.Length > columns)
                {
                    yield return line;
                    line = "";
                }

                line += line.Length == 0 ? word : $" {word}";
            }

            yield return line;
        }

        private static void WriteExamples(Command command, TextWriter output)
        {
            var examples = ExamplesOf(command);
            if (examples.Count == 0) return;
            output.WriteLine("Examples:");
            foreach (var example in examples)
            {
                var (line, remark) = Split(example);
                if (remark.Length > 0) output.WriteLine($"  # {remark}");
                output.WriteLine($"  {line}");
            }

            output.WriteLine();
        }

        /// <summary>The remark goes above the line, where a narrow terminal does not break either.</summary>
        private static (string Line, string Remark) Split(string example)
        {
            var mark = example.IndexOf("  #", StringComparison.Ordinal);
            return mark < 0 ? (example, "") : (example[..mark].TrimEnd(), example[(mark + 3)..].Trim());
        }

        private static string FirstSentence(string? description)
        {
            var text = (description ?? "").ReplaceLineEndings(" ");
            var end = text.IndexOf(". ", StringComparison.Ordinal);
            return end < 0 ? text : text[..(end + 1)];
        }
    }
}
