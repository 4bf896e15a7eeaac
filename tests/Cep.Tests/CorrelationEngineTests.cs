using Massif.Events;

namespace Massif.Cep.Tests;

public sealed class CorrelationEngineTests
{
    private static TestEvent[] At(params long[] seconds) => [.. seconds.Select(s => new TestEvent(s))];

    [Fact]
    public void The_fifth_failure_within_the_window_makes_one_alarm_of_that_window()
    {
        var engine = new TestEngine(TestBatches.Rule()).Take(At(0, 10, 20, 30, 59, 59));

        var alarm = Assert.Single(engine.Alarms);
        Assert.Equal((0L, 59_000_000_000L, 5L), (alarm.First, alarm.Last, alarm.Count));
        Assert.Equal("192.0.2.1", Assert.Single(alarm.Key).Value);
        Assert.Equal(["edge-1/7/1/0", "edge-1/7/2/0", "edge-1/7/3/0", "edge-1/7/4/0", "edge-1/7/5/0"], Ids(alarm));
    }

    [Fact]
    public void The_window_is_open_at_its_start_and_closed_at_its_end()
    {
        Assert.Empty(new TestEngine(TestBatches.Rule()).Take(At(0, 10, 20, 30, 60)).Alarms);
        Assert.Single(new TestEngine(TestBatches.Rule()).Take(At(1, 10, 20, 30, 60)).Alarms);
    }

    [Fact]
    public void Counts_add_up()
    {
        var engine = new TestEngine(TestBatches.Rule()).Take(new TestEvent(0, Count: 2), new TestEvent(1, Count: 4));
        Assert.Equal(6, Assert.Single(engine.Alarms).Count);
    }

