using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Massif.Cli.Commands;
using Massif.Mis.Core.Api;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Tests.Support;

namespace Massif.Integration.Tests.Cli;

/// <summary>What an operator types, in a directory as <c>massif init</c> makes it, against replicas with their real API.</summary>
public sealed class OperatorCommandTests : IAsyncLifetime, IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("massif-operator-").FullName;
    private readonly List<NodeConfig> _configs = [];
    private readonly CoreApi?[] _apis = new CoreApi?[4];
    private readonly FakeReplica[] _replicas = [.. Enumerable.Range(1, 4).Select(i => new FakeReplica($"core{i}"))];

    private string DomainDirectory => Path.Combine(_directory, "domain");

    public async Task InitializeAsync()
    {
        using (var ports = new FreePorts())
            Assert.Empty(DomainMaker.Create(DomainDirectory, new() { RulesText = "", PickPort = ports.Next }));
        for (var i = 0; i < 4; i++)
        {
            var node = Directory.GetFiles(Path.Combine(DomainDirectory, "nodes"), "node.yaml", SearchOption.AllDirectories)
                .Where(file => File.ReadAllText(file).Contains("role: core", StringComparison.Ordinal))
                .Order(StringComparer.Ordinal)
                .ElementAt(i);
            var (config, errors) = NodeConfig.Load(node);
            Assert.Empty(errors);
            _configs.Add(config!);
            _apis[i] = await CoreApi.StartAsync(
                config!.Options.Core!.ApiListen, config.Identity, new DomainTrust(config.Domain, config.Identity.Authority), _replicas[i]);
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var api in _apis)
        {
            if (api is not null) await api.DisposeAsync();
        }
    }

    public void Dispose()
    {
        foreach (var config in _configs) config.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Status_is_a_table_for_people_and_an_object_for_scripts()
    {
        Deliver(1, FakeReplica.Logins(0, 2));
        var (code, output, _) = await RunAsync("status");
        Assert.Equal(0, code);
        Assert.Contains("Domain massif: 4 replicas, f = 1: agreed", output, StringComparison.Ordinal);
        Assert.Contains("core1: lost its vote log; it sends no ECHO in epoch 1", output, StringComparison.Ordinal);
        Assert.DoesNotContain(output.Split('\n'), line => line.EndsWith(' '));

        (code, output, _) = await RunAsync("status", "--json");
        var status = JsonDocument.Parse(output).RootElement;
        var state = status.GetProperty("replicas")[3].GetProperty("state").GetString();
        Assert.Equal((0, true, "agrees"), (code, status.GetProperty("agreed").GetBoolean(), state));
    }

    [Fact]
    public async Task Too_many_silent_replicas_are_a_broken_promise()
    {
        Deliver(1, FakeReplica.Logins(0, 2));
        await StopAsync(0);
        Assert.Equal(0, (await RunAsync("status")).Code);
        await StopAsync(1);
        var (code, output, _) = await RunAsync("status");
        Assert.Equal(1, code);
        Assert.Contains("f = 1: NOT AGREED (core1 silent, core2 silent; at most 1 may be)", output, StringComparison.Ordinal);
        await StopAsync(2);
        Assert.Equal(1, (await RunAsync("alarm", "ls")).Code);
    }

    [Fact]
    public async Task Alarms_are_listed_and_shown_with_their_events()
    {
        Deliver(1, FakeReplica.Logins(0, 2, message: "Failed password \u001b[31m"));
        var (code, output, error) = await RunAsync("alarm", "ls", "--json");
        Assert.Equal((0, ""), (code, error));
        var id = JsonDocument.Parse(output).RootElement.GetProperty("id").GetString()!;
        Assert.Contains($"source.ip=192.0.2.1  2      edge1  {id}", (await RunAsync("alarm", "ls")).Output, StringComparison.Ordinal);

        (code, output, _) = await RunAsync("alarm", "show", id);
        Assert.Equal(0, code);
        Assert.Contains("count     2", output, StringComparison.Ordinal);
        Assert.Contains("1970-01-01T00:00:01.000000000Z edge1 - -: Failed password \\u001b[31m", output, StringComparison.Ordinal);

        (code, _, error) = await RunAsync("alarm", "show", new string('0', 32));
        Assert.Equal(1, code);
        Assert.Contains("no such alarm", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_for_terminals_and_pipes_leaves_quotes_signs_and_letters_as_they_are()
    {
        Deliver(1, FakeReplica.Logins(0, 2, message: "<a+b> it's \u00fc\u001b[31m\u009b"));
        var id = JsonDocument.Parse((await RunAsync("alarm", "ls", "--json")).Output).RootElement.GetProperty("id").GetString()!;
        var (_, output, _) = await RunAsync("alarm", "show", id, "--json");
        Assert.Contains("\"message\":\"<a+b> it's \u00fc\\u001B[31m\\u009B\"", output, StringComparison.Ordinal);

        foreach (var replica in _replicas) replica.Lie = status => status with { DiskTrouble = "<a+b> it's full" };
        Assert.Contains("\"<a+b> it's full\"", (await RunAsync("status", "--json")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_at_a_replica_is_said_below_the_table()
    {
        Deliver(1, FakeReplica.Logins(0, 1));
        _replicas[0].Lie = status => status with { DiskTrouble = "no room" };
        _replicas[1].Lie = status => status with { Peers = [new("edge1", "edge", false)] };
        var (_, output, _) = await RunAsync("status");
        Assert.Contains("core1: the disk takes nothing new: no room", output, StringComparison.Ordinal);
        Assert.Contains("core2: no link to edge1", output, StringComparison.Ordinal);
        Assert.Contains("core3: noticed bad mac 2", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_fewer_than_f_plus_1_tell_is_said_on_standard_error_and_not_shown()
    {
        Deliver(1, FakeReplica.Logins(0, 2));
        _replicas[0].Deliver(2, FakeReplica.Logins(100, 2));
        foreach (var replica in _replicas.Take(3)) replica.Forget(1);
        var (code, output, error) = await RunAsync("alarm", "ls", "--json");
        Assert.Equal(0, code);
        Assert.Contains("1 more that fewer than 2 replicas have", error, StringComparison.Ordinal);
        (_, output, error) = await RunAsync("alarm", "show", JsonDocument.Parse(output).RootElement.GetProperty("id").GetString()!);
        Assert.Contains("edge1/7/1/0: f+1 replicas do not tell it alike, or have it no more", error, StringComparison.Ordinal);
        Assert.EndsWith("events:\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_replica_with_another_key_than_the_description_pins_is_silent()
    {
        var file = Path.Combine(DomainDirectory, "domain.yaml");
        var (core1, core2) = (KeyOf("core1"), KeyOf("core2"));
        File.WriteAllText(file, File.ReadAllText(file)
            .Replace(core1, "first", StringComparison.Ordinal)
            .Replace(core2, core1, StringComparison.Ordinal)
            .Replace("first", core2, StringComparison.Ordinal));
        var (code, output, _) = await RunAsync("status");
        Assert.Equal(1, code);
        Assert.Contains("its key is not the one in the domain description", output, StringComparison.Ordinal);

        string KeyOf(string id) => Convert.ToBase64String(_configs[0].Domain.Find(id)!.PublicKey.Span);
    }

    [Fact]
    public async Task A_certificate_that_has_expired_is_told_before_anybody_is_asked()
    {
        var file = Path.Combine(DomainDirectory, "clients", "operator", "cert.pem");
        using var authority = CertificateAuthority.FromPem(
            "massif", File.ReadAllText(Path.Combine(DomainDirectory, "ca.pem")), File.ReadAllText(Path.Combine(DomainDirectory, "ca.key")));
        using var valid = X509CertificateLoader.LoadCertificateFromFile(file);
        using var expired = authority.Issue(
            valid.PublicKey.ExportSubjectPublicKeyInfo(), "operator", "operator", DateTimeOffset.UtcNow.AddDays(-10), 5);
        File.WriteAllText(file, expired.ExportCertificatePem());
        var (code, _, error) = await RunAsync("status");
        Assert.Equal(2, code);
        Assert.Contains("make a new one with: massif renew", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task When_all_replicas_are_slow_status_says_that_it_waits_and_then_tells()
    {
        Deliver(1, FakeReplica.Logins(0, 1));
        var busy = new TaskCompletionSource();
        foreach (var replica in _replicas) replica.Silence = busy.Task;
        using var output = new StringWriter();
        using var error = new SignalWriter(busy);
        Assert.Equal(0, await Massif.Cli.CommandLine.RunAsync(["status", "--domain", DomainDirectory], output, error));
        Assert.Contains("waiting up to 10 s", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("f = 1: agreed", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tail_prints_what_comes_and_ends_after_so_many()
    {
        var tail = RunAsync("tail", "alarms", "--count", "1");
        while (_replicas.Any(replica => !replica.Alarms.HasListeners) && !tail.IsCompleted) await Task.Yield();
        Deliver(1, FakeReplica.Logins(0, 2));
        var (code, output, _) = await tail.WaitAsync(TimeSpan.FromMinutes(1)); // One that counts wrongly would never end.
        Assert.Equal(0, code);
        Assert.StartsWith("1970-01-01T00:00:01.000000000Z medium logins source.ip=192.0.2.1 count=2 ", output, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_in_an_alarm_has_the_time_by_which_it_was_counted()
    {
        const string Live =
            """{"event.id":"edge1/7/1/0","@timestamp":"CLAIMED","event.created":"TRUSTED","message":"m"}""";
        const string Replayed =
            """{"event.id":"edge1/7/1/0","@timestamp":"CLAIMED","event.created":"TRUSTED","message":"m","tags":["replayed"]}""";
        Assert.Equal("TRUSTED edge1 - -: m", TailCommand.EventLine(Live, asRulesSeeIt: true));
        Assert.Equal("CLAIMED edge1 - -: m", TailCommand.EventLine(Replayed, asRulesSeeIt: true));
        Assert.Equal("CLAIMED edge1 - -: m", TailCommand.EventLine(Live));
    }

    [Theory]
    [InlineData("massif_path_faults_total{neighbour=\"relay1\",reason=\"bad_mac\"}", "path faults (relay1, bad mac)")]
    [InlineData("massif_evidence_total{kind=\"wrong_payload\"}", "evidence (wrong payload)")]
    [InlineData("bad_mac", "bad mac")]
    public void Counters_are_told_in_words(string counter, string words) => Assert.Equal(words, StatusCommand.InWords(counter));

    [Fact]
    public async Task Rows_are_never_broken_and_columns_that_say_nothing_are_left_out()
    {
        using var output = new StringWriter();
        var parse = new System.CommandLine.RootCommand().Parse("");
        parse.InvocationConfiguration.Output = output;
        var table = new TextTable("ID", "NOTE", "COUNT", "LAST");
        table.Row(new string('x', 200), "", "7", "");
        table.Row("y", "", "\u001b[31m", "end");
        table.Print(parse);
        Assert.Equal(
            $"ID{new string(' ', 200)}COUNT       LAST\n" +
            $"{new string('x', 200)}  7\n" +
            $"y{new string(' ', 201)}\\u001b[31m  end\n",
            output.ToString());

        Assert.DoesNotContain("NOTE", (await RunAsync("status")).Output, StringComparison.Ordinal);
        await StopAsync(0);
        Assert.Contains("NOTE", (await RunAsync("status")).Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alarm", "show", "xyz")]
    [InlineData("tail", "nonsense")]
    [InlineData("tail", "--count", "0")]
    public async Task Wrong_arguments_are_usage(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(arguments);
        Assert.Equal(2, code);
        Assert.NotEmpty(error);
    }

    [Fact]
    public async Task Whatever_is_missing_in_the_directory_is_told_at_once()
    {
        var empty = Path.Combine(_directory, "empty");
        Directory.CreateDirectory(empty);
        using var output = new StringWriter();
        using var error = new StringWriter();
        Assert.Equal(2, await Massif.Cli.CommandLine.RunAsync(["status", "--domain", empty], output, error));
        Assert.Contains("domain.yaml", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("ca.pem", error.ToString(), StringComparison.Ordinal);
        Assert.Contains("cert.pem", error.ToString(), StringComparison.Ordinal);
    }

    private async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await Massif.Cli.CommandLine.RunAsync([.. arguments, "--domain", DomainDirectory], output, error);
        return (code, output.ToString(), error.ToString());
    }

    /// <summary>Standard error that lets the replicas answer as soon as it is told something.</summary>
    private sealed class SignalWriter(TaskCompletionSource told) : StringWriter
    {
        public override void WriteLine(string? value)
        {
            base.WriteLine(value);
            told.TrySetResult();
        }
    }

    private void Deliver(ulong seq, byte[] payload)
    {
        foreach (var replica in _replicas) replica.Deliver(seq, payload);
    }

    private async Task StopAsync(int replica)
    {
        await _apis[replica]!.DisposeAsync();
        _apis[replica] = null;
    }
}
