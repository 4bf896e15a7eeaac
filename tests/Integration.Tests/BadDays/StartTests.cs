using System.Net.Sockets;
using System.Text.RegularExpressions;
using Massif.Integration.Tests.Cli;

namespace Massif.Integration.Tests.BadDays;

/// <summary>A node that cannot start says why, names the place, and ends with 2.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class StartTests : IAsyncLifetime
{
    private LiveDomain It { get; } = new();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await It.DisposeAsync();

    [Theory]
    [InlineData("core1", "bus")]
    [InlineData("core1", "api")]
    [InlineData("core1", "http")]
    [InlineData("relay1", "bus")]
    [InlineData("edge1", "http")]
    [InlineData("edge1", "syslog-tcp")]
    [InlineData("edge1", "syslog-udp")]
    public async Task A_port_in_use_ends_the_start_with_its_address_and_the_reason(string id, string listener)
    {
        var options = It[id];
        var address = listener switch
        {
            "bus" => options.BusListen!,
            "api" => options.Core!.ApiListen,
            "http" => options.HttpListen,
            _ => It.Listener(listener),
        };
        using var taken = listener == "syslog-udp"
            ? new Socket(SocketType.Dgram, ProtocolType.Udp)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(address);
        if (listener != "syslog-udp") taken.Listen();

        var (code, error) = await StartAsync(id);
        Assert.Equal(2, code);
        Assert.Contains(address.ToString(), error, StringComparison.Ordinal);
        Assert.Matches("in use|Another program listens", error);
        Assert.StartsWith($"{id}: ", error, StringComparison.Ordinal);
        Assert.Single(error.TrimEnd().Split('\n')); // No stack trace.
    }

    [Theory]
    [InlineData("core1", "api_listen: \"127.0.0.1:", "api_listen: \"192.0.2.1:", "core.api_listen 192.0.2.1:")]
    [InlineData("core1", "  listen: \"127.0.0.1:", "  listen: \"192.0.2.1:", "bus.listen 192.0.2.1:")]
    public async Task An_address_of_another_machine_ends_the_start(string id, string old, string replacement, string named)
    {
        var text = await File.ReadAllTextAsync(It.NodeFile(id));
        var at = text.IndexOf(old, StringComparison.Ordinal);
        await File.WriteAllTextAsync(It.NodeFile(id), text[..at] + replacement + text[(at + old.Length)..]);
        var (code, error) = await StartAsync(id);
        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.Contains("not one of this machine", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_configuration_with_five_mistakes_is_told_all_five_with_file_and_line()
    {
        It.Edit("edge1", "durability: process", "durability: perhaps");
        It.Edit("edge1", "batch_delay_ms: 5 ", "batch_delay_ms: 5000");
        It.Edit("edge1", "      protocol: udp", "      protocol: sctp");
        It.Edit("edge1", "  stop_at_free_percent:", "  stop_at_free_procent:");
        await File.AppendAllTextAsync(Path.Combine(It.Home, "nodes", "edge1", "domain.yaml"), "colour: blue\n");

        var (code, error) = await StartAsync("edge1");
        Assert.Equal(2, code);
        string[] mistakes =
        [
            "node.yaml:10: durability: ",
            ": edge.batch_delay_ms: ",
            ": edge.syslog[0].protocol: ",
            ": edge.stop_at_free_procent: ",
            ": colour: ",
        ];
        foreach (var mistake in mistakes) Assert.Contains(mistake, error, StringComparison.Ordinal);
        Assert.Equal(5, Regex.Count(error, @"(node|domain)\.yaml:[1-9]\d*: "));
        Assert.Contains("5 mistakes.", error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(It.DataOf("edge1"))); // Nothing was opened.
    }

    [Theory]
    [InlineData("core1", "relay", "core1 is a core: run massif core -c ")]
    [InlineData("edge1", "core", "edge1 is an edge: run massif edge -c ")]
    public async Task A_node_started_in_another_role_is_told_which(string id, string role, string named)
    {
        var (code, _, error) = await CommandLineTests.Run(role, "-c", It.NodeFile(id));
        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_data_directory_in_use_ends_the_start()
    {
        await It.StartHereAsync("edge1");
        It.Edit("edge1", It["edge1"].HttpListen.ToString(), "127.0.0.1:1");
        var (code, error) = await StartAsync("edge1");
        Assert.Equal(2, code);
        Assert.Contains(It.DataOf("edge1"), error, StringComparison.Ordinal);
        Assert.Contains("in use by another process", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Misbehaving_is_refused_where_the_domain_is_no_demonstration()
    {
        var (code, _, error) = await CommandLineTests.Run("relay", "-c", It.NodeFile("relay1"), "--misbehave", "corrupt");
        Assert.Equal(2, code);
        Assert.Contains("demo: true", error, StringComparison.Ordinal);

        (code, _, error) = await CommandLineTests.Run("relay", "-c", It.NodeFile("relay1"), "--misbehave", "lie");
        Assert.Equal(2, code);
        Assert.Contains("corrupt, delay, replay, drop, misroute", error, StringComparison.Ordinal);
    }

    private async Task<(int Code, string Error)> StartAsync(string id)
    {
        var role = It.Description.Find(id)!.Role.ToString().ToLowerInvariant();
        var (code, _, error) = await CommandLineTests.Run(role, "-c", It.NodeFile(id));
        return (code, error);
    }
}

/// <summary>One after another: each of them keeps two processors busy.</summary>
[CollectionDefinition(Name)]
public sealed class BadDaysCollection
{
    public const string Name = "bad days";
}
