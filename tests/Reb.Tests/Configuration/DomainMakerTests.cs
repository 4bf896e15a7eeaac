using System.Runtime.Versioning;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Links;

namespace Massif.Reb.Tests.Configuration;

[UnsupportedOSPlatform("windows")] // File modes; Massif runs elsewhere, and so do its tests.
public sealed class DomainMakerTests
{
    [Fact]
    public void Keys_are_for_their_owner_alone_and_the_layout_is_the_documented_one()
    {
        using var made = new MadeDomain();
        var files = Directory.EnumerateFiles(made.Root, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(made.Root, file))
            .ToArray();
        Assert.Contains("ca.key", files);
        Assert.Contains("nodes/core1/rules.yaml", files);
        Assert.Contains("clients/operator/cert.pem", files);
        Assert.DoesNotContain("nodes/core1/ca.key", files);
        Assert.True(Directory.Exists(made.At("nodes", "edge1", "data")));
        foreach (var key in files.Where(file => file.EndsWith("key.pem", StringComparison.Ordinal) || file == "ca.key"))
        {
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(made.At(key)));
            var directory = Path.GetDirectoryName(made.At(key))!;
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(directory));
        }
    }

    [Fact]
    public void A_directory_with_something_in_it_is_left_alone()
    {
        using var made = new MadeDomain();
        var before = File.ReadAllText(made.At("domain.yaml"));
        var errors = DomainMaker.Create(made.Root, new() { RulesText = "" });
        Assert.Equal(
            $"{made.Root}: is not empty; nothing was changed (allowed: a new or an empty directory)",
            Assert.Single(errors).ToString());
        Assert.Equal(before, File.ReadAllText(made.At("domain.yaml")));
    }

    [Fact]
    public void Impossible_options_are_said_and_write_nothing()
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        string[] Errors(DomainMakerOptions options) =>
            [.. DomainMaker.Create(path, options).Select(error => $"{error.Key}: {error.Message}")];
        Assert.Equal(["replicas: is 3", "edges: is 0"], Errors(new() { RulesText = "", Replicas = 3, Edges = 0 }));
        Assert.Equal(["f: f = 2 and k = 0 need 7 cores, there are 4"], Errors(new() { RulesText = "", Faults = 2 }));
        Assert.Equal(["name: is \"Acme Ltd\""], Errors(new() { RulesText = "", Name = "Acme Ltd" }));
        var unknown = new Dictionary<string, string> { ["core5"] = "10.0.0.5" };
        Assert.Equal(["addresses: there will be no node \"core5\""], Errors(new() { RulesText = "", Addresses = unknown }));
        foreach (var host in (string[])["", "a b", "10.0.0.1:7400", "0.0.0.0", "::"])
            Assert.Equal([$"addresses: \"{host}\" is no address that others can dial"], Errors(new() { RulesText = "", Address = host }));
        Assert.Equal(
            [
                "ports: port 5515 of 127.0.0.1 would be syslog at edge1 and replay at edge1",
                "ports: port 65536 of 127.0.0.1 would be the bus of relay2, and the last port is 65535",
            ],
            Errors(new() { RulesText = "", SyslogPort = 5515, BusPort = 65_531 }).Order(StringComparer.Ordinal));
        Assert.False(Directory.Exists(path));
    }

    [Fact]
    public void Nodes_on_machines_of_their_own_may_have_the_same_port()
    {
        using var made = new MadeDomain(o => o with
        {
            ApiPort = 7600,
            Address = "10.0.0.1",
            Addresses = new Dictionary<string, string> { ["edge1"] = "10.0.0.2" },
            HttpPort = 7700,
            SyslogPort = 7600,
        });
        Assert.Empty(NodeConfig.Check(made.Node("edge1")));
    }

    [Fact]
    public void Ports_and_addresses_are_the_callers()
    {
        var next = 20_000;
        using var made = new MadeDomain(o => o with
        {
            PickPort = () => next++,
            Addresses = new Dictionary<string, string> { ["core2"] = "10.0.0.2", ["core3"] = "core3.example.org" },
        });
        var domain = Domain.Load(made.At("domain.yaml")).Domain!;
        Assert.Equal("10.0.0.2", domain.Replicas[1].Addresses[0].Host);
        Assert.Equal("core3.example.org", domain.Replicas[2].Addresses[0].Host);
        Assert.All(domain.Nodes.SelectMany(node => node.Addresses), address => Assert.InRange(address.Port, 20_000, next));
        Assert.Equal("0.0.0.0", NodeOptions.Load(made.Node("core3")).Options!.BusListen!.Address.ToString());
        Assert.Empty(NodeConfig.Check(made.Node("core2")));
    }

    [Fact]
    public void Certificates_name_one_identity_and_end_with_the_year()
    {
        using var made = new MadeDomain();
        using var certificate = X509CertificateLoader.LoadCertificateFromFile(made.At("nodes", "relay2", "cert.pem"));
        Assert.Equal("spiffe://acme/relay/relay2", DomainTrust.NameOf(certificate));
        Assert.InRange((certificate.NotAfter - certificate.NotBefore).TotalDays, 396, 398);
        using var person = X509CertificateLoader.LoadCertificateFromFile(made.At("clients", "operator", "cert.pem"));
        using var authority = X509CertificateLoader.LoadCertificateFromFile(made.At("ca.pem"));
        var trust = new DomainTrust(Domain.Load(made.At("domain.yaml")).Domain!, authority);
        Assert.Null(trust.Check(person, isServer: false, out var identity));
        Assert.Equal(new PeerIdentity("operator", "operator", null), identity);
        Assert.Equal(LinkRefusal.WrongRole, trust.CheckNode(person, isServer: false, out _));
    }

    [Theory]
    [InlineData("core2", "nodes")]
    [InlineData("operator", "clients")]
    public void A_renewed_certificate_has_the_same_key_and_name(string id, string place)
    {
        using var made = new MadeDomain();
        var file = made.At(place, id, "cert.pem");
        using var before = X509CertificateLoader.LoadCertificateFromFile(file);
        Assert.Empty(DomainMaker.Renew(made.Root, id, days: 10));
        using var after = X509CertificateLoader.LoadCertificateFromFile(file);
        Assert.NotEqual(before.SerialNumber, after.SerialNumber);
        Assert.Equal(before.PublicKey.ExportSubjectPublicKeyInfo(), after.PublicKey.ExportSubjectPublicKeyInfo());
        Assert.Equal(DomainTrust.NameOf(before), DomainTrust.NameOf(after));
        Assert.InRange((after.NotAfter - DateTime.Now).TotalDays, 9, 11);
        if (place == "nodes") Assert.Empty(NodeConfig.Check(made.Node(id)));
    }

    [Fact]
    public void Renewing_needs_the_CA_key_and_a_known_node()
    {
        using var made = new MadeDomain();
        Assert.Contains("has no node \"core9\"", Assert.Single(DomainMaker.Renew(made.Root, "core9")).ToString(), StringComparison.Ordinal);
        using var other = new MadeDomain();
        File.Copy(other.At("ca.key"), made.At("ca.key"), overwrite: true);
        Assert.Contains("do not fit together", Assert.Single(DomainMaker.Renew(made.Root, "core1")).ToString(), StringComparison.Ordinal);
        File.Delete(made.At("ca.key"));
        Assert.Contains("cannot be renewed", Assert.Single(DomainMaker.Renew(made.Root, "core1")).ToString(), StringComparison.Ordinal);
    }
}
