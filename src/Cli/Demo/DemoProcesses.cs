namespace Massif.Cli.Demo;

/// <summary>All processes of one demonstration: started in order, ended whatever happens.</summary>
internal sealed class DemoProcesses : IDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(8);
    private readonly List<NodeProcess> _nodes = [];

    /// <summary>Gets the nodes in the order in which they were added.</summary>
    public IReadOnlyList<NodeProcess> All => _nodes;

    /// <summary>Returns the process of a node.</summary>
    public NodeProcess this[string id] => _nodes.First(node => node.Id == id);

    /// <summary>Adds a node; it is started by <see cref="NodeProcess.Start"/>.</summary>
    public NodeProcess Add(string id, IReadOnlyList<string> arguments, string logFile, IReadOnlyList<string>? program = null)
    {
        var node = new NodeProcess(id, arguments, logFile, program);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Returns the nodes that ended by themselves; none of them ever should.</summary>
    public IReadOnlyList<NodeProcess> Lost() =>
        [.. _nodes.Where(node => node.Starts > 0 && node.Ended is { } how && how != "killed")];

    /// <summary>Ends all: first asks, then insists.</summary>
    /// <param name="stopTime">How long they may take; null for the default.</param>
    /// <returns>The nodes that had to be killed because they did not stop when asked.</returns>
    public IReadOnlyList<NodeProcess> EndAll(TimeSpan? stopTime = null)
    {
        foreach (var node in _nodes) node.AskToStop();
        var deadline = DateTime.UtcNow + (stopTime ?? StopTime);
        var stubborn = new List<NodeProcess>();
        foreach (var node in _nodes)
        {
            var left = deadline - DateTime.UtcNow;
            if (node.WaitForEnd(left > TimeSpan.Zero ? left : TimeSpan.Zero)) continue;
            stubborn.Add(node);
            node.Kill();
        }

        return stubborn;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var node in _nodes) node.Dispose();
    }
}
