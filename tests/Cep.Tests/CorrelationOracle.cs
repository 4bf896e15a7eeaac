namespace Massif.Cep.Tests;

/// <summary>What a rule means, written down as simply as possible: all events are kept, every sum is computed anew.</summary>
internal sealed class CorrelationOracle(RuleDefinition rule)
{
    private readonly Dictionary<(SourceStream Stream, bool Replayed, string Address), KeyHistory> _keys = [];

    public List<ExpectedAlarm> Alarms { get; } = [];

    public void Take(SourceStream stream, ulong seq, TestEvent[] batch)
    {
        for (var index = 0; index < batch.Length; index++)
        {
            var one = batch[index];
            var id = (stream, one.ReplayedAt is not null, one.Address);
            if (!_keys.TryGetValue(id, out var key)) _keys.Add(id, key = new());
            key.Events.Add((one.Seconds, one.Count, $"{stream.Edge}/{stream.Incarnation}/{seq}/{index}"));

            var window = key.Events
                .Where(e => e.Seconds > one.Seconds - rule.WindowSeconds && e.Seconds <= one.Seconds)
                .OrderBy(e => e.Seconds) // Stable: equal times stay in the order in which they came.
                .ToArray();
            var sum = window.Sum(e => e.Count);
            if (one.Seconds <= key.SilentUntil || sum < rule.Threshold) continue;

            key.SilentUntil = one.Seconds + rule.SuppressSeconds;
            Alarms.Add(new(stream, one.Address, window[0].Seconds, one.Seconds, sum, string.Join(' ', window.Select(e => e.Id))));
        }
    }

    private sealed class KeyHistory
    {
        public List<(long Seconds, long Count, string Id)> Events { get; } = [];

        public long SilentUntil { get; set; } = long.MinValue;
    }
}

internal sealed record ExpectedAlarm(SourceStream Stream, string Address, long First, long Last, long Count, string Events)
{
    public static ExpectedAlarm Of(Alarm alarm) => new(
        alarm.Stream,
        alarm.Key[0].Value,
        alarm.First / 1_000_000_000,
        alarm.Last / 1_000_000_000,
        alarm.Count,
        string.Join(' ', alarm.Events.Select(at => alarm.EventIdOf(at).ToString())));
}
