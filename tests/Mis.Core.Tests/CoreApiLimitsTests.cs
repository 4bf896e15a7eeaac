using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Massif.Mis.Core.Api;
using Massif.Tests.Support;

namespace Massif.Mis.Core.Tests;

/// <summary>The API before people who do not mean well: with a certificate or without one they keep nobody else out.</summary>
public sealed class CoreApiLimitsTests : IAsyncLifetime, IDisposable
{
    private readonly TestDomain _domain = new();
    private readonly FakeReplica _replica = new("core1");
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));
    private readonly List<IDisposable> _open = [];
    private CoreApi _api = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _api.DisposeAsync();

    public void Dispose()
    {
        foreach (var one in _open) one.Dispose();
        _patience.Dispose();
        _domain.Dispose();
    }

    [Fact]
    public async Task Connections_that_show_no_certificate_push_out_each_other_and_no_operator()
    {
        await StartAsync(new() { NewcomersMax = 8, NewcomersPerAddressMax = 8, FirstByteTimeout = TimeSpan.FromMinutes(5) });
        for (var i = 0; i < 100; i++) await ConnectAsync(sayHalfAHello: i % 2 == 0);
        while (_api.Refused["made_room"] < 92) await Task.Delay(10, _patience.Token);
        Assert.True((await GetAsync("/v1/status")).TryGetProperty("node_id", out _));

        async Task ConnectAsync(bool sayHalfAHello)
        {
            var silent = new TcpClient();
            _open.Add(silent);
            try
            {
                await silent.ConnectAsync(_api.Endpoint, _patience.Token);
                if (sayHalfAHello) await silent.GetStream().WriteAsync(new byte[] { 0x16, 3, 1, 2, 0, 1 }, _patience.Token);
            }
            catch (Exception end) when (end is SocketException or IOException)
            {
                // Pushed out already.
            }
        }
    }

    [Fact]
    public async Task A_connection_that_says_nothing_is_closed_and_counted()
    {
        await StartAsync(new() { FirstByteTimeout = TimeSpan.FromMilliseconds(50) });
        var silent = new TcpClient();
        _open.Add(silent);
        await silent.ConnectAsync(_api.Endpoint, _patience.Token);
        Assert.Equal(0, await silent.GetStream().ReadAsync(new byte[1], _patience.Token));
        while (_api.Refused["silent"] == 0) await Task.Delay(10, _patience.Token);
    }

    [Fact]
    public async Task A_live_stream_that_nobody_reads_loses_its_place()
    {
        await StartAsync(new() { StreamsMax = 1, BatchesWaiting = 100_000, ReadTimeout = TimeSpan.FromMilliseconds(100) });
        await AskAsync("/v1/stream/events");
        while (!_replica.Batches.HasListeners) await Task.Delay(10, _patience.Token);
        var batch = FakeReplica.Logins(0, 200, message: new string('x', 200));
        var seq = 0UL;
        while (!_api.Refused.ContainsKey("reads_too_slowly"))
        {
            _replica.Batches.Publish(new(FakeReplica.Stream, ++seq, batch));
            await Task.Delay(1, _patience.Token);
        }

        var client = TestHttp.Client(_api.Endpoint, _domain.Operator());
        await using var stream = await SseLines.OpenAsync(client, "/v1/stream/events", _patience.Token);
    }

    [Fact]
    public async Task Large_answers_that_nobody_reads_are_bounded_and_small_ones_are_answered_all_the_same()
    {
        await StartAsync(new() { AnswersWaitingBytesMax = 12 * 1024 * 1024, ReadTimeout = TimeSpan.FromMinutes(5) });
        for (ulong seq = 1; seq <= 4; seq++) _replica.Deliver(seq, FakeReplica.Logins(10_000 * (long)seq, 1000));
        var large = 0;
        while (!_api.Refused.ContainsKey("answers_waiting"))
        {
            await AskAsync("/v1/alarms?limit=1000", times: 50); // So many that the system's own buffers are full.
            Assert.True(++large < 100, "Nothing bounds the answers.");
            await Task.Delay(20, _patience.Token);
        }

        Assert.True((await GetAsync("/v1/status")).TryGetProperty("node_id", out _));
    }

    [Fact]
    public async Task Events_that_an_answer_has_no_room_for_are_named()
    {
        await StartAsync(new() { AnswerBytesMax = 3_000 });
        _replica.Deliver(1, FakeReplica.Logins(0, 1, message: new string('x', 2_000))).Deliver(2, FakeReplica.Logins(1, 1));
        var id = (await GetAsync("/v1/alarms")).GetProperty("alarms")[0].GetProperty("alarm").GetProperty("id").GetString();
        var told = await GetAsync($"/v1/alarms/{id}/events");
        Assert.Equal(["edge1/7/1/0"], told.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("event.id").GetString()));
        Assert.Equal(["edge1/7/2/0"], told.GetProperty("missing").EnumerateArray().Select(e => e.GetString()));
        Assert.Equal("edge1/7/2/0", (await GetAsync("/v1/events/edge1/7/2/0")).GetProperty("event.id").GetString());
    }

    [Fact]
    public async Task More_certified_connections_than_allowed_are_closed_and_counted()
    {
        await StartAsync(new() { ConnectionsMax = 2 });
        for (var i = 0; i < 2; i++)
        {
            var stream = await AskAsync("/v1/status");
            Assert.True(await stream.ReadAsync(new byte[1], _patience.Token) > 0);
        }

        var third = await AskAsync("/v1/status");
        Assert.Equal(0, await ReadOrEndAsync(third));
        Assert.Equal(1, _api.Refused["too_many"]);
    }

    private async Task StartAsync(CoreApiLimits limits) =>
        _api = await CoreApi.StartAsync(
            new(IPAddress.Loopback, 0), _domain.Identity("core1"), _domain.Trust, _replica, limits, _patience.Token);

    /// <summary>Asks over TLS of its own, and does not read the answer.</summary>
    private async Task<SslStream> AskAsync(string path, int times = 1)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        _open.Add(client);
        await client.ConnectAsync(_api.Endpoint, _patience.Token);
        var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "core1", ClientCertificates = [_domain.Operator()] },
            _patience.Token);
        var requests = string.Concat(Enumerable.Repeat($"GET {path} HTTP/1.1\r\nHost: core1\r\n\r\n", times));
        await tls.WriteAsync(Encoding.ASCII.GetBytes(requests), _patience.Token);
        return tls;
    }

    private async Task<int> ReadOrEndAsync(Stream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[1], _patience.Token);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        using var client = TestHttp.Client(_api.Endpoint, _domain.Operator());
        return JsonDocument.Parse(await client.GetStringAsync(new Uri(path, UriKind.Relative), _patience.Token)).RootElement;
    }
}
