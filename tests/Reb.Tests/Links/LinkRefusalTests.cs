using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Links;

namespace Massif.Reb.Tests.Links;

public sealed class LinkRefusalTests
{
    [Fact]
    public async Task A_certificate_of_another_domain_is_refused()
    {
        await using var world = new LinkWorld();
        using var other = new TestDomain("test"); // The same name: only the CA is another.
        world.Dial(identity: world.Domains.Identity(world.Domains.KeyOf("edge1"), "edge", "edge1", issuer: other.Authority));
        await Refused(world, LinkRefusal.AnotherDomain, "certificate of another domain");
    }

    [Fact]
    public async Task A_certificate_that_our_CA_made_for_another_trust_domain_is_refused()
    {
        await using var world = new LinkWorld();
        var authority = world.Domains.Authority;
        using var renamed = CertificateAuthority.FromPem(
            "elsewhere", authority.Certificate.ExportCertificatePem(), authority.ExportKeyPem());
        world.Dial(identity: world.Domains.Identity(world.Domains.KeyOf("edge1"), "edge", "edge1", issuer: renamed));
        await Refused(world, LinkRefusal.AnotherDomain, "certificate of another domain");
    }

    [Fact]
    public async Task An_expired_certificate_is_refused()
    {
        await using var world = new LinkWorld();
        var key = world.Domains.KeyOf("edge1");
        world.Dial(identity: world.Domains.Identity(key, "edge", "edge1", DateTimeOffset.UtcNow.AddDays(-10), days: 5));
        await Refused(world, LinkRefusal.Expired, "certificate expired or not yet valid");
    }

    [Fact]
    public async Task A_certificate_that_is_not_valid_yet_is_refused()
    {
        await using var world = new LinkWorld();
        world.Dial(identity: world.Domains.Identity(world.Domains.KeyOf("edge1"), "edge", "edge1", DateTimeOffset.UtcNow.AddDays(1)));
        await Refused(world, LinkRefusal.Expired, "certificate expired or not yet valid");
    }

    [Theory]
    [InlineData("core", "edge1")]
    [InlineData("operator", "operator")]
    public async Task A_wrong_role_is_refused(string role, string id)
    {
        await using var world = new LinkWorld();
        world.Dial(identity: world.Domains.Identity(world.Domains.KeyOf("edge1"), role, id));
        await Refused(world, LinkRefusal.WrongRole, "wrong role");
    }

    [Fact]
    public async Task A_node_that_the_descriptor_does_not_name_is_refused()
    {
        await using var world = new LinkWorld();
        world.Dial(identity: world.Domains.Identity(world.Domains.KeyOf("edge1"), "edge", "edge9"));
        await Refused(world, LinkRefusal.UnknownNode, "unknown node");
    }

    [Fact]
    public async Task A_key_that_the_descriptor_does_not_name_is_refused()
    {
        await using var world = new LinkWorld();
        using var stolenName = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        world.Dial(identity: world.Domains.Identity(stolenName, "edge", "edge1"));
        await Refused(world, LinkRefusal.WrongKey, "key not the descriptor's");
    }

    [Fact]
    public async Task No_certificate_is_refused()
    {
        await using var world = new LinkWorld();
        await using var tls = await world.ConnectTls(identity: null);
        await Refused(world, LinkRefusal.NoCertificate, "no certificate");
    }

    [Fact]
    public async Task A_certificate_with_a_second_name_is_refused()
    {
        await using var world = new LinkWorld();
        await using var tls = await world.ConnectTls(TwoNames(world.Domains));
        await Refused(world, LinkRefusal.BadIdentity, "certificate without exactly one identity");
    }

    [Fact]
    public async Task A_node_that_does_not_dial_here_is_refused()
    {
        await using var world = new LinkWorld();
        var at = new LinkRecorder();
        await using var last = new LinkManager(
            world.Domains.Describe(),
            TestDomain.Index("core4"),
            world.Domains.IdentityOf("core4"),
            LinkWorld.Options with { Listen = new(System.Net.IPAddress.Loopback, 0) },
            at);
        last.Start();
        var domain = world.Domains.Describe(new() { ["core1"] = [new("127.0.0.1", last.ListenAddress!.Port)] });
        var (_, atDialler) = world.Dial("core2", domain: domain);
        Assert.Equal(TestDomain.Index("core2"), (await WaitForStranger(at)).Peer); // Of two cores the later one dials.
        Assert.Equal(LinkWorld.Core1, (await WaitForStranger(atDialler)).Peer); // And core2 wanted core1.
    }

