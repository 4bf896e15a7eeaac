using System.Diagnostics;
using Massif.Cli.Demo;

namespace Massif.Integration.Tests.Demo;

public sealed class ProcessTests : IDisposable
{
    // Says that it runs and then reads until its end: its standard input stays open as long as the demonstration lives.
    private static readonly string[] Node = ["/bin/sh", "-c", "echo running $0; exec cat", "node"];
    private static readonly string[] Stubborn = ["/bin/sh", "-c", "trap '' TERM; echo running; exec cat"];

    private readonly TemporaryDirectory _directory = new();
    private readonly DemoProcesses _processes = new();

    public void Dispose()
    {
        _processes.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void A_killed_node_is_gone_at_once_and_comes_back_as_another_process_with_the_same_log()
    {
        var node = Add("core1", Node);
        node.Start();
        var first = node.ProcessId!.Value;
        WaitForLines(node, 1);
        Assert.Equal(first, node.Kill());
        Assert.Null(node.ProcessId);
        Assert.Equal("killed", node.Ended);
        Assert.Empty(_processes.Lost());
        Assert.Throws<ArgumentException>(() => Process.GetProcessById(first));

        node.Start();
        Assert.NotEqual(first, node.ProcessId);
        WaitForLines(node, 2);
        Assert.Equal(2, node.Starts);
    }

    [Fact]
    public void A_node_that_ends_by_itself_is_lost_and_its_last_words_are_kept()
    {
        var node = Add("relay1", ["/bin/sh", "-c", "echo out; echo port in use >&2; exit 2"]);
        node.Start();
        Assert.True(node.WaitForEnd(TimeSpan.FromSeconds(30)));
        Assert.Equal("ended with code 2", node.Ended);
        Assert.Equal([node], _processes.Lost());
        Assert.Contains("port in use", node.LastWords(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_asks_all_and_leaves_none()
    {
        var nodes = new[] { Add("core1", Node), Add("core2", Node) };
        foreach (var node in nodes) node.Start();
        foreach (var node in nodes) WaitForLines(node, 1);
        var pids = nodes.Select(node => node.ProcessId!.Value).ToList();
        Assert.Empty(_processes.EndAll());
        Assert.All(pids, pid => Assert.Throws<ArgumentException>(() => Process.GetProcessById(pid)));
    }

    [Fact]
    public void A_node_that_does_not_listen_is_killed_in_the_end()
    {
        var node = Add("core1", Stubborn);
        node.Start();
        WaitForLines(node, 1);
        Assert.Equal([node], _processes.EndAll(TimeSpan.FromMilliseconds(50)));
        Assert.Null(node.ProcessId);
    }

    [Fact]
    public void Arguments_reach_the_node_as_they_are()
    {
        var node = Add("core1", ["/bin/sh", "-c", "printf '%s\\n' \"$@\"", "sh"], "two words", "$HOME", "`id`", "'\"");
        node.Start();
        Assert.True(node.WaitForEnd(TimeSpan.FromSeconds(30)));
        Assert.Equal(["two words", "$HOME", "`id`", "'\""], File.ReadAllLines(node.LogFile));
    }

    [Fact]
    public async Task This_program_can_start_itself()
    {
        var self = SelfCommand.Line;
        var result = await Shell.RunAsync(self[0], [.. self.Skip(1), "--version"]);
        Assert.StartsWith("massif ", result.Output, StringComparison.Ordinal);
    }

    private NodeProcess Add(string id, string[] program, params string[] arguments) =>
        _processes.Add(id, arguments, _directory[$"{id} output.log"], program);

    /// <summary>Waits for what the node writes, by way of the file system: tail ends when it has seen enough.</summary>
    private static void WaitForLines(NodeProcess node, int lines)
    {
        var count = lines.ToString(System.Globalization.CultureInfo.InvariantCulture);
        using var tail = Shell.Start(
            "/bin/sh", ["-c", "tail -n +1 -F -- \"$0\" 2>/dev/null | head -n \"$1\"", node.LogFile, count]);
        for (var i = 0; i < lines; i++) Assert.NotNull(tail.StandardOutput.ReadLine());
        tail.Kill(entireProcessTree: true);
    }
}