    [Fact]
    public void A_key_is_silent_until_an_event_later_than_last_plus_suppress()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2, window: 60, suppress: 10));
        engine.Take(At(0, 1, 2, 11));
        Assert.Single(engine.Alarms);

        // What happened in the silence counts, as everything in the window does.
        engine.Take(At(12));
        Assert.Equal((0L, 12_000_000_000L, 5L), (engine.Alarms[1].First, engine.Alarms[1].Last, engine.Alarms[1].Count));
    }

    [Fact]
    public void An_older_event_changes_no_alarm_and_makes_none_in_the_silence()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2)).Take(At(100, 101));
        var before = engine.Alarms[0].ToBytes();
        engine.Take(At(99, 100, 50, 50, 50));
        Assert.Equal(before, Assert.Single(engine.Alarms).ToBytes());
    }

    [Fact]
    public void A_late_event_is_judged_by_the_window_that_ends_at_it()
    {
        // 200 is seen first; the three of around 100 come late and still make their alarm, without 200 in it.
        var engine = new TestEngine(TestBatches.Rule(threshold: 3)).Take(At(200, 101, 99, 100));
        Assert.Empty(engine.Alarms);
        engine.Take(At(102));
        var alarm = Assert.Single(engine.Alarms);
        Assert.Equal((99_000_000_000L, 102_000_000_000L, 4L), (alarm.First, alarm.Last, alarm.Count));
        Assert.Equal(["edge-1/7/3/0", "edge-1/7/4/0", "edge-1/7/2/0", "edge-1/7/5/0"], Ids(alarm));
    }

    [Fact]
    public void Addresses_streams_and_other_outcomes_are_kept_apart()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2));
        engine.Take(
            new TestEvent(1, "192.0.2.1"),
            new TestEvent(1, "192.0.2.2"),
            new TestEvent(1, "192.0.2.1") { Outcome = EventOutcome.Success },
            new TestEvent(1, "192.0.2.1") { Flags = EventFlags.SameAttempt },
            new TestEvent(1, ""));
        engine.Engine.OnBatch(new("edge-2", 0, 7), 1, TestBatches.Of(new TestEvent(1)), engine);
        engine.Engine.OnBatch(new("edge-1", 1, 7), 1, TestBatches.Of(new TestEvent(1)), engine);
        engine.Engine.OnBatch(new("edge-1", 0, 8), 1, TestBatches.Of(new TestEvent(1)), engine);
        Assert.Empty(engine.Alarms);
    }

    [Fact]
    public void A_replay_uses_the_claimed_time_and_lives_apart_from_what_is_live()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 3));
        var replay = new TestEvent(1_000) { ReplayedAt = 500_000 };
        engine.Take(new TestEvent(1_000), replay, new TestEvent(1_001), replay with { Seconds = 1_100 });
        Assert.Empty(engine.Alarms);

        engine.Take(new TestEvent(1_002));
        Assert.False(Assert.Single(engine.Alarms).Replayed);
        engine.Take(replay with { Seconds = 1_101 }, replay with { Seconds = 1_102 });
        Assert.True(engine.Alarms[1].Replayed);
        Assert.Equal(1_100_000_000_000, engine.Alarms[1].First);
    }

    [Fact]
    public void A_live_source_cannot_choose_its_event_time()
    {
        var batches = new BatchBuilder();
        for (var i = 0; i < 5; i++)
        {
            var draft = TestBatches.Draft(new(1_000 * i));
            draft.Time = 0;
            batches.TryAdd(draft);
        }

        var engine = new TestEngine(TestBatches.Rule());
        engine.Engine.OnBatch(TestBatches.Edge, 1, batches.Build(), engine);
        Assert.Empty(engine.Alarms);
    }

    [Fact]
    public void A_batch_that_comes_again_changes_nothing_and_one_that_is_none_is_passed_over()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2));
        var batch = TestBatches.Of(new TestEvent(1));
        Assert.Equal(BatchOutcome.Correlated, engine.Engine.OnBatch(TestBatches.Edge, 1, batch, engine));
        Assert.Equal(BatchOutcome.Repeated, engine.Engine.OnBatch(TestBatches.Edge, 1, batch, engine));
        Assert.Equal(BatchOutcome.Unreadable, engine.Engine.OnBatch(TestBatches.Edge, 2, batch.AsSpan(1), engine));
        Assert.Empty(engine.Alarms);
        Assert.Equal(BatchOutcome.Correlated, engine.Engine.OnBatch(TestBatches.Edge, 3, batch, engine));
        Assert.Single(engine.Alarms);
        Assert.Equal(new CorrelationCounters(2, 2, 2, 1, 1, 0, 0), engine.Engine.Counters);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void Times_at_the_end_of_the_world_do_no_harm(long nanoseconds)
    {
        var batches = new BatchBuilder();
        for (var i = 0; i < 3; i++)
        {
            var draft = TestBatches.Draft(new(0) { ReplayedAt = 1 });
            draft.Time = nanoseconds;
            batches.TryAdd(draft);
        }

        var engine = new TestEngine(TestBatches.Rule(threshold: 3));
        engine.Engine.OnBatch(TestBatches.Edge, 1, batches.Build(), engine);
        Assert.Equal(3, Assert.Single(engine.Alarms).Count);
    }

    [Fact]
    public void An_event_that_does_not_match_or_only_counts_allocates_nothing()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 5_000, window: 1));
        var batch = TestBatches.Of([.. Enumerable.Range(0, 1_000).Select(i => new TestEvent(i, $"192.0.2.{i % 50}"))]);
        for (ulong seq = 1; seq <= 20; seq++) engine.Engine.OnBatch(TestBatches.Edge, seq, batch, engine);

        var before = GC.GetAllocatedBytesForCurrentThread();
        engine.Engine.OnBatch(TestBatches.Edge, 21, batch, engine);
        var perEvent = (GC.GetAllocatedBytesForCurrentThread() - before) / 1_000.0;
        Assert.True(perEvent < 64, $"{perEvent} bytes per event: only a window that doubles its array may allocate.");
    }

    private static IEnumerable<string> Ids(Alarm alarm) => alarm.Events.Select(at => alarm.EventIdOf(at).ToString());
}
