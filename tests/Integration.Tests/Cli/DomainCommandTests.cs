using Massif.Reb.Configuration;

namespace Massif.Integration.Tests.Cli;

public sealed class DomainCommandTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Init_makes_a_domain_whose_every_node_could_start()
    {
        var home = _directory["domain"];
        var (code, output, error) = await CommandLineTests.Run(
            "init", home, "--replicas", "7", "--edges", "2", "--relays", "4", "--address", "10.0.0.1", "--address", "core2=core2.example.org");
        Assert.Equal(("", 0), (error, code));
        var (domain, _) = Domain.Load(Path.Combine(home, "domain.yaml"));
        Assert.Equal((7, 2, 4, 2, 2), (domain!.Replicas.Count, domain.Edges.Count, domain.Relays.Count, domain.Quorums.Faults, domain.PathFaults));
        Assert.Equal("core2.example.org", domain.Find("core2")!.ApiAddress!.Value.Host);
        Assert.Equal("10.0.0.1", domain.Find("core1")!.ApiAddress!.Value.Host);
        foreach (var node in domain.Nodes)
        {
            var file = Path.Combine(home, "nodes", node.Id, "node.yaml");
            Assert.Contains(file, output, StringComparison.Ordinal);
            Assert.Equal(0, (await CommandLineTests.Run("check-config", file)).Code);
        }
    }

    [Fact]
    public async Task Private_keys_are_readable_by_their_owner_alone()
    {
        await CommandLineTests.Run("init", _directory["domain"]);
        var keys = Directory.GetFiles(_directory["domain"], "*.key", SearchOption.AllDirectories)
            .Concat(Directory.GetFiles(_directory["domain"], "key.pem", SearchOption.AllDirectories))
            .ToList();
        Assert.Equal(9, keys.Count); // 7 nodes, the operator, the CA.
        Assert.All(keys, key => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key)));
    }

    [Fact]
    public async Task Init_never_touches_a_directory_with_something_in_it()
    {
        _directory.Write("domain/precious", "1");
        var (code, _, error) = await CommandLineTests.Run("init", _directory["domain"]);
        Assert.Equal(2, code);
        Assert.Contains("not empty", error, StringComparison.Ordinal);
        Assert.Equal("1", File.ReadAllText(_directory["domain/precious"]));
        Assert.Single(Directory.GetFileSystemEntries(_directory["domain"]));
    }

    [Fact]
    public async Task All_mistakes_of_a_configuration_are_told_at_once_with_file_and_line()
    {
        await CommandLineTests.Run("init", _directory["domain"]);
        var node = _directory["domain/nodes/core1/node.yaml"];
        var text = File.ReadAllText(node)
            .Replace("durability: power", "durability: hope", StringComparison.Ordinal)
            .Replace("log_level:", "log_levle:", StringComparison.Ordinal);
        File.WriteAllText(node, text);
        File.SetUnixFileMode(_directory["domain/nodes/core1/key.pem"], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        File.AppendAllText(_directory["domain/nodes/core1/domain.yaml"], "colour: blue\n");
        File.AppendAllText(_directory["domain/nodes/core1/rules.yaml"], "    threshhold: 5\n");
        var (code, _, error) = await CommandLineTests.Run("check-config", node);
        Assert.Equal(2, code);
        Assert.Matches(@"node\.yaml:\d+: durability: ", error);
        Assert.Matches(@"node\.yaml:\d+: log_levle: ", error);
        Assert.Matches(@"domain\.yaml:\d+: colour: ", error);
    }

    [Theory]
    [InlineData("domain.yaml", "f: 1 ", "f: 2 ", "3f")]
    [InlineData("nodes/core1/rules.yaml", "threshold: 5", "threshold: 0", "threshold")]
    public async Task A_domain_description_and_a_rule_file_are_checked_too(string file, string right, string wrong, string named)
    {
        await CommandLineTests.Run("init", _directory["domain"]);
        var path = _directory[$"domain/{file}"];
        Assert.Equal(0, (await CommandLineTests.Run("check-config", path)).Code);
        File.WriteAllText(path, File.ReadAllText(path).Replace(right, wrong, StringComparison.Ordinal));
        var (code, _, error) = await CommandLineTests.Run("check-config", path);
        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_mistake_too()
    {
        var (code, _, error) = await CommandLineTests.Run("check-config", _directory["nothing.yaml"]);
        Assert.Equal(2, code);
        Assert.Contains("nothing.yaml", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Renew_makes_another_certificate_that_the_domain_accepts()
    {
        await CommandLineTests.Run("init", _directory["domain"]);
        var certificate = _directory["domain/nodes/core2/cert.pem"];
        var before = File.ReadAllText(certificate);
        Assert.Equal(0, (await CommandLineTests.Run("renew", _directory["domain"], "core2")).Code);
        Assert.NotEqual(before, File.ReadAllText(certificate));
        Assert.Equal(0, (await CommandLineTests.Run("check-config", _directory["domain/nodes/core2/node.yaml"])).Code);
        Assert.Equal(2, (await CommandLineTests.Run("renew", _directory["domain"], "core9")).Code);
        Assert.Contains("1 to 3650", (await CommandLineTests.Run("renew", _directory["domain"], "core2", "--days", "0")).Error, StringComparison.Ordinal);
    }
}
