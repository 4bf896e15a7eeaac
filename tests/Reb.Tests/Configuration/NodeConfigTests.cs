using System.Net;
using System.Runtime.Versioning;
using System.Security.Cryptography;
using Massif.Reb.Configuration;
using Massif.Reb.Storage;
using Massif.Reb.Protocol;

namespace Massif.Reb.Tests.Configuration;

[UnsupportedOSPlatform("windows")] // File modes.
public sealed class NodeConfigTests
{
    [Theory]
    [InlineData(4, 1, 2, false)]
    [InlineData(7, 3, 5, true)]
    [InlineData(4, 1, 0, false)]
    public void Every_node_of_a_made_domain_can_start(int replicas, int edges, int relays, bool demo)
    {
        using var made = new MadeDomain(o => o with { Replicas = replicas, Edges = edges, Relays = relays, Demo = demo });
        foreach (var directory in Directory.EnumerateDirectories(made.At("nodes")))
        {
            var (config, errors) = NodeConfig.Load(Path.Combine(directory, "node.yaml"));
            Assert.Empty(errors);
            using (config)
            {
                Assert.Equal(Path.GetFileName(directory), config!.Self.Id);
                Assert.Equal(relays / 2, config.Domain.PathFaults);
                Assert.Equal(demo, config.Domain.Demo);
            }
        }

        Assert.Equal(replicas + edges + relays, Directory.GetDirectories(made.At("nodes")).Length);
    }

    [Fact]
    public void A_node_directory_works_wherever_it_is_copied()
    {
        using var made = new MadeDomain();
        var elsewhere = made.At("another-machine");
        Directory.Move(made.At("nodes", "core2"), elsewhere);
        Directory.Delete(made.At("nodes"), recursive: true);
        File.Delete(made.At("domain.yaml"));
        Assert.Empty(NodeConfig.Check(Path.Combine(elsewhere, "node.yaml")));
    }

    [Fact]
    public void An_edge_reads_its_listeners_and_limits()
    {
        using var made = new MadeDomain(o => o with { DiskLimitMebibytes = 32, Durability = Durability.Process });
        using var config = NodeConfig.Load(made.Node("edge1")).Config!;
        Assert.Null(config.Options.BusListen);
        Assert.Equal(Durability.Process, config.Options.Durability);
        Assert.Equal(made.At("nodes", "edge1", "data"), config.Options.DataDirectory);
        var edge = config.Options.Edge!;
        Assert.Equal(32L * 1024 * 1024, edge.SpoolLimitBytes);
        Assert.Equal(5, edge.StopAtFreePercent);
        Assert.Equal(["syslog-udp", "syslog-tcp", "replay"], edge.Syslog.Select(listener => listener.Name));
        Assert.Equal([ListenerMode.Live, ListenerMode.Live, ListenerMode.Replay], edge.Syslog.Select(listener => listener.Mode));
        Assert.Equal([5514, 5514, 5515], edge.Syslog.Select(listener => listener.Address.Port));
        Assert.Contains(edge.Syslog[0].AllowedSenders, network => network.Contains(IPAddress.Loopback));
        Assert.DoesNotContain(edge.Syslog[0].AllowedSenders, network => network.Contains(IPAddress.Parse("10.0.0.1")));
    }

