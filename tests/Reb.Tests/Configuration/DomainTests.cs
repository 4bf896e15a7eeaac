using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Tests.Configuration;

public sealed class DomainTests
{
    [Fact]
    public void A_domain_is_read_as_it_was_written()
    {
        using var made = new MadeDomain(o => o with { Replicas = 7, Edges = 2, Relays = 4, Demo = true });
        var (domain, errors) = Domain.Load(made.At("domain.yaml"));
        Assert.Empty(errors);
        Assert.Equal("acme", domain!.Name);
        Assert.Equal(Quorums.For(7, 2), domain.Quorums);
        Assert.Equal(2, domain.PathFaults);
        Assert.True(domain.Demo);
        Assert.Equal(new ProtocolConstants(), domain.Protocol);
        Assert.Equal(["core1", "core2", "core3", "core4", "core5", "core6", "core7"], domain.Replicas.Select(node => node.Id));
        Assert.Equal(new ReplicaId(2), domain.ReplicaOf(domain.Find("core3")!.Index));
        Assert.Null(domain.ReplicaOf(domain.Find("edge2")!.Index));
        Assert.Equal(new HostPort("127.0.0.1", 7400), domain.Replicas[0].Addresses[0]);
        Assert.Equal(new HostPort("127.0.0.1", 7502), domain.Replicas[2].ApiAddress);
        Assert.Equal(new HostPort("127.0.0.1", 7407), domain.Relays[0].Addresses[0]);
    }

    [Fact]
    public void Between_any_two_nodes_with_a_link_exactly_one_dials()
    {
        using var test = new TestDomain();
        var domain = test.Describe();
        foreach (var a in domain.Nodes)
        {
            foreach (var b in domain.Nodes.Where(b => b != a))
            {
                var linked = (a.Role, b.Role) is not ((NodeRole.Edge, NodeRole.Edge) or (NodeRole.Relay, NodeRole.Relay));
                Assert.Equal(linked, domain.Dials(a.Index, b.Index) ^ domain.Dials(b.Index, a.Index));
            }
        }
    }

    [Fact]
    public void The_hash_covers_what_must_be_equal_and_nothing_that_may_move()
    {
        using var made = new MadeDomain();
        var file = made.At("domain.yaml");
        Digest Hash() => Domain.Load(file).Domain!.Hash;
        var hash = Hash();

        MadeDomain.Edit(file, "127.0.0.1:7401", "10.0.0.1:7401");
        MadeDomain.Edit(file, "epoch: 1", "epoch: 2");
        var key = File.ReadLines(file).First(line => line.StartsWith("    public_key", StringComparison.Ordinal));
        using var other = new TestDomain();
        MadeDomain.Edit(file, key, $"    public_key: {Convert.ToBase64String(other.KeyOf("core1").ExportSubjectPublicKeyInfo())}");
        Assert.Equal(hash, Hash());

        foreach (var (old, changed) in new[]
        {
            ("name: acme", "name: acne"), ("t: 1", "t: 0"), ("id: core2", "id: core9"), ("window: 256", "window: 257"),
            ("name: events, class: bulk, paths: copies", "name: events, class: bulk, paths: one"),
            ("fetch_mib_per_second: 64", "fetch_mib_per_second: 65"),
        })
        {
            MadeDomain.Edit(file, old, changed);
            Assert.NotEqual(hash, Hash());
            MadeDomain.Edit(file, changed, old);
            Assert.Equal(hash, Hash());
        }
    }

    [Fact]
    public void The_canonical_text_is_part_of_the_protocol_and_does_not_change_by_accident()
    {
        using var test = new TestDomain();
        Assert.Equal(
            """
            massif-domain 1 test
            f 1 k 0 t 1
            node core1 Core
            node core2 Core
            node core3 Core
            node core4 Core
            node relay1 Relay
            node relay2 Relay
            node edge1 Edge
            channel events Bulk Copies
            window 256
            batch_bytes_max 262144
            votes_per_frame_max 64
            rto_min_ms 50
            rto_max_ms 1000
            status_interval_ms 1000
            digest_memory 65536
            checkpoint_interval 256
            holding_lives_per_stream 4
            payload_memory_mib 64
            fetch_mib_per_second 64

            """,
            test.Describe().CanonicalText());
    }

