namespace Massif.Cep.Tests;

public sealed class SnapshotTests
{
    private static TestEngine Busy()
    {
        var engine = new TestEngine(TestBatches.Rule(threshold: 3));
        return engine.Take(new TestEvent(1), new TestEvent(2, "192.0.2.2"), new TestEvent(3), new TestEvent(4, "192.0.2.2"));
    }

    [Fact]
    public void A_restored_engine_goes_on_where_the_other_stopped()
    {
        var busy = Busy();
        var restored = new TestEngine(TestBatches.Rule(threshold: 3));
        restored.Engine.Restore(TestBatches.SnapshotOf(busy.Engine));
        Assert.Equal(4UL, restored.Engine.LastSeqOf(TestBatches.Edge));

        var last = TestBatches.Of(new TestEvent(5), new TestEvent(6, "192.0.2.2"));
        busy.Engine.OnBatch(TestBatches.Edge, 5, last, busy);
        restored.Engine.OnBatch(TestBatches.Edge, 5, last, restored);
        Assert.Equal(2, restored.Alarms.Count);
        Assert.Equal(busy.Alarms.Select(a => a.ToBytes()), restored.Alarms.Select(a => a.ToBytes()));
    }

    [Fact]
    public void The_state_of_a_changed_rule_starts_empty()
    {
        var changed = new TestEngine(TestBatches.Rule(threshold: 3, window: 61));
        changed.Engine.Restore(TestBatches.SnapshotOf(Busy().Engine));
        Assert.Equal(4UL, changed.Engine.LastSeqOf(TestBatches.Edge));
        changed.Engine.OnBatch(TestBatches.Edge, 5, TestBatches.Of(new TestEvent(5)), changed);
        Assert.Empty(changed.Alarms);
    }

    [Fact]
    public void No_damage_is_taken_for_a_snapshot_or_does_anything_but_a_format_exception()
    {
        var good = TestBatches.SnapshotOf(Busy().Engine);
        for (var length = 0; length < good.Length; length++) AssertRefused(good.AsSpan(0, length).ToArray());
        AssertRefused([.. good, 0]);

        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var damaged = (byte[])good.Clone();
            damaged[random.Next(damaged.Length)] ^= (byte)random.Next(1, 256);
            var engine = new CorrelationEngine(RuleSet.Of(TestBatches.Rule(threshold: 3)));
            try
            {
                engine.Restore(damaged);
            }
            catch (FormatException)
            {
                Assert.Equal(0UL, engine.LastSeqOf(TestBatches.Edge));
            }
        }
    }

    [Fact]
    public void Another_version_is_refused_by_its_number()
    {
        var other = TestBatches.SnapshotOf(Busy().Engine);
        other[4] = 9;
        var engine = new CorrelationEngine(RuleSet.Of(TestBatches.Rule()));
        Assert.Contains("Version 9", Assert.Throws<FormatException>(() => engine.Restore(other)).Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(byte[] bytes) =>
        Assert.Throws<FormatException>(() => new CorrelationEngine(RuleSet.Of(TestBatches.Rule(threshold: 3))).Restore(bytes));
}
