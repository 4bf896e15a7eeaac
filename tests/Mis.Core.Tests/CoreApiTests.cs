using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Massif.Mis.Core.Api;
using Massif.Tests.Support;

namespace Massif.Mis.Core.Tests;

/// <summary>The API over real TLS on loopback, in front of a fake replica.</summary>
public sealed class CoreApiTests : IAsyncLifetime, IDisposable
{
    private readonly TestDomain _domain = new();
    private readonly FakeReplica _replica = new("core1");
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));
    private readonly List<HttpClient> _clients = [];
    private CoreApi _api = null!;

    public async Task InitializeAsync() => _api = await CoreApi.StartAsync(
        new(IPAddress.Loopback, 0),
        _domain.Identity("core1"),
        _domain.Trust,
        _replica,
        new()
        {
            BatchesWaiting = 4,
            StreamsMax = 2,
            NewcomersMax = 8,
            NewcomersPerAddressMax = 8,
            AnswersWaitingBytesMax = 1024 * 1024,
            AnswerTimeout = TimeSpan.FromMilliseconds(200),
            Heartbeat = TimeSpan.FromMilliseconds(50),
        },
        _patience.Token);

    public async Task DisposeAsync() => await _api.DisposeAsync();

    public void Dispose()
    {
        foreach (var client in _clients) client.Dispose();
        _patience.Dispose();
        _domain.Dispose();
    }

    [Fact]
    public async Task Status_and_streams_say_how_far_the_replica_is()
    {
        _replica.Deliver(1, FakeReplica.Logins(0, 1)).Deliver(2, FakeReplica.Logins(10, 1));
        var status = await GetAsync("/v1/status");
        Assert.Equal("core1", status.GetProperty("node_id").GetString());
        Assert.Equal("lost", status.GetProperty("vote_log").GetString());
        Assert.False(status.TryGetProperty("disk_trouble", out _));
        Assert.Equal("bad_mac", status.GetProperty("reasons")[0].GetProperty("reason").GetString());

        var stream = (await GetAsync("/v1/streams")).GetProperty("streams")[0];
        Assert.Equal("7", stream.GetProperty("incarnation").GetString());
        Assert.Equal(2, stream.GetProperty("delivered").GetInt32());
        Assert.Equal(64, stream.GetProperty("chain")[1].GetProperty("digest").GetString()!.Length);
    }

    [Fact]
    public async Task Alarms_are_paged_shown_and_told_with_their_events()
    {
        _replica.Deliver(1, FakeReplica.Logins(0, 2)).Deliver(2, FakeReplica.Logins(100, 2));
        var page = await GetAsync("/v1/alarms?limit=1");
        Assert.Equal(1, page.GetProperty("next").GetInt64());
        Assert.Equal(2, (await GetAsync("/v1/alarms?after=1")).GetProperty("alarms")[0].GetProperty("ordinal").GetInt64());

        var alarm = page.GetProperty("alarms")[0].GetProperty("alarm");
        var id = alarm.GetProperty("id").GetString();
        Assert.Equal(alarm.GetRawText(), (await GetAsync($"/v1/alarms/{id}")).GetRawText());

        var told = await GetAsync($"/v1/alarms/{id}/events");
        var events = told.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("event.id").GetString());
        Assert.Equal(["edge1/7/1/0", "edge1/7/1/1"], events);
        _replica.Forget(1);
        Assert.Equal("edge1/7/1/0", (await GetAsync($"/v1/alarms/{id}/events")).GetProperty("missing")[0].GetString());
    }

    [Fact]
    public async Task One_event_is_found_by_its_id()
    {
        _replica.Deliver(1, FakeReplica.Logins(0, 2));
        var found = await GetAsync("/v1/events/edge1/7/1/1");
        Assert.Equal("1970-01-01T00:00:01.000000000Z", found.GetProperty("event.created").GetString());
        await RefusedAsync("/v1/events/edge1/7/1/2", HttpStatusCode.NotFound);
        await RefusedAsync("/v1/events/edge1/7/9/0", HttpStatusCode.NotFound);
        await RefusedAsync("/v1/events/edge1/x/1/0", HttpStatusCode.BadRequest);
    }

    [Theory]
    [InlineData("/v1/alarms?after=x", HttpStatusCode.BadRequest)]
    [InlineData("/v1/alarms?limit=-1", HttpStatusCode.BadRequest)]
    [InlineData("/v1/alarms/xyz", HttpStatusCode.BadRequest)]
    [InlineData("/v1/alarms/00000000000000000000000000000000", HttpStatusCode.NotFound)]
    [InlineData("/v1/stream/alarms?after=x", HttpStatusCode.BadRequest)]
    [InlineData("/v1/stream/events?after=x", HttpStatusCode.BadRequest)]
    [InlineData("/", HttpStatusCode.NotFound)]
    public async Task What_cannot_be_answered_is_refused_with_a_reason(string path, HttpStatusCode status) =>
        await RefusedAsync(path, status);

    [Fact]
    public async Task A_replica_that_does_not_answer_in_time_is_reported()
    {
        _replica.Silence = new TaskCompletionSource().Task;
        await RefusedAsync("/v1/status", HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_stream_of_alarms_begins_with_what_was_missed()
    {
        _replica.Deliver(1, FakeReplica.Logins(0, 2)).Deliver(2, FakeReplica.Logins(100, 2));
        await using var stream = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/alarms?after=1", _patience.Token);
        Assert.Equal("2", (await stream.NextAsync()).Id);
        _replica.Deliver(3, FakeReplica.Logins(200, 2));
        var (id, kind, data) = await stream.NextAsync();
        Assert.Equal(("3", "alarm"), (id, kind));
        Assert.Equal(2, JsonDocument.Parse(data).RootElement.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_stream_of_events_begins_with_what_was_missed_and_has_no_hole()
    {
        for (ulong seq = 1; seq <= 4; seq++) _replica.Deliver(seq, FakeReplica.Logins((long)seq, 1));
        await using var stream = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/events?after=edge1/7/2", _patience.Token);
        Assert.Equal("edge1/7/3/0", (await stream.NextAsync()).Id);
        Assert.Equal("edge1/7/4/0", (await stream.NextAsync()).Id);
        _replica.Deliver(5, FakeReplica.Logins(5, 2));
        Assert.Equal("edge1/7/5/0", (await stream.NextAsync()).Id);
        Assert.Equal("edge1/7/5/1", (await stream.NextAsync()).Id);
    }

    [Fact]
    public async Task A_stream_without_a_position_begins_now()
    {
        _replica.Deliver(1, FakeReplica.Logins(1, 1));
        await using var stream = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/events", _patience.Token);
        _replica.Deliver(2, FakeReplica.Logins(2, 1));
        Assert.Equal("edge1/7/2/0", (await stream.NextAsync()).Id);
    }

    [Fact]
    public async Task A_client_that_reads_too_slowly_is_told_and_cut()
    {
        await using var stream = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/events", _patience.Token);
        var batch = FakeReplica.Logins(0, 500);
        for (ulong seq = 1; seq <= 200; seq++) _replica.Batches.Publish(new(FakeReplica.Stream, seq, batch));
        var last = await stream.NextAsync();
        while (last.Kind == "event") last = await stream.NextAsync();
        Assert.Equal("cut", last.Kind);
        Assert.False(_replica.Batches.HasListeners);
    }

    [Fact]
    public async Task More_live_streams_than_allowed_are_refused()
    {
        await using var one = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/alarms", _patience.Token);
        await using var two = await SseLines.OpenAsync(Client(_domain.Operator()), "/v1/stream/events", _patience.Token);
        await RefusedAsync("/v1/stream/alarms", HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task Another_core_may_read()
    {
        var client = Client(_domain.Certificate("core", "core2"));
        using var response = await client.GetAsync(new Uri("/v1/status", UriKind.Relative), _patience.Token);
        Assert.True(response.IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("wrong_role")]
    [InlineData("another_domain")]
    [InlineData("expired")]
    [InlineData("none")]
    public async Task Nobody_else_is_let_in(string who)
    {
        using var other = new TestDomain("other");
        var certificate = who switch
        {
            "wrong_role" => _domain.Certificate("edge", "edge1"),
            "another_domain" => other.Operator(),
            "expired" => _domain.Certificate("operator", "operator", days: -10),
            _ => null,
        };
        await Assert.ThrowsAsync<HttpRequestException>(
            () => Client(certificate).GetAsync(new Uri("/v1/status", UriKind.Relative), _patience.Token));
        var reason = certificate is null ? "no_certificate" : who;
        while (Refusals().Length == 0) await Task.Delay(10, _patience.Token); // The client may know before the server has counted.
        Assert.Equal([reason], Refusals()); // An HTTP client tries more than once.
    }

    [Fact]
    public async Task A_port_in_use_is_an_error_that_says_so()
    {
        var error = await Assert.ThrowsAsync<IOException>(
            () => CoreApi.StartAsync(_api.Endpoint, _domain.Identity("core1"), _domain.Trust, _replica));
        Assert.Contains("address already in use", error.Message, StringComparison.OrdinalIgnoreCase);
    }

    private string[] Refusals() => [.. _api.Refused.Where(pair => pair.Value > 0).Select(pair => pair.Key)];

    private HttpClient Client(X509Certificate2? certificate)
    {
        var client = TestHttp.Client(_api.Endpoint, certificate);
        _clients.Add(client);
        return client;
    }

    private async Task<JsonElement> GetAsync(string path)
    {
        var text = await Client(_domain.Operator()).GetStringAsync(new Uri(path, UriKind.Relative), _patience.Token);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task RefusedAsync(string path, HttpStatusCode status)
    {
        using var answer = await Client(_domain.Operator()).GetAsync(new Uri(path, UriKind.Relative), _patience.Token);
        Assert.Equal(status, answer.StatusCode);
        var text = await answer.Content.ReadAsStringAsync(_patience.Token);
        Assert.NotEmpty(JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()!);
    }
}
