using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Massif.Cli.Demo;

/// <summary>The view for a terminal: one picture that is drawn again in place, and fits into 80 columns and 24 rows.</summary>
internal sealed class LiveView : IDemoView
{
    private const int AlarmsShown = 8;
    private const int RowsForFrames = 38;
    private const int ColumnsForFrames = 100;
    private const int WordsShown = 4;

    private readonly IAnsiConsole _console;
    private readonly Queue<string> _words = [];
    private readonly ManualResetEventSlim _end = new();
    private readonly Task _live;
    private LiveDisplayContext? _context;
    private bool _isShown;

    /// <summary>Takes over the terminal until disposed.</summary>
    public LiveView(IAnsiConsole console)
    {
        _console = console;
        var ready = new ManualResetEventSlim();
        _live = Task.Factory.StartNew(
            () => console.Live(new Text("")).AutoClear(false).Start(context =>
            {
                _context = context;
                ready.Set();
                _end.Wait();
            }),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);
        ready.Wait();
    }

    /// <inheritdoc />
    public void Say(string text)
    {
        if (!_isShown)
        {
            _context?.UpdateTarget(new Text(text)); // Until there is a picture.
            return;
        }

        lock (_words)
        {
            _words.Enqueue(text);
            while (_words.Count > WordsShown) _words.Dequeue();
        }
    }

    /// <inheritdoc />
    public void Show(DemoSnapshot snapshot)
    {
        _isShown = true;
        _context?.UpdateTarget(Draw(snapshot));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _end.Set();
        _live.Wait();
        _end.Dispose();
        _console.WriteLine();
    }

    /// <summary>Draws everything; of the alarms as many, the latest, as there is room for.</summary>
    internal Rows Draw(DemoSnapshot snapshot)
    {
        var before = new List<IRenderable>(Headline(snapshot)) { new Columns(Nodes(snapshot), Paths(snapshot)) { Expand = false } };
        if (snapshot.Faults.Count > 0) before.Add(Faults(snapshot));
        List<IRenderable> after = [.. Words(), Invitation(snapshot)];
        Rows With(int alarms) => new([.. before, Alarms(snapshot, alarms), .. after]);

        var shown = AlarmsShown;
        while (shown > 1 && RowsOf(With(shown)) >= _console.Profile.Height) shown--;
        return With(shown);
    }

    private bool IsSmall => _console.Profile.Height < RowsForFrames || _console.Profile.Width < ColumnsForFrames;

    private int RowsOf(Rows picture)
    {
        using var text = new StringWriter();
        var paper = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(text), Ansi = AnsiSupport.No });
        (paper.Profile.Width, paper.Profile.Height) = (_console.Profile.Width, _console.Profile.Height);
        paper.Write(picture);
        return text.ToString().TrimEnd().Split('\n').Length;
    }

    private List<IRenderable> Words()
    {
        lock (_words) return [.. _words.Select(word => new Markup($"[grey]{Markup.Escape(word)}[/]"))];
    }

    private Markup Invitation(DemoSnapshot snapshot)
    {
        var (label, end) = IsSmall ? ("Try:", "Ctrl-C ends.") : ("Try it:", "Ctrl-C ends everything.");
        return new($"[grey]{label}[/] {Markup.Escape(snapshot.TryIt)}   [grey]{end}[/]");
    }

    private IEnumerable<Markup> Headline(DemoSnapshot snapshot)
    {
        var share = snapshot.Planned == 0 ? 1 : (double)snapshot.Sent / snapshot.Planned;
        var what = string.Create(
            CultureInfo.InvariantCulture, $"[bold]Massif[/] {Markup.Escape(snapshot.Phase)} [grey]{snapshot.Elapsed:mm\\:ss}[/]");
        var figures = string.Create(
            CultureInfo.InvariantCulture,
            $"sent [bold]{snapshot.Sent:N0}[/] of {snapshot.Planned:N0} ({share:P0})   events/s: in [bold]{snapshot.InPerSecond:N0}[/]  " +
            $"agreed [bold]{snapshot.AgreedPerSecond:N0}[/]  correlated [bold]{snapshot.CorrelatedPerSecond:N0}[/]");
        return IsSmall ? [new(what), new(figures)] : [new($"{what}   {figures}")];
    }

    private Table Nodes(DemoSnapshot snapshot)
    {
        var table = Frame("node", "state", "process", "events");
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var node in snapshot.Nodes)
        {
            table.AddRow(
                Markup.Escape(node.Id),
                Coloured(node.State),
                node.ProcessId?.ToString(CultureInfo.InvariantCulture) ?? "-",
                node.Events?.ToString("N0", CultureInfo.InvariantCulture) ?? "");
        }

        return table;
    }

    private Table Paths(DemoSnapshot snapshot)
    {
        var table = Frame(IsSmall ? "path" : "path from the edge", "state", "corrupt", "replayed");
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var path in snapshot.Paths)
        {
            table.AddRow(
                Markup.Escape(path.Name),
                Coloured(path.State),
                path.Corrupt.ToString("N0", CultureInfo.InvariantCulture),
                path.Replayed.ToString("N0", CultureInfo.InvariantCulture));
        }

        return table;
    }

    private Table Faults(DemoSnapshot snapshot)
    {
        var table = Frame("fault", "at line", "detected");
        table.Columns[1].RightAligned();
        foreach (var fault in snapshot.Faults)
        {
            var story = Markup.Escape(IsSmall ? Story.ShortOf(fault) : Story.Of(fault));
            table.AddRow(
                fault.Begun ? story : $"[grey]{story}[/]",
                fault.At.ToString("N0", CultureInfo.InvariantCulture),
                fault.Detected is { } detected ? $"[green]{Markup.Escape(detected)}[/]" : fault.Begun ? "[yellow]not yet[/]" : "");
        }

        return table;
    }

    private Table Alarms(DemoSnapshot snapshot, int shown)
    {
        var table = Frame(IsSmall ? "alarm" : "alarm (f+1 replicas agree)", "key", "events", "first", "last");
        table.Columns[2].RightAligned();
        foreach (var alarm in snapshot.Alarms.TakeLast(shown))
        {
            table.AddRow(
                $"[red]{Markup.Escape(alarm.Rule)}[/]",
                Markup.Escape(alarm.KeyText),
                alarm.Count.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(Stamp(alarm.First, IsSmall ? "2026-".Length : 0)),
                Markup.Escape(Stamp(alarm.Last, IsSmall ? "2026-11-21 ".Length : 0)));
        }

        if (snapshot.Alarms.Count == 0) table.AddRow("[grey]none yet[/]");
        if (snapshot.Alarms.Count > shown)
            table.Caption(string.Create(CultureInfo.InvariantCulture, $"the latest of {snapshot.Alarms.Count:N0}"));
        return table;
    }

    private Table Frame(params string[] columns)
    {
        var table = new Table().Border(IsSmall ? TableBorder.None : TableBorder.Rounded).BorderColor(Color.Grey);
        foreach (var column in columns) table.AddColumn(new TableColumn($"[grey]{column}[/]"));
        return table;
    }

    // RFC 3339 with nanoseconds is for programs; where room is scarce the year goes too, and the second date.
    private static string Stamp(string stamp, int start) => stamp.Length > 19 ? stamp[start..19].Replace('T', ' ') : stamp;

    private static string Coloured(string state)
    {
        var colour = state switch
        {
            "up" or "ok" => "green",
            "starting" or "catching up" or "behind" => "yellow",
            _ => "red",
        };
        return $"[{colour}]{Markup.Escape(state)}[/]";
    }
}
