using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Massif.Cli.Demo;

namespace Massif.Integration.Tests.BadDays;

/// <summary>Real senders, with the configuration of the README, as far as <c>massif tail events --json</c>.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class SyslogProgramTests
{
    [ToolFact("rsyslogd")]
    public async Task What_logger_and_rsyslog_send_comes_out_of_tail()
    {
        await using var domain = new LiveDomain(options => options with { Relays = 0 });
        await domain.StartHereAsync([.. domain.Cores, "edge1"]);
        await domain.ReadyAsync([.. domain.Cores, "edge1"]);
        using var tail = Shell.Start(
            SelfCommand.Line[0],
            [.. SelfCommand.Line.Skip(1), "tail", "events", "--json", "--domain", domain.Home]);
        using var rsyslog = Shell.Start("/usr/sbin/rsyslogd", ["-n", "-f", Configuration(domain), "-i", domain.At("rsyslog.pid")]);
        try
        {
            var seen = new List<JsonElement>();
            var reading = ReadAsync(tail, seen);
            // A tail begins with what comes after it: until it has shown something it may not have begun.
            await Until.HoldsAsync(
                async () =>
                {
                    await Senders.SendDatagramAsync(domain.Listener("syslog-udp"), "<13>is anybody there");
                    lock (seen) return seen.Count > 0;
                },
                () => "tail shows nothing");
            await Until.HoldsAsync(
                () => Task.FromResult(File.Exists(domain.At("log"))),
                () => $"rsyslog does not run: {rsyslog.HasExited}");

            var port = domain.Listener("syslog-tcp").Port.ToString(CultureInfo.InvariantCulture);
            await LoggerAsync("--server", "127.0.0.1", "--port", port, "--tcp", "by-logger-tcp");
            await LoggerAsync("--server", "127.0.0.1", "--port", port, "--tcp", "--octet-count", "by-logger-tcp-counted");
            await LoggerAsync("--server", "127.0.0.1", "--port", port, "--udp", "by-logger-udp");
            await LoggerAsync("--server", "127.0.0.1", "--port", port, "--udp", "--rfc3164", "by-logger-udp-3164");
            await LoggerAsync("--socket", domain.At("log"), "by-rsyslog");

            string[] expected =
            [
                "by-logger-tcp", "by-logger-tcp-counted", "by-logger-udp", "by-logger-udp-3164",
                "by-rsyslog over tcp-counted", "by-rsyslog over tcp-lf", "by-rsyslog over udp",
            ];
            foreach (var text in expected)
            {
                await Until.HoldsAsync(() => Task.FromResult(Find(seen, text).Count > 0), () => $"tail does not show {text}");
                var one = Assert.Single(Find(seen, text));
                Assert.Equal("massif-test", one.GetProperty("process.name").GetString());
                Assert.StartsWith("edge1/", one.GetProperty("event.id").GetString(), StringComparison.Ordinal);
            }

            tail.Kill();
            await reading;
        }
        finally
        {
            if (!tail.HasExited) tail.Kill();
            if (!rsyslog.HasExited) rsyslog.Kill();
        }
    }

    private static async Task LoggerAsync(params string[] arguments)
    {
        var result = await Shell.RunAsync("logger", ["--tag", "massif-test", .. arguments]);
        Assert.True(result.Code == 0, result.Error);
    }

    private static string Configuration(LiveDomain domain)
    {
        var file = domain.At("rsyslog.conf");
        var port = domain.Listener("syslog-tcp").Port;
        File.WriteAllText(file, $$"""
            global(workDirectory="{{Path.GetDirectoryName(file)}}")
            module(load="imuxsock" SysSock.Use="off")
            input(type="imuxsock" Socket="{{domain.At("log")}}" CreatePath="off")
            template(name="counted" type="string"
                string="<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% %PROCID% - - %msg:2:$% over tcp-counted")
            template(name="lf" type="string" string="<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag%%msg% over tcp-lf")
            template(name="udp" type="string" string="<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag%%msg% over udp")
            action(type="omfwd" target="127.0.0.1" port="{{port}}" protocol="tcp" tcp_framing="octet-counted"
                template="counted" queue.type="LinkedList" action.resumeRetryCount="-1")
            action(type="omfwd" target="127.0.0.1" port="{{port}}" protocol="tcp" tcp_framing="traditional"
                template="lf" queue.type="LinkedList" action.resumeRetryCount="-1")
            action(type="omfwd" target="127.0.0.1" port="{{port}}" protocol="udp" template="udp")

            """);
        return file;
    }

    private static async Task ReadAsync(Process tail, List<JsonElement> seen)
    {
        while (await tail.StandardOutput.ReadLineAsync() is { } line)
        {
            lock (seen) seen.Add(JsonDocument.Parse(line).RootElement);
        }
    }

    private static List<JsonElement> Find(List<JsonElement> seen, string message)
    {
        lock (seen)
            return [.. seen.Where(one => one.TryGetProperty("message", out var text) && text.GetString()!.Trim() == message)];
    }
}
