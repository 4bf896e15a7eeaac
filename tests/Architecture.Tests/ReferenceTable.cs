namespace Massif.Architecture.Tests;

/// <summary>The table of projects in docs/ARCHITECTURE.md.</summary>
internal static class ReferenceTable
{
    private const string Header = "| project | references | deterministic |";

    public static IReadOnlyDictionary<string, TableRow> Read()
    {
        var lines = File.ReadAllLines(Path.Combine(Repository.Root, "docs", "ARCHITECTURE.md"));
        var start = Array.FindIndex(lines, line => line.StartsWith(Header, StringComparison.Ordinal));
        Assert.True(start >= 0, $"docs/ARCHITECTURE.md has no table that begins with {Header}");
        return lines.Skip(start + 2).TakeWhile(line => line.StartsWith('|')).Select(Row).ToDictionary(row => row.Project);
    }

    private static TableRow Row(string line)
    {
        var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
        var references = cells[1] == "-" ? [] : cells[1].Split(',', StringSplitOptions.TrimEntries);
        return new(cells[0], references, cells[2] == "yes");
    }
}

internal sealed record TableRow(string Project, IReadOnlyList<string> References, bool IsDeterministic);
