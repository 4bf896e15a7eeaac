namespace Massif.Cep.Tests;

public sealed class CorrelationLimitsTests
{
    [Fact]
    public void The_state_of_an_edges_lowest_incarnations_goes_and_that_of_other_edges_stays()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2));
        engine.Engine.OnBatch(new("edge-2", 0, 1), 1, TestBatches.Of(new TestEvent(1)), engine);
        for (ulong incarnation = 1; incarnation <= 5; incarnation++)
            engine.Engine.OnBatch(new("edge-1", 0, incarnation), 1, TestBatches.Of(new TestEvent(1)), engine);
        Assert.Equal(0UL, engine.Engine.LastSeqOf(new("edge-1", 0, 1))); // Forgotten: four lives of an edge are kept.
        Assert.Equal(1UL, engine.Engine.LastSeqOf(new("edge-1", 0, 2)));
        Assert.Equal(1UL, engine.Engine.LastSeqOf(new("edge-2", 0, 1)));

        engine.Engine.OnBatch(new("edge-1", 0, 2), 2, TestBatches.Of(new TestEvent(1)), engine);
        engine.Engine.OnBatch(new("edge-2", 0, 1), 2, TestBatches.Of(new TestEvent(1)), engine);
        Assert.Equal(2, engine.Alarms.Count);
    }

    [Fact]
    public void A_full_table_forgets_the_keys_whose_last_event_is_oldest()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2, window: 1_000), new() { Keys = 8 });
        for (var i = 1; i <= 8; i++) engine.Take(new TestEvent(i, $"192.0.2.{i}"));
        engine.Take(new TestEvent(9, "192.0.2.9"));
        Assert.Equal(3, engine.Engine.Counters.ForgottenKeys); // Up to and with the quartile.

        engine.Take(new TestEvent(10, "192.0.2.1"), new TestEvent(11, "192.0.2.8"));
        Assert.Equal("192.0.2.8", Assert.Single(engine.Alarms).Key[0].Value);
    }

    [Fact]
    public void A_silent_key_is_not_forgotten_while_others_are_older()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 2, window: 10, suppress: 1_000), new() { Keys = 8 });
        engine.Take(new TestEvent(1), new TestEvent(1));
        for (var i = 2; i <= 40; i++) engine.Take(new TestEvent(i, $"198.51.100.{i}"));
        engine.Take(new TestEvent(50), new TestEvent(50));
        Assert.Single(engine.Alarms);
    }

    [Fact]
    public void A_key_that_floods_still_reaches_the_largest_threshold()
    {
        var engine = new TestEngine(TestBatches.Rule(RuleDefinition.ThresholdMax, window: 100_000));
        var limit = new CorrelationLimits().OccurrencesPerKey;
        Assert.True(limit - (limit / 4) >= RuleDefinition.ThresholdMax);

        // A flood while the key is silent: the alarm behind it counts what is still remembered.
        for (var i = 0; i < 30; i++) engine.TakeBatch([.. Enumerable.Repeat(new TestEvent(i), 500)]);
        Assert.Single(engine.Alarms);
        Assert.Equal(RuleDefinition.ThresholdMax, engine.Alarms[0].Count);
        engine.Take(new TestEvent(1_000));
        Assert.Equal(2, engine.Alarms.Count);
        Assert.InRange(engine.Alarms[1].Count, RuleDefinition.ThresholdMax, limit);
        Assert.True(engine.Engine.Counters.ForgottenEvents > 0);
    }

    [Fact]
    public void All_events_together_are_bounded()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 5_000, window: 100_000), new() { Occurrences = 1_000 });
        for (var i = 0; i < 5_000; i++) engine.Take(new TestEvent(i, $"192.0.2.{i % 100}"));
        var counters = engine.Engine.Counters;
        Assert.InRange(counters.Matches - counters.ForgottenEvents, 700, 1_000);
    }

    [Fact]
    public void An_alarm_lists_the_first_events_and_counts_the_rest_which_its_id_covers()
    {
        var limits = new CorrelationLimits { EventsPerAlarm = 3 };
        var one = new TestEngine(TestBatches.Rule(), limits);
        one.Take([.. Enumerable.Range(0, 5).Select(i => new TestEvent(i))]);
        var alarm = Assert.Single(one.Alarms);
        Assert.Equal((3, 2, 5L), (alarm.Events.Length, alarm.EventsOmitted, alarm.Count));

        // The same first three events, another fourth.
        var other = new TestEngine(TestBatches.Rule(), limits);
        other.Take(new TestEvent(0), new TestEvent(1), new TestEvent(2), new TestEvent(3, "192.0.2.9"), new TestEvent(3), new TestEvent(4));
        Assert.Equal(alarm.Events.AsEnumerable(), Assert.Single(other.Alarms).Events);
        Assert.NotEqual(alarm.Id, other.Alarms[0].Id);
    }
}
