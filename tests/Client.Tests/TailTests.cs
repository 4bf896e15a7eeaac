using Massif.Tests.Support;

namespace Massif.Client.Tests;

/// <summary>Tails over real TLS, with replicas that go and come back. Every step waits for what it caused.</summary>
public sealed class TailTests : IAsyncLifetime, IDisposable
{
    private readonly CancellationTokenSource _patience = new(TimeSpan.FromSeconds(60));
    private TestReplicas _replicas = null!;
    private VotingClient _client = null!;

    public async Task InitializeAsync()
    {
        _replicas = await TestReplicas.StartAsync();
        _client = new(_replicas.Options);
    }

    public async Task DisposeAsync() => await _replicas.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _patience.Dispose();
    }

    [Fact]
    public async Task Events_come_once_and_in_order_while_a_replica_dies_and_comes_back()
    {
        await using var tail = _client.TailAsync(TailKind.Events, _patience.Token).GetAsyncEnumerator();
        var first = tail.MoveNextAsync().AsTask();
        await ListeningAsync(0, 1, 2, 3);
        _replicas.Deliver(1, FakeReplica.Logins(0, 2));
        Assert.True(await first);
        Assert.Equal("edge1/7/1/0", IdOf(tail.Current));
        Assert.Equal("edge1/7/1/1", await NextAsync(tail));

        await _replicas.StopAsync(0);
        Assert.StartsWith("core1 silent", await NextAsync(tail), StringComparison.Ordinal);
        _replicas.Deliver(2, FakeReplica.Logins(10, 1));
        Assert.Equal("edge1/7/2/0", await NextAsync(tail));

        await _replicas.RestartAsync(0);
        Assert.Equal("core1 is back", await NextAsync(tail));
        await _replicas.StopAsync(1);
        Assert.StartsWith("core2 silent", await NextAsync(tail), StringComparison.Ordinal);
        await _replicas.StopAsync(2);
        Assert.StartsWith("core3 silent", await NextAsync(tail), StringComparison.Ordinal);

        // Now it takes the one that came back: it also tells what it missed, which was printed already.
        _replicas.Deliver(3, FakeReplica.Logins(20, 1));
        Assert.Equal("edge1/7/3/0", await NextAsync(tail));
    }

    [Fact]
    public async Task A_liar_is_named_and_its_lie_is_not_shown()
    {
        await using var tail = _client.TailAsync(TailKind.Events, _patience.Token).GetAsyncEnumerator();
        var first = tail.MoveNextAsync().AsTask();
        await ListeningAsync(0, 1, 2, 3);
        _replicas.Deliver(1, FakeReplica.Logins(0, 1, message: "nothing happened"), 3);
        _replicas.Deliver(1, FakeReplica.Logins(0, 1), 0, 1);
        Assert.True(await first);
        var told = new List<string> { IdOf(tail.Current), await NextAsync(tail) };
        Assert.Contains("edge1/7/1/0", told);
        Assert.Contains("core4 differs: told edge1/7/1/0 otherwise", told);
        Assert.DoesNotContain("nothing happened", tail.Current.Json ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alarms_come_once_when_two_replicas_have_them()
    {
        await using var tail = _client.TailAsync(TailKind.Alarms, _patience.Token).GetAsyncEnumerator();
        var first = tail.MoveNextAsync().AsTask();
        await ListeningAsync(0, 1, 2, 3);
        _replicas.Deliver(1, FakeReplica.Logins(0, 2), 3); // Of one replica: never shown.
        _replicas.Deliver(1, FakeReplica.Logins(0, 2, "192.0.2.2"), 0, 1);
        _replicas.Deliver(2, FakeReplica.Logins(0, 2, "192.0.2.3"), 0, 1);
        Assert.True(await first);
        Assert.Equal("192.0.2.2", AlarmInfo.Parse(tail.Current.Json!).Key[0].Value);
        Assert.True(await tail.MoveNextAsync());
        Assert.Equal("192.0.2.3", AlarmInfo.Parse(tail.Current.Json!).Key[0].Value);
    }

    private async Task ListeningAsync(params int[] replicas)
    {
        foreach (var i in replicas)
        {
            while (!_replicas.Replicas[i].Batches.HasListeners && !_replicas.Replicas[i].Alarms.HasListeners)
            {
                _patience.Token.ThrowIfCancellationRequested();
                await Task.Yield();
            }
        }
    }

    private static async Task<string> NextAsync(IAsyncEnumerator<TailEntry> tail)
    {
        Assert.True(await tail.MoveNextAsync());
        return IdOf(tail.Current);
    }

    private static string IdOf(TailEntry entry)
    {
        if (entry.Json is null) return $"{entry.Replica} {entry.News}";
        using var json = System.Text.Json.JsonDocument.Parse(entry.Json);
        return json.RootElement.GetProperty("event.id").GetString()!;
    }
}
