using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Links;

namespace Massif.Reb.Tests.Links;

/// <summary>core1 listens; what else a test needs connects to it over real TLS on loopback.</summary>
internal sealed class LinkWorld : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _nodes = [];

    public LinkWorld(LinkOptions? options = null, LinkRecorder? observer = null)
    {
        At = observer ?? new();
        Core = new(
            Domains.Describe(),
            TestDomain.Index("core1"),
            Domains.IdentityOf("core1"),
            (options ?? Options) with { Listen = new(IPAddress.Loopback, 0) },
            At);
        Core.Start();
    }

    public static LinkOptions Options { get; } = new()
    {
        RedialMin = TimeSpan.FromMilliseconds(5),
        RedialMax = TimeSpan.FromMilliseconds(50),
    };

    public TestDomain Domains { get; } = new();

    public LinkManager Core { get; }

    public LinkRecorder At { get; }

    public HostPort CoreAddress => new("127.0.0.1", Core.ListenAddress!.Port);

    public static NodeIndex Edge1 => TestDomain.Index("edge1");

    public static NodeIndex Core1 => TestDomain.Index("core1");

    public static byte[] Frame(int number, int length = 64)
    {
        var frame = new byte[length];
        Frames.WriteHeader(frame, length, Frames.FirstOpaque);
        BitConverter.TryWriteBytes(frame.AsSpan(Frames.HeaderLength), number);
        return frame;
    }

    public static int NumberOf(byte[] frame) => BitConverter.ToInt32(frame, Frames.HeaderLength);

    /// <summary>Starts a node that dials core1 (edge1 unless the test says otherwise).</summary>
    public (LinkManager Links, LinkRecorder At) Dial(
        string id = "edge1", NodeIdentity? identity = null, Domain? domain = null, LinkOptions? options = null)
    {
        var at = new LinkRecorder();
        domain ??= Domains.Describe(new() { ["core1"] = [CoreAddress] });
        var links = new LinkManager(domain, TestDomain.Index(id), identity ?? Domains.IdentityOf(id), options ?? Options, at);
        _nodes.Add(links);
        links.Start();
        return (links, at);
    }

    public async Task<Socket> ConnectRaw()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, CoreAddress.Port);
        return socket;
    }

    /// <summary>A TLS client of the test's own, so that it can send what no node sends.</summary>
    public async Task<SslStream> ConnectTls(NodeIdentity? identity)
    {
        var tls = new SslStream(new NetworkStream(await ConnectRaw(), ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "core1",
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificates = identity is null ? [] : [identity.Certificate],
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null, // What core1 thinks is tested here.
        });
        return tls;
    }

    /// <summary>A TLS client that is edge1 and has said Hello.</summary>
    public async Task<SslStream> ConnectAuthenticated()
    {
        var tls = await ConnectTls(Domains.IdentityOf("edge1"));
        await tls.WriteAsync(HelloFrame(Domains.Describe()));
        var ack = new byte[Frames.HeaderLength + 46];
        await tls.ReadExactlyAsync(ack);
        Assert.Equal(Frames.HelloAck, Frames.TypeOf(ack));
        return tls;
    }

    /// <summary>Hello written by hand: {u16 protocol version, u32 epoch, u64 start nonce, domain hash}.</summary>
    public static byte[] HelloFrame(Domain domain, ushort version = 1)
    {
        var body = new byte[46];
        BitConverter.TryWriteBytes(body.AsSpan(0), version);
        BitConverter.TryWriteBytes(body.AsSpan(2), domain.Epoch);
        BitConverter.TryWriteBytes(body.AsSpan(6), 77UL);
        domain.Hash.Write(body.AsSpan(14));
        return Frames.Make(Frames.Hello, body);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        await Core.DisposeAsync();
        Domains.Dispose();
    }
}