    [Fact]
    public async Task A_listener_that_is_not_the_node_dialled_is_refused()
    {
        await using var world = new LinkWorld();
        var (links, at) = world.Dial(domain: world.Domains.Describe(new() { ["core3"] = [world.CoreAddress] }));
        var refused = await at.WaitForRefusal(LinkRefusal.UnexpectedPeer);
        Assert.False(links.IsUp(TestDomain.Index("core3")));
        Assert.Equal(LinkRefusal.UnexpectedPeer, refused.Reason);
        Assert.Equal(0, world.Core.StatusOf(LinkWorld.Edge1).Connects);
    }

    [Fact]
    public async Task Another_domain_hash_is_refused_on_both_sides()
    {
        await using var world = new LinkWorld();
        var (_, at) = world.Dial(domain: world.Domains.Describe(new() { ["core1"] = [world.CoreAddress] }, window: 512));
        await Refused(world, LinkRefusal.DomainHash, "domain hash differs");
        Assert.Equal(LinkWorld.Core1, (await at.WaitForRefusal(LinkRefusal.DomainHash)).Peer);
    }

    [Fact]
    public async Task Another_epoch_is_refused_on_both_sides()
    {
        await using var world = new LinkWorld();
        var (_, at) = world.Dial(domain: world.Domains.Describe(new() { ["core1"] = [world.CoreAddress] }, epoch: 2));
        await Refused(world, LinkRefusal.Epoch, "epoch differs");
        await at.WaitForRefusal(LinkRefusal.Epoch);
    }

    [Fact]
    public async Task Another_protocol_version_is_refused_whatever_follows_it()
    {
        await using var world = new LinkWorld();
        await using var tls = await world.ConnectTls(world.Domains.IdentityOf("edge1"));
        await tls.WriteAsync(Frames.Make(Frames.Hello, [2, 0, 1, 2, 3]));
        await Refused(world, LinkRefusal.ProtocolVersion, "protocol version differs");
    }

    [Theory]
    [InlineData(new byte[] { 1, 0, 1, 2, 3 })] // Too short for its version.
    [InlineData(new byte[] { 1 })]
    public async Task A_malformed_hello_is_refused(byte[] body)
    {
        await using var world = new LinkWorld();
        await using var tls = await world.ConnectTls(world.Domains.IdentityOf("edge1"));
        await tls.WriteAsync(Frames.Make(Frames.Hello, body));
        await Refused(world, LinkRefusal.HandshakeFailed, "handshake failed");
    }

    [Fact]
    public async Task Random_bytes_are_no_handshake()
    {
        await using var world = new LinkWorld();
        using var socket = await world.ConnectRaw();
        var noise = new byte[4_096];
        new Random(1).NextBytes(noise);
        await socket.SendAsync(noise);
        await Refused(world, LinkRefusal.HandshakeFailed, "handshake failed");
    }

    [Fact]
    public async Task Silence_and_half_a_handshake_are_cut_after_a_time()
    {
        await using var world = new LinkWorld(LinkWorld.Options with { HandshakeTimeout = TimeSpan.FromSeconds(1) });
        using var silent = await world.ConnectRaw();
        using var half = await world.ConnectRaw();
        await half.SendAsync(new byte[] { 22, 3, 1, 1, 0, 1, 0 }); // The start of a ClientHello.
        var stopped = await world.ConnectTls(world.Domains.IdentityOf("edge1")); // And one that says no Hello.
        await world.At.WaitForRefusal(LinkRefusal.HandshakeTimeout);
        Assert.Equal(0, await silent.ReceiveAsync(new byte[1])); // Ends only when the other side has closed.
        Assert.Equal(0, await ReceiveEnd(half));
        Assert.Equal(0, await stopped.ReadAsync(new byte[1]));

        // A connection is counted after it was closed: the last one perhaps not yet.
        for (var tries = 0; world.Core.Refusals[LinkRefusal.HandshakeTimeout] < 3 && tries < 1_000; tries++) await Task.Delay(10);
        Assert.Equal(3, world.Core.Refusals[LinkRefusal.HandshakeTimeout]);
        Assert.Equal(0, world.Core.Unauthenticated);
    }

