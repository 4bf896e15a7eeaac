namespace Massif.Reb.Protocol.Tests;

public sealed class SourceFlowTests
{
    private const int BatchBytes = 1_000;
    private static readonly StreamLife Life = new(new(9, StreamClass.Bulk), 1);

    [Fact]
    public void No_more_bytes_are_under_way_than_the_options_say()
    {
        var source = Make(new() { BytesUnderWayMax = 10 * BatchBytes });
        var effects = new SourceEffects();
        source.OnReplicaReachable(new(0), true, At(0), effects);
        source.OnBatchDurable(50, At(0), effects);
        Assert.Equal(10, effects.Items.Length);

        effects.Clear();
        source.OnStatus(new(0), StatusOf(low: 5), At(1), effects);
        Assert.Equal([11UL, 12, 13, 14], SentIn(effects));
    }

    [Fact]
    public void What_is_released_is_not_under_way_to_a_replica_that_lags()
    {
        var source = Make(new() { BytesUnderWayMax = 10 * BatchBytes });
        var effects = new SourceEffects();
        for (byte replica = 0; replica < 4; replica++) source.OnReplicaReachable(new(replica), true, At(0), effects);
        source.OnBatchDurable(50, At(0), effects);
        for (byte replica = 0; replica < 3; replica++) source.OnStatus(new(replica), StatusOf(low: 11), At(1), effects);

        Assert.Equal(10UL, source.Released);
        Assert.Contains(effects.Items.ToArray(), effect => effect.Seq == 20 && effect.To.Contains(new(3)));
    }

    [Fact]
    public void A_replica_that_makes_progress_is_not_repeated_to()
    {
        var source = Make(new());
        var effects = new SourceEffects();
        source.OnReplicaReachable(new(0), true, At(0), effects);
        source.OnBatchDurable(8, At(0), effects);
        effects.Clear();
        for (ulong low = 2; low <= 8; low++)
        {
            source.OnStatus(new(0), StatusOf(low), At(40 * ((int)low - 1)), effects);
            source.OnDeadline(At(40 * ((int)low - 1)), effects);
        }

        Assert.Empty(SentIn(effects));
        source.OnDeadline(At(2_000), effects); // It stands still: the last one is lost.
        Assert.Equal([8UL], SentIn(effects));
    }

    [Fact]
    public void A_path_slower_than_the_time_out_is_measured_and_not_repeated_on_for_ever()
    {
        var source = Make(new() { BytesUnderWayMax = BatchBytes });
        var effects = new SourceEffects();
        source.OnReplicaReachable(new(0), true, At(0), effects);
        source.OnBatchDurable(100, At(0), effects);
        var clock = 0;
        var late = 0;
        for (ulong low = 2; low <= 100; low++)
        {
            effects.Clear();
            // Each round trip takes 180 ms, more than three times the first time-out of 50 ms.
            for (var wait = 0; wait < 180; wait += 5) source.OnDeadline(At(clock += 5), effects);
            if (low > 10) late += effects.Items.Length;
            source.OnStatus(new(0), StatusOf(low), At(clock), effects);
        }

        Assert.Equal(0, late);
    }

    private static BroadcastSource Make(SourceOptions options) => new(Life, Quorums.ForGroupOf(4), options, 1, 0, _ => BatchBytes);

    private static Instant At(int milliseconds) => new(milliseconds * 1_000_000L);

    private static StreamStatus StatusOf(ulong low) => new(1, Life, low, low + 256, low - 1, default);

    private static List<ulong> SentIn(SourceEffects effects)
    {
        var sent = new List<ulong>();
        foreach (ref readonly var effect in effects.Items)
            if (effect.Kind == SourceEffectKind.SendInitial) sent.Add(effect.Seq);
        return sent;
    }
}
