using System.Diagnostics;
using System.Globalization;
using Massif.Cli.Demo;

namespace Massif.Integration.Tests.BadDays;

/// <summary><c>massif</c> as a process of its own, its output in a file.</summary>
internal sealed class TestProcess : IDisposable
{
    private readonly Process _process;

    public TestProcess(string logFile, IEnumerable<string> arguments)
    {
        LogFile = logFile;
        // The shell only connects the output with the file and then becomes the program: same process id.
        _process = Shell.Start("/bin/sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1", logFile, .. SelfCommand.Line, .. arguments]);
    }

    public string LogFile { get; }

    public int Id => _process.Id;

    public bool HasEnded => _process.HasExited;

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> TerminateAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", Id.ToString(CultureInfo.InvariantCulture)]);
        using var patience = new CancellationTokenSource(Until.Patience);
        await _process.WaitForExitAsync(patience.Token);
        return _process.ExitCode;
    }

    public string LastWords() => File.Exists(LogFile) ? string.Join('\n', File.ReadLines(LogFile).TakeLast(8)) : "";

    public void Dispose()
    {
        if (!_process.HasExited) Kill();
        _process.Dispose();
    }
}
