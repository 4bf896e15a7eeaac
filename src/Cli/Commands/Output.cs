using System.CommandLine;
using System.Text;
using Massif.Client;
using Massif.Events;
using Spectre.Console;

namespace Massif.Cli.Commands;

/// <summary>How commands print what a domain told. What replicas and sources wrote never reaches a terminal as it is.</summary>
internal static class Output
{
    // Wide enough that nothing is wrapped where no terminal is: scripts cut lines by themselves.
    private const int WidthOfNoTerminal = 1_000;

    /// <summary>Makes a table without a frame, which reads well and can be cut into columns.</summary>
    public static Table Columns(params string[] titles)
    {
        var table = new Table().Border(TableBorder.None);
        foreach (var title in titles)
        {
            var head = new Text(title, new Style(decoration: Decoration.Bold));
            table.AddColumn(new TableColumn(head).PadLeft(0).PadRight(2).NoWrap());
        }

        return table;
    }

    /// <summary>Adds a row of plain texts.</summary>
    public static void Row(this Table table, params string[] cells) =>
        table.AddRow(cells.Select(cell => new Text(Printable(cell))));

    /// <summary>Prints a table where the command prints.</summary>
    public static void Print(ParseResult parse, Table table)
    {
        var writer = parse.InvocationConfiguration.Output;
        if (ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected)
        {
            AnsiConsole.Write(table);
            return;
        }

        var text = new StringWriter();
        var plain = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(text),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        plain.Profile.Width = WidthOfNoTerminal;
        plain.Write(table);
        // Columns are filled up with blanks, which nobody needs at the end of a line.
        foreach (var line in text.ToString().TrimEnd().Split('\n')) writer.WriteLine(line.TrimEnd());
    }

    /// <summary>Names on standard error who does not agree.</summary>
    public static void Notes(ParseResult parse, IEnumerable<ReplicaStatus> replicas)
    {
        foreach (var replica in replicas.Where(replica => replica.State != ReplicaState.Agrees))
            parse.InvocationConfiguration.Error.WriteLine($"{replica.Id}: {Word(replica.State)}: {Printable(replica.Note ?? "")}");
    }

    /// <summary>Returns a state as people read it.</summary>
    public static string Word(ReplicaState state) => state.ToString().ToLowerInvariant();

    /// <summary>Returns a text in which control characters are written out.</summary>
    public static string Printable(string text) => EventText.Printable(Encoding.UTF8.GetBytes(text));
}
