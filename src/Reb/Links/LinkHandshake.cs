using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>A connection was refused in the handshake.</summary>
internal sealed class LinkRefusedException(LinkRefusal reason, string detail, DomainNode? peer = null) : Exception(reason.Text())
{
    public LinkRefusal Reason { get; } = reason;

    public string Detail { get; } = detail;

    public DomainNode? Peer { get; } = peer;
}

/// <summary>A connection whose other end is known.</summary>
internal sealed record AuthenticatedConnection(
    DomainNode Peer, ulong PeerStartNonce, string Remote, SslStream Tls, TransportStream Transport);

/// <summary>TLS 1.3 with both sides authenticated, then Hello and its answer.</summary>
internal sealed class LinkHandshake
{
    private readonly Domain _domain;
    private readonly NodeIndex _self;
    private readonly DomainTrust _trust;
    private readonly Hello _hello;
    private readonly X509Certificate2 _authority;
    private readonly SslStreamCertificateContext _certificate;

    public LinkHandshake(Domain domain, NodeIndex self, NodeIdentity identity, ulong startNonce)
    {
        (_domain, _self, _authority) = (domain, self, identity.Authority);
        _trust = new(domain, identity.Authority);
        _hello = Hello.Of(domain, startNonce);
        _certificate = SslStreamCertificateContext.Create(identity.Certificate, [], offline: true);
    }

    /// <summary>Authenticates a node that connected here.</summary>
    /// <exception cref="LinkRefusedException">It is not let in.</exception>
    public async Task<AuthenticatedConnection> AcceptAsync(Socket socket, string remote, CancellationToken cancel)
    {
        var seen = new Seen();
        var (tls, transport) = Wrap(socket);
        try
        {
            await AuthenticateAsync(() => tls.AuthenticateAsServerAsync(ServerOptions(seen), cancel), seen, cancel);
            var peer = seen.Node!;
            var theirs = await ReadHelloAsync(tls, Frames.Hello, peer, cancel);
            await tls.WriteAsync(_hello.ToFrame(Frames.HelloAck), cancel); // Also before refusing: the peer compares for itself.
            await tls.FlushAsync(cancel);
            if (_hello.Compare(theirs) is { } difference) throw new LinkRefusedException(difference, "", peer);
            return new(peer, theirs.StartNonce, remote, tls, transport);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    /// <summary>Authenticates the node that this one connected to.</summary>
    /// <exception cref="LinkRefusedException">It is another one, or the two do not fit together.</exception>
    public async Task<AuthenticatedConnection> ConnectAsync(Socket socket, DomainNode peer, string remote, CancellationToken cancel)
    {
        var seen = new Seen { Expected = peer };
        var (tls, transport) = Wrap(socket);
        try
        {
            await AuthenticateAsync(() => tls.AuthenticateAsClientAsync(ClientOptions(peer, seen), cancel), seen, cancel);
            await tls.WriteAsync(_hello.ToFrame(Frames.Hello), cancel);
            await tls.FlushAsync(cancel);
            var theirs = await ReadHelloAsync(tls, Frames.HelloAck, peer, cancel);
            if (_hello.Compare(theirs) is { } difference) throw new LinkRefusedException(difference, "", peer);
            return new(peer, theirs.StartNonce, remote, tls, transport);
        }
        catch
        {
            await tls.DisposeAsync();
            throw;
        }
    }

    private static (SslStream Tls, TransportStream Transport) Wrap(Socket socket)
    {
        var transport = new TransportStream(socket);
        return (new(transport, leaveInnerStreamOpen: false), transport);
    }

    private static async Task AuthenticateAsync(Func<Task> handshake, Seen seen, CancellationToken cancel)
    {
        try
        {
            await handshake();
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Of any kind: what a stranger's certificate makes the libraries throw must not reach further than this connection.
            if (seen.Refusal is { } refusal) throw new LinkRefusedException(refusal, "", seen.Node ?? seen.Expected);
            cancel.ThrowIfCancellationRequested(); // It was cut, by time or by eviction: the caller knows which.
            throw new LinkRefusedException(LinkRefusal.HandshakeFailed, e.Message, seen.Expected);
        }
    }

    private static async Task<Hello> ReadHelloAsync(SslStream tls, byte type, DomainNode peer, CancellationToken cancel)
    {
        try
        {
            var head = new byte[Frames.HeaderLength];
            await tls.ReadExactlyAsync(head, cancel);
            if (Frames.TryReadHeader(head, out var header) is { } wrong) throw new LinkRefusedException(wrong, "instead of Hello", peer);
            if (header.Type != type || header.TotalLength > Frames.HeaderLength + Hello.BodyMax)
                throw new LinkRefusedException(LinkRefusal.HandshakeFailed, "the first frame is no Hello", peer);
            var body = new byte[header.TotalLength - Frames.HeaderLength];
            await tls.ReadExactlyAsync(body, cancel);
            return Hello.Read(body) ?? throw new LinkRefusedException(LinkRefusal.HandshakeFailed, "the Hello is malformed", peer);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            cancel.ThrowIfCancellationRequested();
            // With TLS 1.3 the side that dialled learns only here that its certificate was refused.
            throw new LinkRefusedException(LinkRefusal.HandshakeFailed, "the peer ended the connection; its log says why", peer);
        }
    }

    private SslServerAuthenticationOptions ServerOptions(Seen seen) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        ServerCertificateContext = _certificate,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = ChainPolicy(),
        AllowTlsResume = false, // A resumed session would skip the checks below.
        AllowRenegotiation = false,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Judge(certificate, isServer: false, seen),
    };

    private SslClientAuthenticationOptions ClientOptions(DomainNode peer, Seen seen) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        ClientCertificateContext = _certificate,
        TargetHost = peer.Id,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = ChainPolicy(),
        AllowTlsResume = false,
        AllowRenegotiation = false,
        RemoteCertificateValidationCallback = (_, certificate, _, _) => Judge(certificate, isServer: true, seen),
    };

    // TLS builds a chain before it asks; without this policy it would look into the machine's store and onto the network.
    private X509ChainPolicy ChainPolicy()
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        policy.CustomTrustStore.Add(_authority);
        return policy;
    }

    private bool Judge(X509Certificate? certificate, bool isServer, Seen seen)
    {
        seen.Refusal = _trust.CheckNode(certificate as X509Certificate2, isServer, out var node);
        seen.Node = node;
        if (seen.Refusal is not null) return false;
        var fits = isServer ? node == seen.Expected : _domain.Dials(node!.Index, _self);
        if (!fits) seen.Refusal = LinkRefusal.UnexpectedPeer;
        return fits;
    }

    /// <summary>What the certificate check found; it runs inside TLS, which has no place for our reasons.</summary>
    private sealed class Seen
    {
        public DomainNode? Expected { get; init; }

        public DomainNode? Node { get; set; }

        public LinkRefusal? Refusal { get; set; }
    }
}
