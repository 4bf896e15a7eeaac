namespace Massif.Benchmarks;

/// <summary>A node that runs as a process of its own; the program that calls the benchmarks knows how to start one.</summary>
public interface INodeProcess : IDisposable
{
    /// <summary>Gets the process id while it runs; null otherwise.</summary>
    int? ProcessId { get; }

    /// <summary>Starts it.</summary>
    void Start();

    /// <summary>Asks it to stop (SIGTERM).</summary>
    void AskToStop();

    /// <summary>Waits until it has ended; false when it has not after that time.</summary>
    bool WaitForEnd(TimeSpan most);

    /// <summary>Returns the last lines that it printed.</summary>
    string LastWords(int lines = 5);
}

/// <summary>Makes the process of a node, not started yet.</summary>
/// <param name="id">The node's id.</param>
/// <param name="arguments">The command line after the program's name, such as <c>core -c FILE</c>.</param>
/// <param name="logFile">File that gets everything the process prints.</param>
public delegate INodeProcess NodeLauncher(string id, IReadOnlyList<string> arguments, string logFile);
