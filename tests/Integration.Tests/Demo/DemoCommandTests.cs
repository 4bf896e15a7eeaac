using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Massif.Cli.Demo;

namespace Massif.Integration.Tests.Demo;

/// <summary>The demonstration as people and scripts run it: real processes, real sockets, real disks, kill -9.</summary>
public sealed partial class DemoCommandTests : IDisposable
{
    private const int Nodes = 7;
    private readonly TemporaryDirectory _temporary = new();

    public void Dispose() => _temporary.Dispose();

    [Fact]
    public async Task A_killed_replica_and_a_lying_relay_lose_forge_and_reorder_nothing()
    {
        var samples = Path.Combine(Checkout.Root, "samples");
        var (attacks, workday) = (Path.Combine(samples, "sshd-bruteforce.log"), Path.Combine(samples, "sshd-workday.log"));
        var result = await RunAsync("--input", attacks, "--input", workday, "--rate", "400", "--json");
        Assert.True(result.Code == 0, result.Error);

        using var document = JsonDocument.Parse(result.Output);
        var json = document.RootElement;
        var sent = InputLines.Count([attacks, workday]);
        Assert.Equal(sent, json.GetProperty("sent").GetInt64());
        Assert.Equal(
            [("core1", sent), ("core2", sent), ("core3", sent), ("core4", sent)],
            json.GetProperty("delivered").EnumerateObject().Select(one => (one.Name, one.Value.GetInt64())));
        Assert.Equal(
            (0, 0, true),
            (json.GetProperty("lost").GetInt64(), json.GetProperty("duplicates").GetInt64(), json.GetProperty("agree").GetBoolean()));
        var faults = json.GetProperty("faults").EnumerateArray().ToList();
        Assert.All(faults, fault => Assert.Equal(JsonValueKind.String, fault.GetProperty("detected").ValueKind));
        Assert.Equal(["kill", "misbehave", "restart"], faults.Select(fault => fault.GetProperty("kind").GetString()));
        Assert.Equal(ExpectedAlarms(samples), AlarmsOf(json));
        Assert.Empty(Directory.GetDirectories(_temporary.Path)); // Removed after success.
    }

    [Fact]
    public async Task Lines_of_any_form_are_counted_and_empty_ones_are_not()
    {
        var log = _temporary.Write("few.log", "<38>Nov 21 11:00:00 web-1 sshd[1]: one\n\nNov 21 11:00:01 web-1 sshd[1]: two\nthree\n");
        var result = await RunAsync("--input", log, "--no-faults", "--json");
        Assert.True(result.Code == 0, result.Error);
        using var document = JsonDocument.Parse(result.Output);
        Assert.Equal(3, document.RootElement.GetProperty("sent").GetInt64());
        Assert.True(document.RootElement.GetProperty("internal").GetInt64() > 0); // The edge said that it started.
        Assert.Equal(0, document.RootElement.GetProperty("faults").GetArrayLength());
    }

    [Fact]
    public async Task Asked_to_stop_it_ends_every_process_and_leaves_no_directory()
    {
        using var demo = Start();
        var pids = await UntilAllAreUpAsync(demo);

        // Whoever is impatient asks again; what was begun is ended all the same.
        var id = demo.Id.ToString(CultureInfo.InvariantCulture);
        await Shell.RunAsync("/bin/sh", ["-c", "kill -TERM $0; kill -TERM $0; kill -INT $0; kill -TERM $0", id]);
        await demo.WaitForExitAsync();
        Assert.Equal(1, demo.ExitCode); // Nothing was checked.
        Assert.All(pids, pid => Assert.Throws<ArgumentException>(() => Process.GetProcessById(pid)));
        Assert.Empty(Directory.GetDirectories(_temporary.Path));
    }

    [Fact]
    public async Task Killed_itself_it_leaves_no_process_behind()
    {
        using var demo = Start();
        var pids = await UntilAllAreUpAsync(demo);
        var nodes = pids.Select(Process.GetProcessById).ToList();
        demo.Kill();
        foreach (var node in nodes)
        {
            await node.WaitForExitAsync();
            node.Dispose();
        }
    }

    [Fact]
    public async Task A_node_that_ends_by_itself_is_named_and_nobody_waits_a_minute_for_it()
    {
        var log = _temporary.Write("few.log", string.Concat(Enumerable.Range(0, 300).Select(i => $"line {i}\n")));
        using var demo = Start("--input", log, "--rate", "100", "--no-faults");
        var pids = await UntilAllAreUpAsync(demo);
        using (var core = Process.GetProcessById(pids[0])) core.Kill();
        var (output, error) = (demo.StandardOutput.ReadToEndAsync(), demo.StandardError.ReadToEndAsync());
        await demo.WaitForExitAsync();
        Assert.Equal(1, demo.ExitCode);
        Assert.Contains("core1 ended with code 137, see ", await output, StringComparison.Ordinal);
        Assert.Contains("nothing has moved for 5 s", await output, StringComparison.Ordinal);
        Assert.Contains("Configuration, data and logs of all nodes: ", await error, StringComparison.Ordinal);
    }

    private Process Start(params string[] arguments) => Shell.Start(
        SelfCommand.Line[0], [.. SelfCommand.Line.Skip(1), "demo", "--plain", .. arguments], environment: Environment);

    private Task<ShellResult> RunAsync(params string[] arguments) =>
        Shell.RunAsync(SelfCommand.Line[0], [.. SelfCommand.Line.Skip(1), "demo", .. arguments], environment: Environment);

    private Dictionary<string, string> Environment => new() { ["TMPDIR"] = _temporary.Path };

    private static async Task<IReadOnlyList<int>> UntilAllAreUpAsync(Process demo)
    {
        var pids = new HashSet<int>();
        var nodes = new HashSet<string>();
        while (await demo.StandardOutput.ReadLineAsync() is { } line)
        {
            if (NodeLine().Match(line) is { Success: true } node)
            {
                pids.Add(int.Parse(node.Groups[3].ValueSpan, CultureInfo.InvariantCulture));
                if (nodes.Add(node.Groups[1].Value)) Assert.Equal("starting", node.Groups[2].Value); // Nothing is up before it says so.
            }

            if (line.Contains("all nodes are up", StringComparison.Ordinal)) break;
        }

        Assert.Equal(Nodes, pids.Count);
        return [.. pids];
    }

    private static IEnumerable<string> ExpectedAlarms(string samples) =>
        File.ReadLines(Path.Combine(samples, "expected-alarms.tsv"))
            .Select(line => line.Split('\t'))
            .Select(alarm => $"{alarm[1]} {alarm[2]}")
            .Order();

    private static IEnumerable<string> AlarmsOf(JsonElement json) =>
        json.GetProperty("alarms").EnumerateArray()
            .Select(alarm =>
                $"{alarm.GetProperty("key").GetProperty("source.ip").GetString()} {alarm.GetProperty("count").GetInt64()}")
            .Order();

    [GeneratedRegex(@"\] node (\S+): (\w+), process (\d+)$")]
    private static partial Regex NodeLine();
}
