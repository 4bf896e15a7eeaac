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
            "init", home, "--replicas", "7", "--edges", "2", "--relays", "4",
            "--address", "10.0.0.1", "--address", "core2=core2.example.org");
        Assert.Equal(("", 0), (error, code));
        var (domain, _) = Domain.Load(Path.Combine(home, "domain.yaml"));
        Assert.Equal(
            (7, 2, 4, 2, 2),
            (domain!.Replicas.Count, domain.Edges.Count, domain.Relays.Count, domain.Quorums.Faults, domain.PathFaults));
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
        File.SetUnixFileMode(
            _directory["domain/nodes/core1/key.pem"],
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        File.AppendAllText(_directory["domain/nodes/core1/domain.yaml"], "colour: blue\n");
        File.AppendAllText(_directory["domain/nodes/core1/rules.yaml"], "    threshhold: 5\n");
        var (code, _, error) = await CommandLineTests.Run("check-config", node);
        Assert.Equal(2, code);
        Assert.Matches(@"node\.yaml:\d+: durability: ", error);
        Assert.Matches(@"node\.yaml:\d+: log_levle: ", error);
        Assert.Matches(@"domain\.yaml:\d+: colour: ", error);
        Assert.Matches(@"rules\.yaml:\d+: rules\[0\]\.threshhold: ", error);
        Assert.Matches(@"key\.pem: is open to others", error);
        Assert.Equal((2, "", error), await CommandLineTests.Run("core", "-c", node)); // Starting it says the same.
    }

    [Fact]
    public async Task Init_tells_a_mistake_by_the_option_that_was_typed()
    {
        var (code, _, error) = await CommandLineTests.Run(
            "init", _directory["domain"], "--edges", "0", "--days", "0", "--address", "core1=10.0.0.1:7400");
        Assert.Equal(2, code);
        Assert.Contains("--edges: is 0 (allowed: 1 to 512)\n", error, StringComparison.Ordinal);
        Assert.Contains("--days: is 0 (allowed: 1 to 3650)\n", error, StringComparison.Ordinal);
        Assert.Contains("--address: \"10.0.0.1:7400\" is no address", error, StringComparison.Ordinal);
        (_, _, error) = await CommandLineTests.Run("init", _directory["domain"], "--faults", "0");
        Assert.StartsWith("--faults: is 0", error, StringComparison.Ordinal);
        (_, _, error) = await CommandLineTests.Run("init", _directory["domain"], "--name", "A");
        Assert.StartsWith("--name: is \"A\"", error, StringComparison.Ordinal);
        (_, _, error) = await CommandLineTests.Run("init", "");
        Assert.StartsWith("DIR is empty.", error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_directory["domain"]));
    }

    [Fact]
    public async Task Several_files_are_checked_in_one_go_and_what_they_share_is_told_once()
    {
        await CommandLineTests.Run("init", _directory["domain"]);
        var nodes = Directory.GetFiles(_directory["domain"], "node.yaml", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal)
            .ToArray();
        var (code, output, _) = await CommandLineTests.Run(["check-config", .. nodes]);
        Assert.Equal((0, nodes.Length), (code, output.Split("no mistake").Length - 1));

        var shared = _directory["domain/domain.yaml"];
        File.WriteAllText(shared, File.ReadAllText(shared).Replace("epoch: 1 ", "epoch: 0 ", StringComparison.Ordinal));
        foreach (var node in nodes[..2])
        {
            var text = File.ReadAllText(node);
            File.WriteAllText(node, text.Replace("domain: domain.yaml", "domain: ../../domain.yaml", StringComparison.Ordinal));
        }

        (code, output, var error) = await CommandLineTests.Run(["check-config", .. nodes]);
        Assert.Equal((2, nodes.Length - 2), (code, output.Split("no mistake").Length - 1));
        Assert.Single(error.Split('\n'), line => line.Contains("domain.yaml:7: epoch: is 0", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nodes: []  # none yet\n", "nodes: has 0 items")]
    [InlineData("rules: []\n", "rules: has 0 items")]
    [InlineData("rules : nonsense\n", "rules: is a single value")]
    public async Task What_kind_of_file_it_is_shows_in_its_keys_however_they_are_written(string text, string named)
    {
        var (code, _, error) = await CommandLineTests.Run("check-config", _directory.Write("some.yaml", text));
        Assert.Equal(2, code);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown key", error, StringComparison.Ordinal);
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
        var (_, _, error) = await CommandLineTests.Run("renew", _directory["domain"], "core2", "--days", "0");
        Assert.Contains("1 to 3650", error, StringComparison.Ordinal);
    }
}
