using System.Buffers;
using Massif.Cep;
using Massif.Mis.Core.Alarms;
using Massif.Tests.Support;

namespace Massif.Mis.Core.Tests;

public sealed class AlarmStoreTests
{
    private static Alarm[] Make(int count)
    {
        var replica = new Collector();
        var engine = new CorrelationEngine(RuleSet.Of(new RuleDefinition
        {
            Id = "r",
            Version = 1,
            Title = "t",
            Where = "exists source.ip",
            Key = ["source.ip"],
            Threshold = 1,
            WindowSeconds = 1,
            SuppressSeconds = 0,
        }));
        engine.OnBatch(FakeReplica.Stream, 1, FakeReplica.Logins(0, count), replica);
        return [.. replica.Alarms];
    }

    /// <summary>Makes alarms of so many events each.</summary>
    private static Alarm[] MakeOf(int events, int alarms)
    {
        var replica = new Collector();
        var engine = new CorrelationEngine(RuleSet.Of(new RuleDefinition
        {
            Id = "r",
            Version = 1,
            Title = "t",
            Where = "exists source.ip",
            Key = ["source.ip"],
            Threshold = events,
            WindowSeconds = 100_000,
            SuppressSeconds = 0,
        }));
        for (var i = 0; i < alarms; i++)
            engine.OnBatch(FakeReplica.Stream, (ulong)i + 1, FakeReplica.Logins(0, events, $"10.0.0.{i}", "m"), replica);
        return [.. replica.Alarms];
    }

    [Fact]
    public void An_alarm_counts_once()
    {
        var store = new AlarmStore();
        var alarms = Make(2);
        Assert.True(store.Add(alarms[0]));
        Assert.True(store.Add(alarms[1]));
        Assert.False(store.Add(alarms[0]));
        Assert.Equal((2L, 2), (store.Last, store.Count));
        Assert.Same(alarms[1], store.Find(alarms[1].Id));
    }

    [Fact]
    public void Pages_follow_each_other_without_a_gap()
    {
        var store = new AlarmStore();
        foreach (var alarm in Make(7)) store.Add(alarm);
        var seen = new List<long>();
        for (long after = 0; ;)
        {
            var page = store.After(after, 3);
            if (page.Alarms.IsEmpty) break;
            seen.AddRange(page.Alarms.Select(stored => stored.Ordinal));
            after = page.Next;
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7], seen);
        Assert.Equal(7, store.After(99, 3).Next); // A client of an earlier life of this replica finds its way back.
    }

    [Fact]
    public void The_oldest_go_when_they_take_too_much_memory_and_the_newest_always_stays()
    {
        var alarms = Make(20);
        var store = new AlarmStore(bytesMax: 5 * alarms[0].MemoryBytes);
        foreach (var alarm in alarms) Assert.True(store.Add(alarm));
        Assert.Equal((20L, 16L, 5), (store.Last, store.Oldest, store.Count));
        Assert.Equal(5 * alarms[0].MemoryBytes, store.Bytes);
        Assert.Null(store.Find(alarms[14].Id));
        Assert.Same(alarms[15], store.Find(alarms[15].Id));
        Assert.Equal([16, 17, 18, 19, 20], store.After(0, 100).Alarms.Select(stored => stored.Ordinal));

        var bytes = new ArrayBufferWriter<byte>();
        store.Snapshot(bytes);
        var restored = new AlarmStore(bytesMax: 3 * alarms[0].MemoryBytes);
        restored.Restore(bytes.WrittenSpan);
        Assert.Equal((20L, 18L, 3), (restored.Last, restored.Oldest, restored.Count));
        var tiny = new AlarmStore(bytesMax: 1);
        foreach (var alarm in alarms) tiny.Add(alarm);
        Assert.Same(alarms[19], tiny.Find(alarms[19].Id));
    }

    [Fact]
    public void A_page_ends_before_it_lists_too_many_events()
    {
        var large = MakeOf(1_000, alarms: 40);
        var store = new AlarmStore();
        foreach (var alarm in large) store.Add(alarm);
        var page = store.After(0, 1_000);
        Assert.Equal(AlarmStore.PageEventsMax / 1_000, page.Alarms.Length);
        Assert.Equal(page.Alarms[^1].Ordinal, page.Next);
        Assert.Equal(page.Next + 1, store.After(page.Next, 1_000).Alarms[0].Ordinal);
    }

    [Fact]
    public void The_oldest_go_when_it_is_full_and_the_page_says_so()
    {
        var store = new AlarmStore(capacity: 3);
        var alarms = Make(5);
        foreach (var alarm in alarms) store.Add(alarm);
        var page = store.After(0, 10);
        Assert.Equal([3, 4, 5], page.Alarms.Select(stored => stored.Ordinal));
        Assert.Equal(3, page.Oldest);
        Assert.Null(store.Find(alarms[1].Id));
        Assert.NotNull(store.Find(alarms[2].Id));
    }

    [Fact]
    public void A_snapshot_brings_everything_back_and_damage_is_refused()
    {
        var store = new AlarmStore(capacity: 3);
        foreach (var alarm in Make(5)) store.Add(alarm);
        var bytes = Snapshot(store);

        var restored = new AlarmStore(capacity: 3);
        restored.Restore(bytes);
        Assert.Equal(bytes, Snapshot(restored));
        Assert.Equal((5L, 3L), (restored.Last, restored.Oldest));
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => restored.Restore(bytes.AsSpan(0, length)));
        Assert.Equal(5, restored.Last);
    }

    private static byte[] Snapshot(AlarmStore store)
    {
        var bytes = new ArrayBufferWriter<byte>();
        store.Snapshot(bytes);
        return bytes.WrittenSpan.ToArray();
    }

    private sealed class Collector : ICorrelationOutput
    {
        public List<Alarm> Alarms { get; } = [];

        public void OnAlarm(Alarm alarm) => Alarms.Add(alarm);
    }
}
