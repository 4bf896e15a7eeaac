using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;

namespace Massif.Client;

/// <summary>What one replica answered: a document, or why there is none.</summary>
/// <param name="Document">The answer; null when there is none.</param>
/// <param name="Absent">Whether the replica said that it does not have what was asked for.</param>
/// <param name="Trouble">Why there is no document; null when there is.</param>
internal sealed record Answer(JsonDocument? Document, bool Absent, string? Trouble);

/// <summary>Asks one replica.</summary>
internal sealed class ReplicaConnection : IDisposable
{
    // An honest replica sends at most 8 MiB at once, and one event more.
    private const long AnswerBytesMax = 16 * 1024 * 1024;
    private readonly ClientOptions _options;
    private readonly HttpClient _http;
    private string? _refusal;

    public ReplicaConnection(ReplicaAddress address, ClientOptions options)
    {
        Address = address;
        _options = options;
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = options.LongestTimeout,
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            UseCookies = false,
            UseProxy = false,
            SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificates = [options.Certificate],
                EnabledSslProtocols = SslProtocols.Tls13,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => Believe(certificate),
            },
        };
        _http = new(handler)
        {
            BaseAddress = new UriBuilder(Uri.UriSchemeHttps, address.Host, address.Port).Uri,
            MaxResponseContentBufferSize = AnswerBytesMax,
            Timeout = Timeout.InfiniteTimeSpan, // Each question brings its own; a live stream has none.
        };
    }

    public ReplicaAddress Address { get; }

    /// <summary>Asks, and waits no longer than the patience that all replicas share.</summary>
    public async Task<Answer> GetAsync(string path, Patience patience, CancellationToken cancel)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var question = AskAsync(path, end.Token);
        var (inTime, seconds) = await patience.WaitAsync(question, cancel);
        if (!inTime) await end.CancelAsync();
        try
        {
            var answer = await question;
            if (answer.Document is not null || answer.Absent) patience.Answered(Address.Id);
            return answer;
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return new(null, false, $"no answer in {seconds} s");
        }
    }

    /// <summary>Opens a live stream; waits as long as a busy machine may need.</summary>
    /// <exception cref="HttpRequestException">The replica cannot be reached, or refuses.</exception>
    public async Task<HttpResponseMessage> OpenStreamAsync(string path, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(_options.LongestTimeout);
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        if (response.IsSuccessStatusCode) return response;
        response.Dispose();
        throw new HttpRequestException($"answers {(int)response.StatusCode}");
    }

    /// <summary>Says in one line what went wrong: a certificate that was not believed, else the innermost reason.</summary>
    public string TroubleOf(Exception exception)
    {
        if (exception is JsonException) return "its answer is not JSON";
        if (_refusal is { } refusal) return refusal;
        while (exception.InnerException is { } inner) exception = inner;
        return exception.Message.ReplaceLineEndings(" ");
    }

    public void Dispose() => _http.Dispose();

    private async Task<Answer> AskAsync(string path, CancellationToken cancel)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri(path, UriKind.Relative), cancel);
            if (response.StatusCode == HttpStatusCode.NotFound) return new(null, true, "does not have it");
            if (!response.IsSuccessStatusCode) return new(null, false, $"answers {(int)response.StatusCode}");
            var bytes = await response.Content.ReadAsByteArrayAsync(cancel);
            return new(JsonDocument.Parse(bytes), false, null);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            return new(null, false, TroubleOf(exception));
        }
    }

    private bool Believe(X509Certificate? certificate)
    {
        using var copy = certificate is null ? null : X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        _refusal = ServerTrust.Refuse(copy, _options, Address);
        return _refusal is null;
    }
}
