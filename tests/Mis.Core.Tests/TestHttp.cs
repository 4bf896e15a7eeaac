using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace Massif.Mis.Core.Tests;

internal static class TestHttp
{
    /// <summary>Makes a client that shows a certificate, or none; whom it talks to is not what these tests are about.</summary>
    public static HttpClient Client(IPEndPoint endpoint, X509Certificate2? certificate)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null;
        if (certificate is not null) handler.SslOptions.ClientCertificates = [certificate];
        return new(handler) { BaseAddress = new($"https://{endpoint}") };
    }
}

/// <summary>Reads server-sent events as they come.</summary>
internal sealed class SseLines : IAsyncDisposable
{
    private readonly HttpResponseMessage _response;
    private readonly StreamReader _lines;
    private readonly CancellationToken _cancel;

    private SseLines(HttpResponseMessage response, Stream body, CancellationToken cancel) =>
        (_response, _lines, _cancel) = (response, new(body), cancel);

    /// <summary>Opens a stream; when it returns, the other end listens.</summary>
    public static async Task<SseLines> OpenAsync(HttpClient client, string path, CancellationToken cancel)
    {
        var response = await client.GetAsync(new Uri(path, UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, cancel);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        return new(response, await response.Content.ReadAsStreamAsync(cancel), cancel);
    }

    public async Task<(string Id, string Kind, string Data)> NextAsync()
    {
        var (id, kind, data) = ("", "", "");
        while (await _lines.ReadLineAsync(_cancel) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
            if (line.StartsWith("event: ", StringComparison.Ordinal)) kind = line[7..];
            if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            if (line.Length == 0 && data.Length > 0) return (id, kind, data);
        }

        return ("", "end", "");
    }

    public ValueTask DisposeAsync()
    {
        _lines.Dispose();
        _response.Dispose();
        return ValueTask.CompletedTask;
    }
}
