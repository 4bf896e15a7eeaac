using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Massif.Benchmarks;

namespace Massif.Cli.Demo;

/// <summary>One node as an operating-system process of its own.</summary>
/// <param name="id">The node's id in the domain.</param>
/// <param name="arguments">The command line after the program's name, such as <c>core -c FILE</c>.</param>
/// <param name="logFile">File that gets everything the process prints, over all its lives.</param>
/// <param name="program">The beginning of the command line; null for this program itself.</param>
internal sealed class NodeProcess(
    string id, IReadOnlyList<string> arguments, string logFile, IReadOnlyList<string>? program = null) : INodeProcess
{
    private const int SignalTerm = 15;
    private readonly Lock _gate = new();
    private Process? _process;
    private bool _killed;

    /// <summary>Gets the node's id.</summary>
    public string Id => id;

    /// <summary>Gets the file with everything it printed.</summary>
    public string LogFile => logFile;

    /// <summary>Gets the process id while it runs; null otherwise.</summary>
    public int? ProcessId
    {
        get
        {
            lock (_gate) return IsAlive(_process) ? _process!.Id : null;
        }
    }

    /// <summary>Gets how often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>
    /// Gets what became of it when it does not run: "killed" when we did it, its exit code otherwise; null while it runs.
    /// </summary>
    public string? Ended
    {
        get
        {
            lock (_gate)
            {
                if (_process is null) return "not started";
                if (IsAlive(_process)) return null;
                return _killed ? "killed" : string.Create(CultureInfo.InvariantCulture, $"ended with code {_process.ExitCode}");
            }
        }
    }

    /// <summary>Starts it, or starts it again.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (IsAlive(_process)) return;
            _process?.Dispose();
            _killed = false;

            // The shell only connects the output with the file and then becomes the node: same process id, no pump that
            // loses what a killed node printed last. Nothing of the command line passes through the shell's grammar.
            var start = new ProcessStartInfo("/bin/sh") { RedirectStandardInput = true };
            foreach (var argument in (string[])["-c", "exec \"$@\" >>\"$0\" 2>&1", logFile, .. program ?? SelfCommand.Line, .. arguments])
                start.ArgumentList.Add(argument);
            start.Environment["DOTNET_EnableDiagnostics"] = "0"; // A killed process would leave its debugger sockets behind.
            _process = Process.Start(start) ?? throw new InvalidOperationException($"{id} did not start.");
            Starts++;
        }
    }

    /// <summary>kill -9: no clean-up, no farewell. Returns the process id that is gone.</summary>
    public int? Kill()
    {
        lock (_gate)
        {
            if (!IsAlive(_process)) return null;
            var pid = _process!.Id;
            _killed = true;
            _process.Kill();
            _process.WaitForExit();
            return pid;
        }
    }

    /// <summary>Asks it to stop (SIGTERM).</summary>
    public void AskToStop()
    {
        lock (_gate)
        {
            if (!IsAlive(_process)) return;
            _killed = true; // Its end is our doing, whatever the code.
            _ = SendSignal(_process!.Id, SignalTerm);
        }
    }

    /// <summary>Waits until it has ended; false when it has not after that time.</summary>
    public bool WaitForEnd(TimeSpan most)
    {
        Process? process;
        lock (_gate) process = _process;
        return process is null || process.WaitForExit(most);
    }

    /// <summary>Returns the last lines that it printed.</summary>
    public string LastWords(int lines = 5)
    {
        if (!File.Exists(logFile)) return "";
        return string.Join(Environment.NewLine, File.ReadLines(logFile).TakeLast(lines));
    }

    /// <inheritdoc />
    public void Dispose()
    {
        lock (_gate)
        {
            if (IsAlive(_process)) _process!.Kill();
            _process?.Dispose();
            _process = null;
        }
    }

    private static bool IsAlive(Process? process) => process is { HasExited: false };

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}

/// <summary>How this program is started again as another process.</summary>
internal static class SelfCommand
{
    /// <summary>Gets the beginning of the command line: the program itself, or dotnet and the program's assembly.</summary>
    public static IReadOnlyList<string> Line { get; } = Find();

    private static string[] Find()
    {
        var self = Environment.ProcessPath ?? throw new InvalidOperationException("This process has no program file.");
        var assembly = Path.Combine(AppContext.BaseDirectory, "massif.dll");
        var isHost = !Path.GetFileNameWithoutExtension(self).Equals("massif", StringComparison.Ordinal);
        return isHost && File.Exists(assembly) ? [FindDotnet(self), assembly] : [self];
    }

    /// <summary>A test host is not the way to start a program; the runtime's own host beside it is.</summary>
    private static string FindDotnet(string self)
    {
        if (Path.GetFileNameWithoutExtension(self) == "dotnet") return self;
        var root = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
        var dotnet = Path.Combine(root, "dotnet");
        return File.Exists(dotnet) ? dotnet : "dotnet";
    }
}
