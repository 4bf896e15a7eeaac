using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

namespace Massif.Mis.Core.Api;

/// <summary>
/// The read API of a replica: JSON over HTTPS, for holders of an operator's or a core's certificate of this domain.
/// </summary>
/// <remarks>
/// It only reads, and says what this one replica believes; a client asks all replicas and believes what f+1 say.
/// Paths: /v1/status, /v1/streams, /v1/alarms, /v1/alarms/ID, /v1/alarms/ID/events, /v1/events/ID, and server-sent
/// events at /v1/stream/alarms and /v1/stream/events.
/// </remarks>
public sealed class CoreApi : IAsyncDisposable
{
    private readonly DomainTrust _trust;
    private readonly CoreApiLimits _limits;
    private readonly Doorkeeper _door;
    private readonly ConcurrentDictionary<string, long> _refused = new(StringComparer.Ordinal);
    private WebApplication? _web;
    private int _connections;

    private CoreApi(DomainTrust trust, CoreApiLimits limits)
    {
        (_trust, _limits) = (trust, limits);
        _door = new(limits.NewcomersMax, limits.NewcomersPerAddressMax, limits.FirstByteTimeout);
    }

    /// <summary>Gets where it listens; tells the port when 0 was asked for.</summary>
    public IPEndPoint Endpoint
    {
        get
        {
            var addresses = _web!.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
            return IPEndPoint.Parse(new Uri(addresses.Addresses.Single()).Authority);
        }
    }

    /// <summary>Gets how many clients were refused, by reason.</summary>
    public IReadOnlyDictionary<string, long> Refused =>
        new Dictionary<string, long>(_refused) { ["made_room"] = _door.Evicted, ["silent"] = _door.Silent };

    /// <summary>Starts to answer.</summary>
    /// <param name="endpoint">Where to listen.</param>
    /// <param name="identity">The replica's certificate with its key.</param>
    /// <param name="trust">Decides whom a client's certificate speaks for.</param>
    /// <param name="model">What to answer.</param>
    /// <param name="limits">Limits; null for the defaults.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="IOException">The address cannot be used, for example because another program listens there.</exception>
    public static async Task<CoreApi> StartAsync(
        IPEndPoint endpoint,
        NodeIdentity identity,
        DomainTrust trust,
        ICoreReadModel model,
        CoreApiLimits? limits = null,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(identity);
        limits ??= new();
        var api = new CoreApi(trust, limits);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = 0;
            options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            options.Listen(endpoint, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                api._door.Guard(listen);
                listen.UseHttps(api.Tls(identity)); // Below HTTP: who is refused never sends a request.
                Doorkeeper.Pass(listen);
                listen.Use(next => connection => api.CountAsync(connection, next));
            });
        });
        api._web = builder.Build();
        new ApiRoutes(model, limits, api.Refuse).Map(api._web);
        try
        {
            await api._web.StartAsync(cancel);
            return api;
        }
        catch (Exception failure) when (ListenFailure.Is(failure))
        {
            await api._web.DisposeAsync();
            throw ListenFailure.Of("core.api_listen", endpoint, failure);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_web is null) return;
        // Live streams never end by themselves, so nobody waits for them.
        using var now = new CancellationTokenSource(TimeSpan.Zero);
        await _web.StopAsync(now.Token);
        await _web.DisposeAsync();
    }

    // The options of TLS itself instead of Kestrel's, whose callback is not asked about a client that shows no certificate.
    private TlsHandshakeCallbackOptions Tls(NodeIdentity identity)
    {
        var certificate = SslStreamCertificateContext.Create(identity.Certificate, [], offline: true);
        var options = new SslServerAuthenticationOptions
        {
            ServerCertificateContext = certificate,
            EnabledSslProtocols = SslProtocols.Tls13,
            ClientCertificateRequired = true,
            AllowTlsResume = false, // A resumed session would skip the check below.
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            RemoteCertificateValidationCallback = (_, shown, _, _) => MayRead(shown),
        };
        return new()
        {
            OnConnection = _ => ValueTask.FromResult(options),
            HandshakeTimeout = TimeSpan.FromSeconds(5),
        };
    }

    // The web server's own limit would count those that are nobody yet, and they have one of their own.
    private async Task CountAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        try
        {
            if (Interlocked.Increment(ref _connections) <= _limits.ConnectionsMax) await next(connection);
            else Refuse("too_many");
        }
        finally
        {
            Interlocked.Decrement(ref _connections);
        }
    }

    private void Refuse(string reason) => _refused.AddOrUpdate(reason, 1, static (_, count) => count + 1);

    // The domain's own check replaces the system's: only the domain's CA counts, whatever the machine trusts.
    private bool MayRead(X509Certificate? shown)
    {
        using var certificate = shown is null ? null : X509CertificateLoader.LoadCertificate(shown.GetRawCertData());
        var refusal = _trust.Check(certificate, isServer: false, out var who);
        if (refusal is null && who!.Role is not (DomainTrust.OperatorRole or "core")) refusal = LinkRefusal.WrongRole;
        if (refusal is null) return true;
        Refuse(YamlMap.Word(refusal.Value));
        return false;
    }
}
