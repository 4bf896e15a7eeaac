using Massif.Cli.Demo;
using Spectre.Console;

namespace Massif.Integration.Tests.Demo;

public sealed class LiveViewTests
{
    [Theory]
    [InlineData(80, 24, "2026")]
    [InlineData(100, 30, "2001:db8:1111:2222:3333:4444:5555:6666")]
    [InlineData(120, 40, "192.0.2.1")]
    [InlineData(200, 60, "192.0.2.1")]
    public void Everything_fits_into_the_terminal_with_as_many_alarms_as_there_is_room_for(int columns, int rows, string address)
    {
        var lines = Draw(columns, rows, address);
        Assert.True(lines.Count < rows, string.Join("\n", lines));
        Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 0, columns));
        var picture = string.Join('\n', lines);
        string[] shown =
        [
            "core1", "core4", "relay1", "relay2", "edge1", "via relay2", "killed", "misbehaves", "logger --server", "Ctrl-C",
        ];
        foreach (var text in shown) Assert.Contains(text, picture, StringComparison.Ordinal);
        Assert.Contains("4,321 corrupt and 1,234 replayed", picture, StringComparison.Ordinal);
        Assert.Contains("the latest of 40", picture, StringComparison.Ordinal);

        // One alarm more would not have fitted, unless there are as many as are ever shown.
        var alarms = lines.Count(line => line.Contains("ssh-bruteforce", StringComparison.Ordinal));
        Assert.True(alarms == 8 || lines.Count == rows - 1 || address.Length > 20, picture);
        Assert.InRange(alarms, 1, 8);
    }

    [Fact]
    public void Alarms_keep_one_line_each_in_the_smallest_terminal()
    {
        var lines = Draw(80, 24, "203.0.113.255");
        const string Row = "ssh-bruteforce source.ip=203.0.113.255     12 11-21 11:17:24 11:17:35";
        Assert.Contains(lines, line => line.Contains(Row, StringComparison.Ordinal));
    }

    private static List<string> Draw(int columns, int rows, string address)
    {
        using var output = new StringWriter();
        var console = AnsiConsole.Create(new()
        {
            Out = new AnsiConsoleOutput(output),
            Ansi = AnsiSupport.No,
            ColorSystem = ColorSystemSupport.NoColors,
        });
        (console.Profile.Width, console.Profile.Height) = (columns, rows);
        using (var view = new LiveView(console))
        {
            output.GetStringBuilder().Clear();
            console.Write(view.Draw(Snapshot(address)));
            return [.. output.ToString().TrimEnd('\n').Split('\n')];
        }
    }

    private static DemoSnapshot Snapshot(string address)
    {
        var script = FaultScript.For(200_000, "core4", "relay1");
        foreach (var fault in script.Faults) fault.Begin(fault.At);
        script.Faults[0].Detect("core4 is silent; the other 3 go on without it");
        script.Faults[1].Detect("4,321 corrupt and 1,234 replayed copies refused and blamed on the path via relay1");
        script.Faults[2].Detect("core4 has caught up with all others");
        string[] cores = ["core1", "core2", "core3"];
        var key = new Dictionary<string, string> { ["source.ip"] = address };
        return new()
        {
            Phase = "every promise was kept; now it is yours to try",
            Elapsed = TimeSpan.FromSeconds(3_000),
            Sent = 200_000,
            Planned = 200_000,
            InPerSecond = 12_345,
            AgreedPerSecond = 12_345,
            CorrelatedPerSecond = 12_345,
            Nodes =
            [
                .. cores.Select(id => new NodeLine(id, "core", 4_194_304, "up", 200_001)),
                new("core4", "core", null, "killed", 50_000),
                new("relay1", "relay", 4_194_304, "misbehaves", null),
                new("relay2", "relay", 4_194_304, "up", null),
                new("edge1", "edge", 4_194_304, "up", null),
            ],
            Paths = [new("direct", "ok", 0, 0), new("via relay1", "blamed", 4_321, 1_234), new("via relay2", "ok", 0, 0)],
            Alarms =
            [
                .. Enumerable.Range(0, 40).Select(i => new AgreedAlarm(
                    $"{i:x32}",
                    "ssh-bruteforce",
                    key,
                    "2026-11-21T11:17:24.000000000Z",
                    "2026-11-21T11:17:35.000000000Z",
                    12,
                    [])),
            ],
            Faults = script.Faults,
            TryIt = "logger --server 127.0.0.1 --port 31999 --tcp \"hello\"",
        };
    }
}
