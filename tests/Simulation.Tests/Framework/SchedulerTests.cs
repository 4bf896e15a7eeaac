namespace Massif.Simulation.Tests.Framework;

public sealed class SchedulerTests
{
    [Fact]
    public void Events_happen_in_the_order_of_time_and_then_of_scheduling()
    {
        var prng = new Prng(7);
        var scheduler = new Scheduler<int>();
        var expected = new List<(long Time, int Number)>();
        for (var number = 0; number < 5_000; number++)
        {
            var time = prng.Below(50); // Few moments: most events share one.
            scheduler.At(time, number);
            expected.Add((time, number));
        }

        var happened = new List<(long Time, int Number)>();
        while (scheduler.TryNext(long.MaxValue, out var number)) happened.Add((scheduler.Now, number));
        Assert.Equal(expected.OrderBy(e => e.Time).ThenBy(e => e.Number), happened);
    }

    [Fact]
    public void Time_stops_at_the_limit_and_goes_on_from_there()
    {
        var scheduler = new Scheduler<int>();
        scheduler.At(10, 1);
        scheduler.At(30, 2);
        Assert.True(scheduler.TryNext(20, out var first));
        Assert.Equal((1, 10), (first, scheduler.Now));
        Assert.False(scheduler.TryNext(20, out _));
        Assert.Equal(20, scheduler.Now);
        scheduler.In(5, 3);
        Assert.True(scheduler.TryNext(long.MaxValue, out var next));
        Assert.Equal((3, 25), (next, scheduler.Now));
    }

    [Fact]
    public void The_same_seed_draws_the_same_numbers_and_forks_do_not_disturb_each_other()
    {
        var (one, other) = (new Prng(42), new Prng(42));
        var fork = one.Fork();
        other.Fork();
        for (var i = 0; i < 100; i++) fork.Next();
        for (var i = 0; i < 100; i++) Assert.Equal(one.Next(), other.Next());
    }

    [Fact]
    public void Numbers_keep_their_bounds_and_reach_both_ends()
    {
        var prng = new Prng(1);
        var seen = new HashSet<long>();
        for (var i = 0; i < 1_000; i++) seen.Add(prng.Between(-2, 2));
        Assert.Equal([-2, -1, 0, 1, 2], seen.Order());
        for (var i = 0; i < 1_000; i++) Assert.InRange(prng.Below(3), 0, 2);
    }

    [Fact]
    public void A_drifting_clock_never_goes_back_and_finds_its_readings_again()
    {
        foreach (var drift in (int[])[-900, 0, 900])
        {
            var scheduler = new Scheduler<int>();
            var clock = new SimulatedClock(scheduler, 123, drift, 0, Guid.Empty);
            var last = clock.Now;
            for (var i = 1; i < 2_000; i++)
            {
                scheduler.TryNext(i * 700_001L, out _);
                Assert.True(clock.Now > last);
                last = clock.Now;
                var reading = last.PlusMilliseconds(i % 50);
                var when = clock.WhenReaches(reading);
                Assert.InRange(when, scheduler.Now, scheduler.Now + (51 * VirtualTime.Millisecond));
            }
        }
    }
}