    public static TheoryData<string, byte[], LinkRefusal> BadFrames => new()
    {
        { "2 GB", [0, 0, 0, 0x80, 1, 9], LinkRefusal.FrameLength },
        { "one more than allowed", [0xfd, 0xff, 0x0f, 0, 1, 9], LinkRefusal.FrameLength },
        { "shorter than its header", [1, 0, 0, 0, 1, 9], LinkRefusal.FrameLength },
        { "another version", [2, 0, 0, 0, 2, 9], LinkRefusal.FrameVersion },
        { "Hello again", [2, 0, 0, 0, 1, 1], LinkRefusal.FrameType },
        { "Ping with a body", [3, 0, 0, 0, 1, 3, 0], LinkRefusal.FrameType },
    };

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task An_impossible_frame_closes_the_link_and_is_counted(string what, byte[] bytes, LinkRefusal reason)
    {
        await using var world = new LinkWorld();
        await using var tls = await world.ConnectAuthenticated();
        await world.At.WaitForEvent("up edge1");
        await tls.WriteAsync(bytes);
        Assert.Equal($"down edge1: {reason.Text()}", await world.At.NextEvent());
        var refused = await world.At.WaitForRefusal(reason);
        Assert.True(refused.Peer == LinkWorld.Edge1, what);
        Assert.Equal(1, world.Core.Refusals[reason]);
    }

    [Fact]
    public async Task Half_a_frame_is_never_handed_over()
    {
        await using var world = new LinkWorld();
        var tls = await world.ConnectAuthenticated();
        await world.At.WaitForEvent("up edge1");
        await tls.WriteAsync(LinkWorld.Frame(1, 1_000).AsMemory(0, 700));
        await tls.DisposeAsync();
        Assert.Equal("down edge1: the connection ended inside a frame", await world.At.NextEvent());
        Assert.Equal(0, world.Core.StatusOf(LinkWorld.Edge1).FramesIn);
    }

    [Fact]
    public async Task A_thousand_connections_that_say_nothing_do_not_keep_a_peer_out()
    {
        await using var world = new LinkWorld(LinkWorld.Options with { HandshakeTimeout = TimeSpan.FromMinutes(5) });
        var silent = new List<Socket>();
        try
        {
            for (var i = 0; i < 1_000; i++) silent.Add(await world.ConnectRaw());
            var (edge, atEdge) = world.Dial(); // From the same address as all of them.
            await atEdge.WaitForEvent("up core1");
            Assert.True(edge.TrySend(LinkWorld.Core1, LinkWorld.Frame(9)));
            Assert.Equal(9, LinkWorld.NumberOf((await world.At.NextFrame()).Frame));
            Assert.InRange(world.Core.Unauthenticated, 1, LinkWorld.Options.UnauthenticatedPerAddressMax);
            Assert.True(world.Core.Refusals[LinkRefusal.Evicted] > 0);
        }
        finally
        {
            foreach (var socket in silent) socket.Dispose();
        }
    }

    private static async Task Refused(LinkWorld world, LinkRefusal reason, string text)
    {
        var refused = await world.At.NextRefusal(); // The first one: no other reason was found before it.
        Assert.Equal(reason, refused.Reason);
        Assert.Equal(text, refused.Reason.Text());
        Assert.True(world.Core.Refusals[reason] >= 1);
        Assert.False(world.Core.IsUp(LinkWorld.Edge1));
        Assert.Equal(0, world.Core.StatusOf(LinkWorld.Edge1).Connects);
    }

    private static Task<LinkRefused> WaitForStranger(LinkRecorder at) => at.WaitForRefusal(LinkRefusal.UnexpectedPeer);

    private static async Task<int> ReceiveEnd(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0; // Closed with bytes of ours unread.
        }
    }

    private static NodeIdentity TwoNames(TestDomain domains)
    {
        var request = new CertificateRequest("CN=edge1", domains.KeyOf("edge1"), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.2")], false));
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("spiffe://test/edge/edge1"));
        names.AddUri(new Uri("spiffe://test/core/core2"));
        request.CertificateExtensions.Add(names.Build());
        using var key = ECDsa.Create();
        key.ImportFromPem(domains.Authority.ExportKeyPem());
        using var certificate = request.Create(
            domains.Authority.Certificate.SubjectName,
            X509SignatureGenerator.CreateForECDsa(key),
            DateTimeOffset.UtcNow.AddMinutes(-5),
            DateTimeOffset.UtcNow.AddDays(1),
            [1, 2, 3, 4]);
        return new(
            certificate.CopyWithPrivateKey(domains.KeyOf("edge1")),
            X509CertificateLoader.LoadCertificate(domains.Authority.Certificate.RawData));
    }
}
