using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Massif.Reb.Telemetry;

/// <summary>How a node is.</summary>
/// <param name="Ready">Whether it does its work at the moment.</param>
/// <param name="Reason">Why not, in one line; <c>ok</c> when it does.</param>
public readonly record struct NodeHealth(bool Ready, string Reason);

/// <summary>What a node tells those who watch it. Both questions are answered through the node's own loop.</summary>
public interface ITelemetrySource
{
    /// <summary>Returns all metrics of this moment.</summary>
    ValueTask<IReadOnlyList<Metric>> CollectAsync(CancellationToken cancel);

    /// <summary>Returns how the node is.</summary>
    ValueTask<NodeHealth> CheckAsync(CancellationToken cancel);
}

/// <summary>Answers <c>/metrics</c>, <c>/healthz</c> and <c>/readyz</c> over plain HTTP.</summary>
/// <remarks>
/// It authenticates nobody, so it belongs on a loopback address. <c>/healthz</c> says whether the node's loop answers at
/// all: a supervisor may restart a node that does not. <c>/readyz</c> also says whether it does its work.
/// </remarks>
public sealed class MetricsServer : IAsyncDisposable
{
    /// <summary>How long the node's loop may take to answer: a turn takes milliseconds.</summary>
    public static readonly TimeSpan AnswerTimeout = TimeSpan.FromSeconds(2);

    private const int RequestBytesMax = 16 * 1024; // A scraper sends a few hundred.

    /// <summary>Most connections at once; with one more the oldest silent one goes.</summary>
    public const int ConnectionsMax = 64;

    private static readonly TimeSpan FirstByteTimeout = TimeSpan.FromSeconds(5);
    private readonly WebApplication _web;

    private MetricsServer(WebApplication web) => _web = web;

    /// <summary>Gets where it listens; tells the port when 0 was asked for.</summary>
    public IPEndPoint Endpoint
    {
        get
        {
            var addresses = _web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!;
            return IPEndPoint.Parse(new Uri(addresses.Addresses.Single()).Authority);
        }
    }

    /// <summary>Starts to answer.</summary>
    /// <param name="endpoint">Where to listen.</param>
    /// <param name="source">What to answer.</param>
    /// <param name="cancel">Ends the attempt.</param>
    /// <exception cref="IOException">The address cannot be used, for example because another program listens there.</exception>
    public static async Task<MetricsServer> StartAsync(
        IPEndPoint endpoint, ITelemetrySource source, CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(source);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = 0;
            options.Limits.MaxRequestHeadersTotalSize = RequestBytesMax; // Kestrel wants the buffer to hold all headers.
            options.Limits.MaxRequestBufferSize = RequestBytesMax;
            options.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(5);
            options.Listen(endpoint, new Doorkeeper(ConnectionsMax, ConnectionsMax, FirstByteTimeout).Guard);
        });
        var web = builder.Build();
        web.Run(context => AnswerAsync(context, source));
        try
        {
            await web.StartAsync(cancel);
            return new(web);
        }
        catch (Exception failure) when (ListenFailure.Is(failure))
        {
            await web.DisposeAsync();
            throw ListenFailure.Of("http.listen", endpoint, failure);
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _web.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context, ITelemetrySource source)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        cancel.CancelAfter(AnswerTimeout);
        // One that is kept for the next scrape is nobody's again meanwhile, and may have to make room just when that scrape comes.
        context.Response.Headers.Connection = "close";
        try
        {
            var path = context.Request.Path.Value;
            if (!HttpMethods.IsGet(context.Request.Method))
                await WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "only GET\n");
            else if (path == "/metrics")
                await WriteMetricsAsync(context, await source.CollectAsync(cancel.Token).AsTask().WaitAsync(cancel.Token));
            else if (path is "/healthz" or "/readyz")
                await WriteHealthAsync(context, await source.CheckAsync(cancel.Token).AsTask().WaitAsync(cancel.Token), path);
            else
                await WriteAsync(context, StatusCodes.Status404NotFound, "there are /metrics, /healthz and /readyz\n");
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            await WriteAsync(context, StatusCodes.Status503ServiceUnavailable, "the node's loop does not answer\n");
        }
    }

    private static Task WriteMetricsAsync(HttpContext context, IReadOnlyList<Metric> metrics)
    {
        context.Response.ContentType = PrometheusText.ContentType;
        return context.Response.WriteAsync(PrometheusText.Write(metrics));
    }

    private static Task WriteHealthAsync(HttpContext context, NodeHealth health, string path)
    {
        var good = health.Ready || path == "/healthz";
        return WriteAsync(context, good ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, health.Reason + "\n");
    }

    private static Task WriteAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text);
    }
}
