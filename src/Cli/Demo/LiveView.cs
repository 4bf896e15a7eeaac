using System.Globalization;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Massif.Cli.Demo;

/// <summary>The view for a terminal: one picture that is drawn again in place.</summary>
internal sealed class LiveView : IDemoView
{
    private const int AlarmsShown = 8;
    private const int RowsForFrames = 38; // In fewer rows the tables have no frames, so that everything fits into 24.
    private const int WordsShown = 4;

    private readonly IAnsiConsole _console;
    private readonly Queue<string> _words = [];
    private readonly ManualResetEventSlim _end = new();
    private readonly Task _live;
    private LiveDisplayContext? _context;

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
        lock (_words)
        {
            _words.Enqueue(text);
            while (_words.Count > WordsShown) _words.Dequeue();
        }
    }

    /// <inheritdoc />
    public void Show(DemoSnapshot snapshot)
    {
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

    private bool IsSmall => _console.Profile.Height < RowsForFrames;

    private Rows Draw(DemoSnapshot snapshot)
    {
        var parts = new List<IRenderable> { Headline(snapshot), Side(Nodes(snapshot), Paths(snapshot)) };
        if (snapshot.Faults.Count > 0) parts.Add(Faults(snapshot));
        parts.Add(Alarms(snapshot));
        lock (_words) parts.AddRange(_words.Select(word => new Markup($"[grey]{Markup.Escape(word)}[/]")));
        parts.Add(new Markup($"[grey]Try it:[/] {Markup.Escape(snapshot.TryIt)}   [grey]Ctrl-C ends everything.[/]"));
        return new Rows(parts);
    }

    private static Markup Headline(DemoSnapshot snapshot)
    {
        var share = snapshot.Planned == 0 ? 1 : (double)snapshot.Sent / snapshot.Planned;
        return new(string.Create(
            CultureInfo.InvariantCulture,
            $"[bold]Massif[/] {Markup.Escape(snapshot.Phase)} [grey]{snapshot.Elapsed:mm\\:ss}[/]   sent [bold]{snapshot.Sent:N0}[/] of {snapshot.Planned:N0} ({share:P0})   events/s: in [bold]{snapshot.InPerSecond:N0}[/]  agreed [bold]{snapshot.AgreedPerSecond:N0}[/]  correlated [bold]{snapshot.CorrelatedPerSecond:N0}[/]"));
    }

    private static Columns Side(IRenderable left, IRenderable right) => new(left, right) { Expand = false };

    private Table Nodes(DemoSnapshot snapshot)
    {
        var table = Frame("node", "state", "process", "delivered");
        table.Columns[2].RightAligned();
        table.Columns[3].RightAligned();
        foreach (var node in snapshot.Nodes)
        {
            table.AddRow(
                Markup.Escape(node.Id),
                Coloured(node.State),
                node.ProcessId?.ToString(CultureInfo.InvariantCulture) ?? "-",
                node.Delivered?.ToString("N0", CultureInfo.InvariantCulture) ?? "");
        }

        return table;
    }

    private Table Paths(DemoSnapshot snapshot)
    {
        var table = Frame("path from the edge", "state", "corrupt", "replayed");
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
            table.AddRow(
                fault.Begun ? Markup.Escape(Story.Of(fault)) : $"[grey]{Markup.Escape(Story.Of(fault))}[/]",
                fault.At.ToString("N0", CultureInfo.InvariantCulture),
                fault.Detected is { } detected ? $"[green]{Markup.Escape(detected)}[/]" : fault.Begun ? "[yellow]not yet[/]" : "");
        }

        return table;
    }

    private Table Alarms(DemoSnapshot snapshot)
    {
        var table = Frame("alarm (f+1 replicas agree)", "key", "events", "first", "last");
        table.Columns[2].RightAligned();
        var shown = IsSmall ? AlarmsShown / 2 : AlarmsShown;
        foreach (var alarm in snapshot.Alarms.TakeLast(shown))
        {
            table.AddRow(
                $"[red]{Markup.Escape(alarm.Rule)}[/]",
                Markup.Escape(alarm.KeyText),
                alarm.Count.ToString(CultureInfo.InvariantCulture),
                Markup.Escape(ToTheSecond(alarm.First)),
                Markup.Escape(ToTheSecond(alarm.Last)));
        }

        if (snapshot.Alarms.Count == 0) table.AddRow("[grey]none yet[/]");
        if (snapshot.Alarms.Count > shown)
            table.Caption(string.Create(CultureInfo.InvariantCulture, $"{snapshot.Alarms.Count} in all"));
        return table;
    }

    private Table Frame(params string[] columns)
    {
        var table = new Table().Border(IsSmall ? TableBorder.None : TableBorder.Rounded).BorderColor(Color.Grey);
        foreach (var column in columns) table.AddColumn(new TableColumn($"[grey]{column}[/]"));
        return table;
    }

    // RFC 3339 with nanoseconds is for programs.
    private static string ToTheSecond(string stamp) => stamp.Length > 19 ? stamp[..19].Replace('T', ' ') : stamp;

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
