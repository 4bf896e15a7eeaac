using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Massif.Reb.Configuration;

namespace Massif.Benchmarks;

/// <summary>The installed rsyslog with the lines of our own benchmarks: TCP on loopback to a file, nothing parsed or synced.</summary>
internal static class RsyslogPeer
{
    /// <summary>The name on the command line.</summary>
    public const string Name = "rsyslog";

    private const string Program = "rsyslogd";
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(10);

    /// <summary>Returns the path of the program.</summary>
    /// <exception cref="BenchException">It is not installed.</exception>
    public static string Find()
    {
        // Daemons are in sbin, which the PATH of a user leaves out on some systems.
        string[] places = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator), "/usr/sbin", "/usr/local/sbin"];
        return places.Select(place => Path.Combine(place, Program)).FirstOrDefault(File.Exists)
            ?? throw new BenchException($"{Program} is not installed; on Debian and Ubuntu: apt-get install rsyslog");
    }

    /// <summary>Measures.</summary>
    /// <exception cref="BenchException">It did not start, or took nothing.</exception>
    public static async Task<BenchRow> RunAsync(BenchRun run, string program, CancellationToken cancel)
    {
        run.Request.Progress($"peer {Name}: TCP to file, {program}");
        var directory = Directory.CreateTempSubdirectory("massif-bench-").FullName;
        try
        {
            var listener = new IPEndPoint(IPAddress.Loopback, FreePort());
            var written = Path.Combine(directory, "written");
            using var process = Start(program, directory, Configuration(listener, directory, written));
            try
            {
                using var sender = await ConnectAsync(listener, process, directory, cancel);
                var measured = await Measurement.TakeAsync(
                    run,
                    () => Task.FromResult(File.Exists(written) ? (double)new FileInfo(written).Length / SyslogLines.LineBytes : 0),
                    () => Cpu(process, directory),
                    cancel);
                var memory = new Dictionary<string, double> { [Name] = Math.Round(process.PeakWorkingSet64 / 1048576.0, 1) };
                var limit = run.Machine.Tcp / SyslogLines.LineBytes;
                return BenchRow.OfNodes($"peer {Name}: TCP to file", measured, limit, "loopback TCP", memory);
            }
            finally
            {
                if (!process.HasExited) process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Its faster TCP input, and a template that writes a line as it came, so that the file's length counts them.</summary>
    private static string Configuration(IPEndPoint listener, string directory, string written) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        global(workDirectory="{directory}")
        module(load="imptcp")
        input(type="imptcp" address="{listener.Address}" port="{listener.Port}")
        template(name="line" type="string" string="%rawmsg%\n")
        action(type="omfile" file="{written}" template="line")

        """);

    private static Process Start(string program, string directory, string configuration)
    {
        var file = Path.Combine(directory, "rsyslog.conf");
        File.WriteAllText(file, configuration);
        var start = new ProcessStartInfo("/bin/sh");
        string[] command = [program, "-n", "-f", file, "-i", Path.Combine(directory, "pid")];
        string[] arguments = ["-c", "exec \"$@\" >>\"$0\" 2>&1", LogOf(directory), .. command];
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start) ?? throw new BenchException($"{program} did not start");
    }

    private static async Task<SyslogSender> ConnectAsync(IPEndPoint listener, Process process, string directory, CancellationToken cancel)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(50, cancel))
        {
            try
            {
                return new(listener);
            }
            catch (SocketException) when (!process.HasExited && watch.Elapsed < StartTime)
            {
                // It does not listen yet.
            }
            catch (SocketException)
            {
                throw new BenchException($"{Program} did not start: {LastWords(directory)}");
            }
        }
    }

    private static Dictionary<string, TimeSpan> Cpu(Process process, string directory)
    {
        if (process.HasExited) throw new BenchException($"{Program} ended by itself: {LastWords(directory)}");
        process.Refresh();
        return new() { [Name] = process.TotalProcessorTime };
    }

    private static int FreePort()
    {
        using var ports = new FreePorts();
        return ports.Next();
    }

    private static string LogOf(string directory) => Path.Combine(directory, "output.log");

    private static string LastWords(string directory) =>
        File.Exists(LogOf(directory)) ? string.Join(Environment.NewLine, File.ReadLines(LogOf(directory)).TakeLast(5)) : "";
}
