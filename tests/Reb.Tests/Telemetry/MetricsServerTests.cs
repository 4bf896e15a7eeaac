using System.Net;
using System.Net.Sockets;
using Massif.Reb.Telemetry;

namespace Massif.Reb.Tests.Telemetry;

public sealed class MetricsServerTests : IAsyncLifetime, IDisposable
{
    private readonly Source _source = new();
    private readonly HttpClient _http = new();
    private MetricsServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await MetricsServer.StartAsync(new(IPAddress.Loopback, 0), _source);
        _http.BaseAddress = new($"http://{_server.Endpoint}");
    }

    public async Task DisposeAsync() => await _server.DisposeAsync();

    public void Dispose() => _http.Dispose();

    [Fact]
    public async Task Metrics_are_written_in_the_format_of_prometheus()
    {
        using var answer = await _http.GetAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Equal(PrometheusText.ContentType, answer.Content.Headers.ContentType?.ToString());
        Assert.EndsWith("massif_up 1\n", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_node_that_lives_but_does_not_work_is_healthy_and_not_ready()
    {
        Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAsync("/readyz"));
        _source.Health = new(false, "the disk is full");
        Assert.Equal((HttpStatusCode.OK, "the disk is full\n"), await GetAsync("/healthz"));
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the disk is full\n"), await GetAsync("/readyz"));
    }

    [Fact]
    public async Task A_loop_that_hangs_is_seen()
    {
        _source.Hang = new TaskCompletionSource().Task;
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "the node's loop does not answer\n"), await GetAsync("/healthz"));
    }

    [Fact]
    public async Task Anything_else_is_refused()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync("/")).Item1);
        using var answer = await _http.PostAsync(new Uri("/metrics", UriKind.Relative), null);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task Connections_that_say_nothing_or_stop_halfway_keep_nobody_out()
    {
        var others = new List<TcpClient>();
        for (var i = 0; i < 200; i++)
        {
            others.Add(new());
            try
            {
                await others[^1].ConnectAsync(_server.Endpoint);
                if (i % 2 == 0) await others[^1].GetStream().WriteAsync("GET /metr"u8.ToArray());
            }
            catch (Exception end) when (end is SocketException or IOException)
            {
                // Pushed out already.
            }

            if (i % 20 == 0) Assert.Equal((HttpStatusCode.OK, "ok\n"), await GetAmongThemAsync());
        }

        foreach (var other in others) other.Dispose();
    }

    [Fact]
    public async Task A_port_in_use_is_an_error_that_says_so()
    {
        var error = await Assert.ThrowsAsync<IOException>(() => MetricsServer.StartAsync(_server.Endpoint, _source));
        Assert.Contains("address already in use", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>In the crowd a client may be cut before its first byte is read; the next attempt of three gets through.</summary>
    private async Task<(HttpStatusCode Status, string Text)> GetAmongThemAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await GetAsync("/healthz");
            }
            catch (HttpRequestException) when (attempt < 3)
            {
            }
        }
    }

    private async Task<(HttpStatusCode Status, string Text)> GetAsync(string path)
    {
        using var answer = await _http.GetAsync(new Uri(path, UriKind.Relative));
        Assert.True(answer.Headers.ConnectionClose); // Kept, it might have to make room while the next request is on its way.
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private sealed class Source : ITelemetrySource
    {
        public NodeHealth Health { get; set; } = new(true, "ok");

        public Task Hang { get; set; } = Task.CompletedTask;

        public ValueTask<IReadOnlyList<Metric>> CollectAsync(CancellationToken cancel) =>
            ValueTask.FromResult<IReadOnlyList<Metric>>([Metric.Gauge("massif_up", "Always 1.", 1)]);

        public async ValueTask<NodeHealth> CheckAsync(CancellationToken cancel)
        {
            await Hang; // Without the token: a loop that hangs listens to nobody.
            return Health;
        }
    }
}
