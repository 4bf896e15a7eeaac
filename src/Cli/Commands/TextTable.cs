using System.CommandLine;
using Spectre.Console;

namespace Massif.Cli.Commands;

/// <summary>What one cell of a table says, and in which colour where there is a terminal.</summary>
/// <param name="Text">The text, as it was told.</param>
/// <param name="Colour">The colour; null for the terminal's own.</param>
internal readonly record struct Cell(string Text, Color? Colour = null)
{
    /// <summary>A cell in the terminal's own colour.</summary>
    public static implicit operator Cell(string text) => new(text);
}

/// <summary>
/// A table without a frame, which reads well and can be cut into columns. A row is never broken: in a terminal that is too
/// narrow it goes on in the next line, whole and fit to be copied. Columns in which no row says anything are left out.
/// </summary>
internal sealed class TextTable(params string[] titles)
{
    private const int Gap = 2;

    // Wide enough that nothing is wrapped: neither for scripts, nor in the middle of an id.
    private const int WidthOfConsole = 10_000;

    private readonly List<Cell[]> _rows = [];

    /// <summary>Adds a row of plain texts, one for each title.</summary>
    public void Row(params Cell[] cells) => _rows.Add([.. cells.Select(cell => cell with { Text = Output.Printable(cell.Text) })]);

    /// <summary>Prints it where the command prints.</summary>
    public void Print(ParseResult parse)
    {
        var writer = parse.InvocationConfiguration.Output;
        var isTerminal = ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected;
        var output = new AnsiConsoleOutput(writer);
        var console = isTerminal
            ? AnsiConsole.Create(new() { Out = output })
            : AnsiConsole.Create(new() { Out = output, Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors });
        console.Profile.Width = WidthOfConsole;

        var used = Enumerable.Range(0, titles.Length).Where(column => _rows.Any(row => row[column].Text.Length > 0)).ToArray();
        var widths = used.Select(column => _rows.Max(row => row[column].Text.GetCellWidth())).ToArray();
        for (var i = 0; i < used.Length; i++) widths[i] = Math.Max(widths[i], titles[used[i]].Length);
        Line(console, used, widths, column => new(titles[column], new Style(decoration: Decoration.Bold)));
        foreach (var row in _rows) Line(console, used, widths, column => new(row[column].Text, new Style(row[column].Colour)));
    }

    private static void Line(IAnsiConsole console, int[] columns, int[] widths, Func<int, (string Text, Style Style)> cell)
    {
        var line = new Paragraph();
        var blanks = 0; // Nobody needs them at the end of a line.
        for (var i = 0; i < columns.Length; i++)
        {
            var (text, style) = cell(columns[i]);
            if (text.Length > 0)
            {
                line.Append(new string(' ', blanks)).Append(text, style);
                blanks = 0;
            }

            blanks += widths[i] - text.GetCellWidth() + Gap;
        }

        console.Write(line);
        console.WriteLine();
    }
}
