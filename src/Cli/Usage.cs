using System.Text.RegularExpressions;

namespace Massif.Cli;

/// <summary>What the parser of the command line says of a mistake, as a person wants to read it.</summary>
internal static partial class Usage
{
    /// <summary>Returns the mistakes, one a line, with what may have been meant behind them.</summary>
    /// <param name="said">What the parser printed.</param>
    public static IEnumerable<string> Mistakes(string said)
    {
        var (mistakes, meant) = (new List<string>(), new List<string>());
        var suggests = false;
        foreach (var line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (line.EndsWith(SuggestionsFollow, StringComparison.Ordinal)) suggests = true;
            else if (suggests && !line.Contains(' ', StringComparison.Ordinal)) meant.Add(line);
            else mistakes.Add(NotANumber().Replace(line, "$2 is '$1', not a whole number in its range."));
        }

        meant.RemoveAll(word => word is "-h" or "-?"); // So short that anything is like it.
        if (mistakes.Count > 0 && meant.Count > 0) mistakes[^1] += $" Did you mean {string.Join(" or ", meant)}?";
        return mistakes;
    }

    private const string SuggestionsFollow = "was not matched. Did you mean one of the following?";

    // Every option that is no text is a number, and nobody who mistyped one needs to know our types.
    [GeneratedRegex("Cannot parse argument '([^']*)' for option '([^']*)' as expected type '[^']*'\\.")]
    private static partial Regex NotANumber();
}