    [Fact]
    public void A_core_reads_its_sections()
    {
        using var made = new MadeDomain();
        using var config = NodeConfig.Load(made.Node("core3")).Config!;
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7402), config.Options.BusListen);
        Assert.Equal(new IPEndPoint(IPAddress.Loopback, 7502), config.Options.Core!.ApiListen);
        Assert.Equal(made.At("nodes", "core3", "rules.yaml"), config.Options.Core.RulesFile);
        Assert.Equal(new ReplicaId(2), config.Domain.ReplicaOf(config.Index));
    }

    [Fact]
    public void Five_mistakes_over_three_files_are_shown_at_once()
    {
        using var made = new MadeDomain();
        var node = made.Node("core1");
        var home = made.At("nodes", "core1");
        MadeDomain.Edit(made.At("nodes", "core1", "domain.yaml"), "window: 256", "window: 1");
        MadeDomain.Edit(made.At("nodes", "core1", "domain.yaml"), "k: 0", "kk: 0");
        File.Delete(Path.Combine(home, "rules.yaml"));
        File.Copy(made.At("nodes", "core2", "cert.pem"), Path.Combine(home, "cert.pem"), overwrite: true);
        File.SetUnixFileMode(Path.Combine(home, "key.pem"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        Assert.Equal(
            [
                $"{home}/domain.yaml:{MadeDomain.LineOf($"{home}/domain.yaml", "kk: 0")}: kk: unknown key " +
                "(allowed: channels, demo, epoch, f, k, name, nodes, protocol, t)",
                $"{home}/domain.yaml:{MadeDomain.LineOf($"{home}/domain.yaml", "window: 1")}: protocol.window: is 1 (allowed: 16 to 1024)",
                $"{home}/key.pem: is open to others than its owner (mode 640); run: chmod 600 {home}/key.pem (allowed: mode 600 or 400)",
                $"{home}/key.pem: does not belong to the certificate {home}/cert.pem",
                $"{node}:{MadeDomain.LineOf(node, "rules:")}: core.rules: {home}/rules.yaml does not exist",
            ],
            NodeConfig.Check(node).Select(error => error.ToString()));
    }

    [Theory]
    [InlineData(
        "edge1", "max_message_bytes: 65536", "max_message_bytes: 100",
        "edge.syslog[0].max_message_bytes: is 100 (allowed: 480 to 131072)")]
    [InlineData(
        "edge1", "\"+00:00\"", "CET",
        "edge.syslog[0].default_timezone: is \"CET\" (allowed: +HH:MM or -HH:MM, -14:00 to +14:00)")]
    [InlineData(
        "edge1", "127.0.0.0/8", "127.0.0.1/33",
        "edge.syslog[0].allowed_senders[0]: is \"127.0.0.1/33\" (allowed: a network such as 10.0.0.0/8, or one address)")]
    [InlineData(
        "edge1", "127.0.0.1:5515", "0.0.0.0:5514",
        "edge: edge.syslog replay and edge.syslog syslog-tcp both listen on TCP port 5514")]
    [InlineData("edge1", "edge:\n", "bus:\n  listen: 127.0.0.1:1\nedge:\n", "bus: an edge only dials; it has no bus listener")]
    [InlineData("edge1", "durability: power", "durability: hope", "durability: is \"hope\" (allowed: power, process)")]
    [InlineData(
        "core1", "http:\n  listen: \"127.0.0.1", "http:\n  listen: \"0.0.0.0",
        "http.listen: is \"0.0.0.0:7600\"; health and metrics are not authenticated (allowed: a loopback address)")]
    [InlineData("core1", "role: core", "role: relay", "core: only a core has this section")]
    [InlineData("core1", "  rules: rules.yaml\n", "", "core.rules: is missing")]
    [InlineData(
        "core1", "listen: \"127.0.0.1:7400\"", "listen: \"localhost:7400\"",
        "bus.listen: is \"localhost:7400\" (allowed: ADDRESS:PORT, as in 127.0.0.1:5514 or [::]:5514)")]
    [InlineData("core1", "id: core1", "id: core9", "id: \"core9\" is not in ")]
    [InlineData("relay1", "bus:\n  listen", "bus:\n  liste", "bus.listen: is missing")]
    public void A_mistake_in_node_yaml_is_said(string id, string old, string changed, string error)
    {
        using var made = new MadeDomain();
        MadeDomain.Edit(made.Node(id), old, changed);
        var found = NodeConfig.Check(made.Node(id))[0]; // The edge has three listeners with the same text.
        Assert.StartsWith($"{made.Node(id)}:{found.Line}: {error}", found.ToString(), StringComparison.Ordinal);
        Assert.True(found.Line > 0);
    }

    [Fact]
    public void A_role_that_the_domain_does_not_give_is_an_error()
    {
        using var made = new MadeDomain();
        File.Copy(made.Node("relay1"), made.Node("core1"), overwrite: true);
        MadeDomain.Edit(made.Node("core1"), "id: relay1", "id: core1");
        Assert.Equal("is relay, but the domain has \"core1\" as core", Assert.Single(NodeConfig.Check(made.Node("core1"))).Message);
    }

    [Fact]
    public void A_certificate_that_every_peer_would_refuse_is_seen_before_the_start()
    {
        using var made = new MadeDomain();
        using var other = new MadeDomain();
        var home = made.At("nodes", "core1");

        File.Copy(other.At("ca.pem"), Path.Combine(home, "ca.pem"), overwrite: true);
        Assert.Equal(
            "every peer would refuse it: certificate of another domain",
            Assert.Single(NodeConfig.Check(made.Node("core1"))).Message);
        File.Copy(made.At("ca.pem"), Path.Combine(home, "ca.pem"), overwrite: true);

        using var authority = CertificateAuthority.FromPem(
            "acme", File.ReadAllText(made.At("ca.pem")), File.ReadAllText(made.At("ca.key")));
        using var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(Path.Combine(home, "key.pem")));
        using var expired = authority.Issue(key.ExportSubjectPublicKeyInfo(), "core", "core1", DateTimeOffset.UtcNow.AddDays(-9), days: 8);
        File.WriteAllText(Path.Combine(home, "cert.pem"), expired.ExportCertificatePem());
        Assert.Equal(
            "every peer would refuse it: certificate expired or not yet valid",
            Assert.Single(NodeConfig.Check(made.Node("core1"))).Message);

        foreach (var file in new[] { "cert.pem", "key.pem" })
            File.Copy(made.At("nodes", "core2", file), Path.Combine(home, file), overwrite: true);
        Assert.Equal("is the certificate of \"core2\", not of \"core1\"", Assert.Single(NodeConfig.Check(made.Node("core1"))).Message);
    }

    [Fact]
    public void Missing_and_damaged_files_are_said_without_showing_what_is_in_them()
    {
        using var made = new MadeDomain();
        var home = made.At("nodes", "relay1");
        File.Delete(Path.Combine(home, "ca.pem"));
        File.WriteAllText(Path.Combine(home, "key.pem"), "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
        Assert.Equal(
            [
                $"{home}/ca.pem: does not exist",
                $"{home}/key.pem: does not hold what it should (allowed: PEM of a P-256 certificate or key)",
            ],
            NodeConfig.Check(made.Node("relay1")).Select(error => error.ToString()));
        Assert.Contains(NodeConfig.Check(made.At("nowhere.yaml")), error => error.Message == "does not exist");
    }
}
