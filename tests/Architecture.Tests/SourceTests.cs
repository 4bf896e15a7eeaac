using System.Text.RegularExpressions;

namespace Massif.Architecture.Tests;

public sealed partial class SourceTests
{
    private const int LinesMax = 500;
    private const int LineCharactersMax = 140;
    private const int LiteralCharactersMax = 100;

    [Fact]
    public void A_file_is_short_enough_to_be_read_from_top_to_bottom()
    {
        var tooLong = Repository.Sources()
            .Select(source => (source.Name, Lines: File.ReadLines(source.Path).Count()))
            .Where(file => file.Lines > LinesMax)
            .Select(file => $"{file.Name} has {file.Lines} lines; at most {LinesMax}");
        AssertNone(tooLong);
    }

    [Fact]
    public void A_line_is_short_enough_to_be_read_without_scrolling()
    {
        // What is data and stays whole is let through: a string literal that leaves no room for anything beside it.
        var tooLong = Repository.Sources().Concat(Repository.TestSources())
            .SelectMany(source => File.ReadLines(source.Path).Select((line, index) => (source.Name, Number: index + 1, Line: line)))
            .Where(line => line.Line.Length > LineCharactersMax)
            .Where(line => !Literal().Matches(line.Line).Any(literal => literal.Length > LiteralCharactersMax))
            .Select(line => $"{line.Name}:{line.Number} has {line.Line.Length} characters; at most {LineCharactersMax}");
        AssertNone(tooLong);
    }

    [Fact]
    public void A_namespace_is_the_folder_or_one_above_when_the_folder_only_sorts_files()
    {
        var mistakes = new List<string>();
        foreach (var source in Repository.Sources())
        {
            var match = NamespaceLine().Match(File.ReadAllText(source.Path));
            if (!match.Success) continue; // Program.cs and assembly attributes have none.
            var name = match.Groups[1].Value;
            var folder = Path.GetRelativePath(source.Project.Directory, Path.GetDirectoryName(source.Path)!);
            var wanted = $"Massif.{source.Project.Name}" + (folder == "." ? "" : "." + folder.Replace(Path.DirectorySeparatorChar, '.'));
            if (!$"{wanted}.".StartsWith($"{name}.", StringComparison.Ordinal) || !IsOfProject(name, source.Project.Name))
                mistakes.Add($"{source.Name}: {name}, the folder says {wanted}");
        }

        AssertNone(mistakes);
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        var mistakes = Repository.Sources()
            .SelectMany(source => File.ReadLines(source.Path).Select((line, index) => (source.Name, Number: index + 1, Line: line)))
            .Where(line => LeftForLater().IsMatch(line.Line))
            .Select(line => $"{line.Name}:{line.Number}: {line.Line.Trim()}");
        AssertNone(mistakes);
    }

    [Fact]
    public void Every_counter_has_a_sentence_that_says_what_it_counts()
    {
        var counters = Repository.Sources()
            .SelectMany(source => CounterName().Matches(File.ReadAllText(source.Path)))
            .Select(match => match.Groups[1].Value)
            .ToHashSet();
        var help = Repository.Sources().Single(source => source.Name.EndsWith("MetricHelp.cs", StringComparison.Ordinal));
        var explained = HelpName().Matches(File.ReadAllText(help.Path)).Select(match => match.Groups[1].Value).ToList();
        Assert.NotEmpty(counters);
        AssertNone(counters.Except(explained).Select(name => $"{name} is not in {help.Name}"));
        AssertNone(explained.Except(counters).Select(name => $"{name} is in {help.Name} and nowhere counted"));
    }

    private static bool IsOfProject(string name, string project) => $"{name}.".StartsWith($"Massif.{project}.", StringComparison.Ordinal);

    private static void AssertNone(IEnumerable<string> mistakes)
    {
        var all = mistakes.ToList();
        Assert.True(all.Count == 0, string.Join(Environment.NewLine, all));
    }

    [GeneratedRegex(@"^namespace\s+([\w.]+)\s*[;{]", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"\.Of\(\$?""(massif_[a-z0-9_]+)")]
    private static partial Regex CounterName();

    [GeneratedRegex(@"\[""(massif_[a-z0-9_]+)""\] =\s+""[A-Z0-9][^""]+\.""")]
    private static partial Regex HelpName();

    // Raw, verbatim, with escapes, or a character, which may be a quote. The third would take the first two to pieces.
    [GeneratedRegex("""
        "{3,}.*?"{3,}|@\$?"(""|[^"])*"|"(\\.|[^"\\])*"|'(\\.|[^'\\])'
        """)]
    private static partial Regex Literal();

    [GeneratedRegex(@"\b(TODO|FIXME|HACK|XXX|NotImplementedException)\b")]
    private static partial Regex LeftForLater();
}