    [Theory]
    [InlineData("f: 1", "f: 2", "f: f = 2 and k = 0 need 7 cores, there are 4 (allowed: n >= 3f + 2k + 1)")]
    [InlineData("k: 0", "k: 1", "f: f = 1 and k = 1 need 6 cores, there are 4 (allowed: n >= 3f + 2k + 1)")]
    [InlineData(
        "t: 1", "t: 2",
        "t: t = 2 needs 2t + 1 = 5 node-disjoint paths, so 4 relays; with 2 the topology gives t = 1 (allowed: 0 to 1)")]
    [InlineData("id: core2", "id: core1", "nodes[1].id: \"core1\" is the id of two nodes")]
    [InlineData(
        "id: core2", "id: Core2",
        "nodes[1].id: is \"Core2\" (allowed: a lower-case letter, then up to 39 lower-case letters, digits and hyphens, " +
        "not ending in a hyphen)")]
    [InlineData("127.0.0.1:7401", "127.0.0.1:7400", "nodes[1].addresses: 127.0.0.1:7400 is already the address of \"core1\"")]
    [InlineData("127.0.0.1:7501", "127.0.0.1:7400", "nodes[1].api: 127.0.0.1:7400 is already the address of \"core1\"")]
    [InlineData(
        "127.0.0.1:7401", "127.0.0.1:74010",
        "nodes[1].addresses[0]: is \"127.0.0.1:74010\" " +
        "(allowed: HOST:PORT, as in 127.0.0.1:7400 or [::1]:7400, and one that others can dial)")]
    [InlineData(
        "127.0.0.1:7401", "0.0.0.0:7401",
        "nodes[1].addresses[0]: is \"0.0.0.0:7401\" " +
        "(allowed: HOST:PORT, as in 127.0.0.1:7400 or [::1]:7400, and one that others can dial)")]
    [InlineData("role: edge", "role: relay", "nodes[6].addresses: is missing")]
    [InlineData("window: 256", "window: 8", "protocol.window: is 8 (allowed: 16 to 1024)")]
    [InlineData("rto_min_ms: 50", "rto_min_ms: 5000", "protocol.rto_max_ms: is 1000, less than rto_min_ms (allowed: at least 5000)")]
    [InlineData("window: 256", "window: 64", "protocol.checkpoint_interval: is 256, more than window (allowed: at most 64)")]
    [InlineData("epoch: 1", "epoch: 0", "epoch: is 0 (allowed: 1 to 4294967295)")]
    [InlineData("t: 1", "t: 1\nq: 1", "q: unknown key (allowed: channels, demo, epoch, f, k, name, nodes, protocol, t)")]
    [InlineData("role: relay", "role: edge\n    api: \"127.0.0.1:9\"", "nodes[4].api: only a core has an API")]
    [InlineData("name: urgent", "name: events", "channels[1].name: \"events\" is the name of two channels")]
    public void Each_wrong_relation_is_said(string old, string changed, string error)
    {
        using var made = new MadeDomain();
        var file = made.At("domain.yaml");
        MadeDomain.Edit(file, old, changed);
        var (domain, errors) = Domain.Load(file);
        Assert.Null(domain);
        var found = errors[0];
        Assert.Equal(error, found.ToString()[$"{file}:{found.Line}: ".Length..]);
        Assert.True(found.Line > 0);
    }

    [Fact]
    public void Five_mistakes_in_one_description_are_five_errors_with_their_lines()
    {
        using var made = new MadeDomain();
        var file = made.At("domain.yaml");
        MadeDomain.Edit(file, "f: 1 ", "f: 99 ");
        MadeDomain.Edit(file, "paths: copies}\n\n", "paths: all}\n\n");
        MadeDomain.Edit(file, "id: relay1", "id: relay2");
        MadeDomain.Edit(file, "  window: 256", "  windw: 256");
        MadeDomain.Edit(file, "rto_max_ms: 1000", "rto_max_ms: soon");
        string[] wrong = ["f: 99", "paths: all", "id: relay2", "windw", "soon"];
        var expected = wrong.Select(text => MadeDomain.LineOf(file, text)).ToArray();
        expected[2] += 4; // The second relay2 is the duplicate.
        Assert.Equal(expected, Domain.Load(file).Errors.Select(error => error.Line));
    }

    [Theory]
    [InlineData("AAAA")]
    [InlineData("not base64!")]
    public void A_public_key_that_is_none_is_an_error(string key)
    {
        using var made = new MadeDomain();
        var file = made.At("domain.yaml");
        var line = File.ReadLines(file).First(line => line.StartsWith("    public_key", StringComparison.Ordinal));
        MadeDomain.Edit(file, line, $"    public_key: \"{key}\"");
        Assert.Equal("nodes[0].public_key", Assert.Single(Domain.Load(file).Errors).Key);
    }

    [Fact]
    public void A_damaged_description_gives_errors_and_never_an_exception()
    {
        const string Noise = "[]{}:-\"'&*!#|>%@`,? \n\t0aA\0\u00e9";
        using var made = new MadeDomain();
        var text = File.ReadAllText(made.At("domain.yaml"));
        var file = made.At("damaged.yaml");
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            var damaged = text.ToCharArray();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
                damaged[random.Next(damaged.Length)] = Noise[random.Next(Noise.Length)];
            File.WriteAllText(file, new string(damaged, 0, i % 2 == 0 ? damaged.Length : random.Next(damaged.Length)));
            var (domain, errors) = Domain.Load(file);
            Assert.Equal(domain is null, errors.Count > 0);
        }
    }

    [Fact]
    public void A_node_index_is_the_position_in_the_description()
    {
        using var test = new TestDomain();
        var domain = test.Describe();
        Assert.Throws<ArgumentException>(() =>
            new Domain("x", 1, 0, 0, 1, false, [.. domain.Nodes.Reverse()], domain.Channels, domain.Protocol));
        Assert.Equal("relay1", domain[new NodeIndex(4)].Id);
    }
}
