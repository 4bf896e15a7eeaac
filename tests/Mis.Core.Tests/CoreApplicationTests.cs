using System.Buffers;
using Massif.Cep;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;
using Massif.Tests.Support;

namespace Massif.Mis.Core.Tests;

/// <summary>What runs above the bus at a replica: equal batches give equal state, also through a snapshot and a restart.</summary>
public sealed class CoreApplicationTests : IDisposable
{
    private static readonly RuleSet Rules = RuleSet.Of(new RuleDefinition
    {
        Id = "logins",
        Version = 1,
        Title = "Failed logins",
        Where = "event.outcome == failure",
        Key = ["source.ip"],
        Threshold = 2,
        WindowSeconds = 60,
        SuppressSeconds = 0,
    });

    private static readonly StreamLife Life = new(new(4, StreamClass.Bulk), 7);
    private readonly TestDomain _test = new();

    [Fact]
    public void A_snapshot_restores_an_equal_state_that_goes_on_equally()
    {
        var original = Application();
        for (ulong seq = 1; seq <= 9; seq++) Apply(original, seq, FakeReplica.Logins((long)seq * 20, 1));
        Apply(original, 1, FakeReplica.Logins(5, 2, "192.0.2.9"), Life with { Incarnation = 8 });
        var restored = Application();
        restored.Restore(Snapshot(original));
        Assert.Equal(Snapshot(original), Snapshot(restored));
        Assert.Equal(
            (9UL, 1UL, 0UL),
            (
                restored.Applied(Life),
                restored.Applied(Life with { Incarnation = 8 }),
                restored.Applied(Life with { Incarnation = 9 })));
        Assert.True(restored.Store.Last > 0);

        foreach (var application in (CoreApplication[])[original, restored]) Apply(application, 10, FakeReplica.Logins(185, 3));
        Assert.Equal(Snapshot(original), Snapshot(restored));
        Assert.Equal(original.RecentChain(Life).Last(), restored.RecentChain(Life).Last());
    }

    [Fact]
    public void The_order_in_which_streams_were_met_does_not_show_in_a_snapshot()
    {
        StreamLife[] lives = [Life, Life with { Incarnation = 8 }, new(new(3, StreamClass.Bulk), 9)];
        var (here, there) = (Application(), Application());
        foreach (var life in lives) Apply(here, 1, FakeReplica.Logins(1, 1), life);
        foreach (var life in lives.Reverse()) Apply(there, 1, FakeReplica.Logins(1, 1), life);
        Assert.Equal(Snapshot(here), Snapshot(there));
    }

    [Fact]
    public void Who_listens_is_told_each_batch_and_each_alarm_once()
    {
        var counters = new Counters();
        var application = new CoreApplication(_test.Domain, Rules, counters);
        using var batches = application.Batches.Subscribe(8);
        using var alarms = application.Alarms.Subscribe(8);
        Apply(application, 1, FakeReplica.Logins(1, 2));
        Apply(application, 2, FakeReplica.Logins(100, 1));
        Assert.True(batches.TryRead(out var first));
        Assert.True(batches.TryRead(out var second));
        Assert.Equal((1UL, 2UL, "edge1"), (first.Seq, second.Seq, second.Stream.Edge));
        Assert.True(alarms.TryRead(out var told));
        Assert.Equal(1, told.Ordinal);
        application.OnAlarm(told.Alarm); // As when a restart applies again what the snapshot has.
        Assert.False(alarms.TryRead(out _));
        Assert.Equal((1, 1), (application.Store.Last, counters.Of("massif_alarms_total").Value));
    }

    [Fact]
    public void The_chain_names_every_digest_and_only_the_last_ones_are_kept()
    {
        var application = Application();
        var chain = default(Digest);
        for (ulong seq = 1; seq <= 600; seq++)
        {
            var digest = Apply(application, seq, FakeReplica.Logins(1, 1));
            chain = chain.Chain(digest);
        }

        Assert.Equal((600UL, chain), application.RecentChain(Life).Last());
        Assert.Equal(512, application.RecentChain(Life).Count);
    }

    [Fact]
    public void What_is_no_batch_is_counted_and_the_stream_goes_on()
    {
        var counters = new Counters();
        var application = new CoreApplication(_test.Domain, Rules, counters);
        Apply(application, 1, [1, 2, 3]);
        Apply(application, 2, FakeReplica.Logins(1, 2));
        Assert.Equal(1, counters.Of("massif_batches_unreadable_total").Value);
        Assert.Equal(2, application.EventsDelivered);
        Assert.Equal(1, application.Store.Last);
    }

    [Fact]
    public void A_gap_is_this_programs_own_mistake_and_a_state_of_another_version_is_refused()
    {
        var application = Application();
        Apply(application, 1, FakeReplica.Logins(1, 1));
        Assert.Throws<InvariantViolationException>(() => { Apply(application, 3, FakeReplica.Logins(1, 1)); });
        var state = Snapshot(application);
        state[0]++;
        Assert.Throws<InvalidDataException>(() => Application().Restore(state));
        Assert.Throws<InvalidDataException>(() => Application().Restore([]));
    }

