using Massif.Tests.Support;

namespace Massif.Client.Tests;

/// <summary>A client against four replicas on real TLS, of which some lie, are behind or are silent.</summary>
public sealed class VotingClientTests : IAsyncLifetime, IDisposable
{
    private TestReplicas _replicas = null!;
    private VotingClient _client = null!;

    public async Task InitializeAsync()
    {
        _replicas = await TestReplicas.StartAsync();
        _client = new(_replicas.Options);
    }

    public async Task DisposeAsync() => await _replicas.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Four_that_say_the_same_agree()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 1));
        var status = await _client.GetStatusAsync(default);
        Assert.True(status.Agreed);
        Assert.All(status.Replicas, replica => Assert.Equal((ReplicaState.Agrees, null), (replica.State, replica.Note)));
        var stream = Assert.Single(status.Streams);
        Assert.Equal(("edge1", "7", 1UL, 4), (stream.Edge, stream.Incarnation, stream.Seq, stream.Agreeing.Count));
        var report = status.Replicas[0].Report!;
        Assert.Equal((4711, 3UL, "lost"), (report.ProcessId, report.StartCounter, report.VoteLog));
    }

    [Fact]
    public async Task One_that_lies_and_one_behind_are_named_and_the_domain_still_agrees()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 1));
        _replicas.Deliver(2, FakeReplica.Logins(1, 1), 0, 2, 3);
        LieAbout(0);
        var status = await _client.GetStatusAsync(default);
        Assert.Equal(
            [ReplicaState.Differs, ReplicaState.Behind, ReplicaState.Agrees, ReplicaState.Agrees],
            status.Replicas.Select(replica => replica.State));
        Assert.Equal("1 batches of edge1 behind", status.Replicas[1].Note);
        Assert.Equal(2UL, Assert.Single(status.Streams).Seq);
        Assert.True(status.Agreed);
    }

    [Fact]
    public async Task One_that_lies_and_one_silent_are_more_than_f_and_two_still_prove_what_both_have()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 1));
        _replicas.Deliver(2, FakeReplica.Logins(1, 1), 0, 1, 3);
        LieAbout(0);
        await _replicas.StopAsync(3);
        var status = await _client.GetStatusAsync(default);
        Assert.Equal(
            [ReplicaState.Differs, ReplicaState.Agrees, ReplicaState.Agrees, ReplicaState.Silent],
            status.Replicas.Select(replica => replica.State));
        Assert.Equal(["core2", "core3"], Assert.Single(status.Streams).Agreeing);
        Assert.Equal(1UL, status.Streams[0].Seq);
        Assert.False(status.Agreed);
    }

    [Fact]
    public async Task A_silent_replica_is_one_that_does_not_answer_in_time()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 1));
        _replicas.Replicas[2].Silence = new TaskCompletionSource().Task;
        var hasty = _replicas.Options with { Timeout = TimeSpan.FromSeconds(4) };
        using var client = new VotingClient(hasty);
        var status = await client.GetStatusAsync(default);
        Assert.Equal((ReplicaState.Silent, "no answer in 4 s"), (status.Replicas[2].State, status.Replicas[2].Note));
        Assert.True(status.Agreed);
    }

    [Fact]
    public async Task When_all_are_slow_it_says_so_and_waits_longer()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 2));
        var busy = new TaskCompletionSource();
        foreach (var replica in _replicas.Replicas) replica.Silence = busy.Task;
        var notes = new List<string>();
        using var client = new VotingClient(_replicas.Options with
        {
            Timeout = TimeSpan.FromMilliseconds(100),
            LongestTimeout = TimeSpan.FromMinutes(1),
            OnSlow = note =>
            {
                notes.Add(note);
                busy.TrySetResult();
            },
        });
        var status = await client.GetStatusAsync(default);
        Assert.True(status.Streams[0].Agreeing.Count >= 2);
        Assert.Equal("Fewer than 2 replicas answered in 0.1 s; waiting up to 60 s.", Assert.Single(notes));
    }

    [Fact]
    public async Task When_nobody_ever_answers_the_longer_wait_ends_too()
    {
        foreach (var replica in _replicas.Replicas) replica.Silence = new TaskCompletionSource().Task;
        using var client = new VotingClient(_replicas.Options with
        {
            Timeout = TimeSpan.FromMilliseconds(100),
            LongestTimeout = TimeSpan.FromSeconds(1),
        });
        var alarms = await client.GetAlarmsAsync(default);
        Assert.False(alarms.Answered);
        Assert.All(alarms.Replicas, replica => Assert.StartsWith("no answer in ", replica.Note, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_certificate_of_the_right_name_for_another_key_is_not_believed()
    {
        var addresses = _replicas.Options.Replicas;
        var pinned = _replicas.Options with { Replicas = [addresses[0] with { PublicKey = addresses[1].PublicKey }, .. addresses.Skip(1)] };
        using var client = new VotingClient(pinned);
        var status = await client.GetStatusAsync(default);
        Assert.Equal(
            (ReplicaState.Silent, "its key is not the one in the domain description"),
            (status.Replicas[0].State, status.Replicas[0].Note));
    }

    [Fact]
    public async Task A_replica_at_the_wrong_address_is_not_believed()
    {
        var addresses = _replicas.Options.Replicas;
        var swapped = _replicas.Options with
        {
            Replicas = [addresses[0], addresses[1], addresses[2], addresses[3] with { Port = addresses[0].Port }],
        };
        using var client = new VotingClient(swapped);
        var status = await client.GetStatusAsync(default);
        Assert.Equal(
            (ReplicaState.Silent, "its certificate is not that of spiffe://test/core/core4"),
            (status.Replicas[3].State, status.Replicas[3].Note));
    }

    [Fact]
    public async Task A_replica_of_another_domain_is_not_believed()
    {
        using var other = new TestDomain();
        using var client = new VotingClient(_replicas.Options with { Authority = other.Authority });
        var status = await client.GetStatusAsync(default);
        Assert.All(status.Replicas, replica => Assert.Equal(ReplicaState.Silent, replica.State));
        Assert.StartsWith("its certificate is not valid here", status.Replicas[0].Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Alarms_are_what_f_plus_1_replicas_have()
    {
        _replicas.Deliver(1, FakeReplica.Logins(100, 2, "192.0.2.2"));
        _replicas.Deliver(2, FakeReplica.Logins(0, 2), 0, 1, 2);
        _replicas.Deliver(3, FakeReplica.Logins(0, 2, "192.0.2.66"), 2); // An invention of one.

        var alarms = await _client.GetAlarmsAsync(default);
        Assert.True(alarms.Answered);
        Assert.Equal(["192.0.2.1", "192.0.2.2"], alarms.Alarms.Select(alarm => alarm.Key[0].Value)); // By event time.
        Assert.Equal(["core3"], Assert.Single(alarms.Unconfirmed).Value);
        Assert.Equal(
            [ReplicaState.Agrees, ReplicaState.Agrees, ReplicaState.Agrees, ReplicaState.Behind],
            alarms.Replicas.Select(replica => replica.State));
    }

    [Fact]
    public async Task An_alarm_is_shown_with_the_events_that_f_plus_1_replicas_tell_alike()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 1));
        _replicas.Deliver(2, FakeReplica.Logins(1, 1));
        for (var i = 0; i < 3; i++) _replicas.Replicas[i].Forget(1);
        var id = (await _client.GetAlarmsAsync(default)).Alarms[0].Id;
        var shown = await _client.GetAlarmAsync(id, default);
        Assert.Equal(id, shown.Alarm!.Id);
        Assert.Contains("\"event.id\":\"edge1/7/2/0\"", Assert.Single(shown.Events), StringComparison.Ordinal);
        Assert.Equal(["edge1/7/1/0"], shown.Missing); // One replica still tells it, which is no proof.
        Assert.Contains("no such alarm", (await _client.GetAlarmAsync(new string('0', 32), default)).Trouble, StringComparison.Ordinal);
    }

    [Fact]
    public async Task More_alarms_than_a_page_are_all_seen()
    {
        for (ulong seq = 1; seq <= 1_100; seq++)
            _replicas.Deliver(seq, FakeReplica.Logins((long)seq * 100, 2));
        Assert.Equal(1_100, (await _client.GetAlarmsAsync(default)).Alarms.Count);
    }

    [Fact]
    public async Task Without_f_plus_1_answers_nothing_is_claimed()
    {
        _replicas.Deliver(1, FakeReplica.Logins(0, 2));
        for (var i = 0; i < 3; i++) await _replicas.StopAsync(i);
        var alarms = await _client.GetAlarmsAsync(default);
        Assert.False(alarms.Answered);
        Assert.Empty(alarms.Alarms);
        Assert.False((await _client.GetStatusAsync(default)).Agreed);
    }

    private void LieAbout(int replica) => _replicas.Replicas[replica].Lie = status => status with
    {
        Streams = [status.Streams[0] with { Chain = [.. status.Streams[0].Chain.Select(point => point with { Digest = "f00d" })] }],
    };
}
