namespace Massif.Cep.Tests;

/// <summary>Random rules, times, orders, counts and restarts against the oracle. A seed replays a failure.</summary>
public sealed class CorrelationPropertyTests
{
    private const int Seeds = 400;

    [Fact]
    public void Alarms_are_those_of_the_oracle_through_snapshots_and_repeats()
    {
        for (var seed = 0; seed < Seeds; seed++) Compare(new Scenario(seed));
    }

    [Fact]
    public void Snapshots_are_equal_however_the_streams_were_interleaved_and_whether_or_not_they_were_restored()
    {
        for (var seed = 0; seed < Seeds / 4; seed++)
        {
            var scenario = new Scenario(seed);
            var straight = new CorrelationEngine(RuleSet.Of(scenario.Rule), Scenario.SmallLimits);
            foreach (var (stream, seq, events) in scenario.Batches)
                straight.OnBatch(stream, seq, TestBatches.Of(events), new Collector());

            var other = new CorrelationEngine(RuleSet.Of(scenario.Rule), Scenario.SmallLimits);
            var byEdge = scenario.Batches
                .OrderByDescending(batch => batch.Stream.Edge, StringComparer.Ordinal)
                .ThenBy(batch => batch.Seq);
            foreach (var (stream, seq, events) in byEdge)
            {
                other.OnBatch(stream, seq, TestBatches.Of(events), new Collector());
                if (seq % 3 == 0) other = Restored(other, scenario.Rule, Scenario.SmallLimits);
            }

            Assert.True(
                TestBatches.SnapshotOf(straight).AsSpan().SequenceEqual(TestBatches.SnapshotOf(other)),
                $"seed {seed}: the state depends on more than the streams");
            Assert.Equal(straight.StateDigest(), other.StateDigest());
        }
    }

    private static void Compare(Scenario scenario)
    {
        var oracle = new CorrelationOracle(scenario.Rule);
        var engine = new CorrelationEngine(RuleSet.Of(scenario.Rule));
        var made = new Collector();
        foreach (var (stream, seq, events) in scenario.Batches)
        {
            oracle.Take(stream, seq, events);
            engine.OnBatch(stream, seq, TestBatches.Of(events), made);
            if (scenario.Random.Next(10) == 0) engine.OnBatch(stream, seq, TestBatches.Of(events), made);
            if (scenario.Random.Next(10) == 0) engine = Restored(engine, scenario.Rule, null);
        }

        var expected = string.Join('\n', oracle.Alarms);
        var actual = string.Join('\n', made.Alarms.Select(ExpectedAlarm.Of));
        Assert.True(expected == actual, $"seed {scenario.Seed}, {scenario.Rule}\nexpected:\n{expected}\nactual:\n{actual}");
    }

    private static CorrelationEngine Restored(CorrelationEngine engine, RuleDefinition rule, CorrelationLimits? limits)
    {
        var restored = new CorrelationEngine(RuleSet.Of(rule), limits);
        restored.Restore(TestBatches.SnapshotOf(engine));
        return restored;
    }

    private sealed class Scenario
    {
        /// <summary>So small that tables and keys are full all the time.</summary>
        public static readonly CorrelationLimits SmallLimits = new() { Keys = 3, Occurrences = 24, OccurrencesPerKey = 8 };

        public Scenario(int seed)
        {
            Seed = seed;
            Random = new(seed);
            Rule = TestBatches.Rule(Random.Next(1, 8), Random.Next(1, 40), Random.Next(0, 60));
            var seqs = new Dictionary<SourceStream, ulong>();
            var clock = 1_000L;
            for (var i = 0; i < 60; i++)
            {
                var stream = new SourceStream($"edge-{Random.Next(2)}", 0, 1);
                var seq = seqs[stream] = seqs.GetValueOrDefault(stream) + 1;
                var events = new TestEvent[Random.Next(1, 8)];
                for (var e = 0; e < events.Length; e++)
                {
                    clock += Random.Next(4);
                    events[e] = Event(clock);
                }

                Batches.Add((stream, seq, events));
            }
        }

        public int Seed { get; }

        public Random Random { get; }

        public RuleDefinition Rule { get; }

        public List<(SourceStream Stream, ulong Seq, TestEvent[] Events)> Batches { get; } = [];

        private TestEvent Event(long clock)
        {
            // Mostly now, sometimes a little late, seldom from another age; ahead as well, for a faulty edge may do so.
            var time = Random.Next(20) switch
            {
                < 12 => clock,
                < 16 => clock - Random.Next(50),
                < 18 => clock + Random.Next(30),
                _ => Random.Next(2_000),
            };
            var count = Random.Next(6) == 0 ? (uint)Random.Next(1, 6) : 1;
            return new(time, $"192.0.2.{Random.Next(1, 5)}", count) { ReplayedAt = Random.Next(3) == 0 ? clock + 1_000_000 : null };
        }
    }
}

internal sealed class Collector : ICorrelationOutput
{
    public List<Alarm> Alarms { get; } = [];

    public void OnAlarm(Alarm alarm) => Alarms.Add(alarm);
}