    [Fact]
    public void A_checkpoint_takes_one_life_of_another_replica_to_an_equal_state_with_its_alarms()
    {
        var other = Life with { Incarnation = 8 };
        var ahead = Application();
        for (ulong seq = 1; seq <= 9; seq++) Apply(ahead, seq, FakeReplica.Logins((long)seq * 20, 1));
        Apply(ahead, 1, FakeReplica.Logins(5, 2, "192.0.2.9"), other);
        var behind = Application();
        Apply(behind, 1, FakeReplica.Logins(20, 1));
        Apply(behind, 1, FakeReplica.Logins(5, 2, "192.0.2.9"), other);

        var chain = ahead.RecentChain(Life).Last().Chain;
        Assert.True(behind.TryJump(Life, 9, chain, Checkpoint(ahead)));
        Assert.Equal((9UL, 1UL), (behind.Applied(Life), behind.Applied(other)));
        Assert.Equal(ahead.Store.Last, behind.Store.Last);
        Assert.Equal(Checkpoint(ahead), Checkpoint(behind));
        foreach (var application in (CoreApplication[])[ahead, behind]) Apply(application, 10, FakeReplica.Logins(185, 3));
        Assert.Equal(Checkpoint(ahead), Checkpoint(behind));
        Assert.Equal(ahead.RecentChain(Life).Last(), behind.RecentChain(Life).Last());
        Assert.Equal(ahead.Store.Last, behind.Store.Last);

        // Through a snapshot a replica still makes the same checkpoint: the alarms are part of it.
        var restored = Application();
        restored.Restore(Snapshot(behind));
        Assert.Equal(Checkpoint(ahead), Checkpoint(restored));
    }

    [Fact]
    public void The_alarms_in_a_checkpoint_are_bounded_in_bytes_and_the_newest_are_there()
    {
        var rules = RuleSet.Of(new RuleDefinition
        {
            Id = "many",
            Version = 1,
            Title = "Very many",
            Where = "event.outcome == failure",
            Key = ["source.ip"],
            Threshold = 1_000,
            WindowSeconds = 3_600,
            SuppressSeconds = 0,
        });
        var application = new CoreApplication(_test.Domain, rules, new());
        for (ulong seq = 1; seq <= 40; seq++) Apply(application, seq, FakeReplica.Logins((long)seq * 5_000, 1_000));
        Assert.Equal(40, application.Store.Last);

        var state = Checkpoint(application);
        var engine = BitConverter.ToInt32(state, 1);
        Assert.InRange(BitConverter.ToInt32(state, 5 + engine), 200_000, 256 * 1024);
        var behind = new CoreApplication(_test.Domain, rules, new());
        Assert.True(behind.TryJump(Life, 40, default, state));
        var newest = application.Store.After(39, 1).Alarms[0].Alarm;
        Assert.NotNull(behind.Store.Find(newest.Id));
        Assert.InRange(behind.Store.Last, 8, 39);
    }

    [Fact]
    public void A_checkpoint_that_is_old_or_cannot_be_read_changes_nothing()
    {
        var ahead = Application();
        for (ulong seq = 1; seq <= 9; seq++) Apply(ahead, seq, FakeReplica.Logins((long)seq * 20, 1));
        var state = Checkpoint(ahead);
        var application = Application();
        Apply(application, 1, FakeReplica.Logins(20, 1));
        var before = Snapshot(application);
        Assert.True(application.TryJump(Life, 1, default, state));
        for (var length = 0; length < state.Length; length++) Assert.False(application.TryJump(Life, 9, default, state.AsSpan(0, length)));
        Assert.False(application.TryJump(Life with { Incarnation = 9 }, 9, default, state));
        state[0]++;
        Assert.False(application.TryJump(Life, 9, default, state));
        Assert.Equal(before, Snapshot(application));
    }

    public void Dispose() => _test.Dispose();

    private static byte[] Snapshot(CoreApplication application)
    {
        var bytes = new ArrayBufferWriter<byte>();
        application.Snapshot(bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static byte[] Checkpoint(CoreApplication application)
    {
        var bytes = new ArrayBufferWriter<byte>();
        application.Checkpoint(Life, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private static Digest Apply(CoreApplication application, ulong seq, byte[] payload, StreamLife? life = null)
    {
        var stream = life ?? Life;
        var instance = new InstanceId(1, stream.Stream, stream.Incarnation, seq);
        var header = new BatchHeader(instance, 0, payload.Length, Digest.Of(payload), 0, 0, Guid.Empty);
        var bytes = new byte[BatchHeader.Length];
        header.Write(bytes);
        application.Apply(header, Digest.Of(bytes), payload);
        return Digest.Of(bytes);
    }

    private CoreApplication Application() => new(_test.Domain, Rules, new());
}
