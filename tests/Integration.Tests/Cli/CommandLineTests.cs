using System.CommandLine;
using System.Text.RegularExpressions;
using Massif.Cli;

namespace Massif.Integration.Tests.Cli;

public sealed partial class CommandLineTests
{
    [Fact]
    public async Task Version_is_one_line()
    {
        var (code, output, _) = await Run("--version");
        Assert.Equal(0, code);
        Assert.Matches(@"^massif \d+\.\d+\.\d+\n$", output);
    }

    [Fact]
    public void Every_command_has_a_description_and_examples_that_it_understands()
    {
        var root = CommandLine.Create();
        Assert.All(Walk(root), command =>
        {
            Assert.False(string.IsNullOrWhiteSpace(command.Description), $"{command.Name} has no description");
            if (command.Subcommands.Count > 0 && command is not RootCommand) return; // Its children have examples.
            Assert.NotEmpty(Help.ExamplesOf(command));
        });
        foreach (var example in Walk(root).Where(command => command is not RootCommand).SelectMany(Help.ExamplesOf))
        {
            // Only the shell's part is left out.
            var line = Substitution().Replace(example, "1db601c05fddf3397da4a6b9d3dacdb2").Split('#', '|')[0].Trim();
            Assert.StartsWith("massif ", line, StringComparison.Ordinal);
            Assert.True(root.Parse(line["massif ".Length..]).Errors.Count == 0, $"not understood: {line}");
        }
    }

    [Fact]
    public async Task Help_lists_the_commands_and_shows_examples()
    {
        var (code, output, _) = await Run("--help");
        Assert.Equal(0, code);
        Assert.Contains("  demo ", output, StringComparison.Ordinal);
        Assert.Contains("Examples:", output, StringComparison.Ordinal);
        Assert.Contains("--input", (await Run("demo", "--help")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_fits_into_80_columns_and_remarks_stand_above_what_they_are_about()
    {
        var (_, output, _) = await Run("--help");
        Assert.All(output.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains(
            "\n  # a whole domain on this machine, with faults, watched live\n  massif demo\n", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dmo", "Unrecognized command or argument 'dmo'. Did you mean demo?\nTry: massif --help\n")]
    [InlineData("alarm ls x", "Unrecognized command or argument 'x'.\nTry: massif alarm ls --help\n")]
    [InlineData("demo --rate 0", "1 to 10000000")]
    [InlineData("demo --rate many", "--rate is 'many', not a whole number")]
    [InlineData("tail --count x", "--count is 'x', not a whole number")]
    [InlineData("tail --count 0", "--count is 0; allowed: 1 or more")]
    [InlineData("init d --bus-port 70000", "--bus-port is 70000; allowed: 1 to 65535")]
    [InlineData("demo --seconds 0", "allowed")]
    [InlineData("demo --imput x", "--imput")]
    [InlineData("init", "DIR")]
    [InlineData("demo --input /does/not/exist", "/does/not/exist")]
    public async Task A_mistake_is_named_on_standard_error_with_code_2(string line, string named)
    {
        var console = Console.Error;
        var (code, output, error) = await Run(line.Split(' '));
        Assert.Equal(2, code);
        Assert.Equal("", output);
        if (!line.Contains("exist", StringComparison.Ordinal)) Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Same(console, Console.Error);
    }

    internal static async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.RunAsync(arguments, output, error);
        return (code, output.ToString(), error.ToString());
    }

    private static IEnumerable<Command> Walk(Command command) => command.Subcommands.SelectMany(Walk).Prepend(command);

    [GeneratedRegex(@"\$\([^)]*\)")]
    private static partial Regex Substitution();
}
