namespace Massif.Events.Tests;

public sealed class TrustedClockTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 1_795_177_800 * Second;

    [Fact]
    public void It_follows_a_clock_that_runs()
    {
        var clock = new TrustedClock(0);

        Assert.Equal(new(Start, 10, TimeQuality.Sync, false), clock.Read(Start, 0, TimeQuality.Sync, 10));
        Assert.Equal(
            new(Start + Second, 10, TimeQuality.Sync, false), clock.Read(Start + Second, Second, TimeQuality.Sync, 10));
    }

    [Fact]
    public void Set_back_an_hour_it_holds_says_so_and_its_error_grows_by_the_distance()
    {
        var clock = new TrustedClock(0);
        clock.Read(Start, 0, TimeQuality.Sync, 10);

        var held = clock.Read(Start - (3600 * Second), Second, TimeQuality.Sync, 10);
        Assert.Equal(new(Start, 10 + 3_600_000_000, TimeQuality.Sync, true), held);

        var later = clock.Read(Start - (1800 * Second), 1801 * Second, TimeQuality.Sync, 10);
        Assert.Equal(new(Start, 10 + 1_800_000_000, TimeQuality.Sync, true), later);

        var caughtUp = clock.Read(Start + Second, 3602 * Second, TimeQuality.Sync, 10);
        Assert.Equal(new(Start + Second, 10, TimeQuality.Sync, false), caughtUp);
    }

    [Fact]
    public void A_step_forward_is_followed_and_marked_once()
    {
        var clock = new TrustedClock(0);
        clock.Read(Start, 0, TimeQuality.Unsync, null);

        var stepped = clock.Read(Start + (60 * Second), Second, TimeQuality.Unsync, null);
        Assert.Equal(new(Start + (60 * Second), null, TimeQuality.Unsync, true), stepped);
        Assert.False(clock.Read(Start + (61 * Second), 2 * Second, TimeQuality.Unsync, null).ClockStep);
    }

    [Fact]
    public void Slewing_is_no_step()
    {
        var clock = new TrustedClock(0);
        clock.Read(Start, 0, TimeQuality.Sync, 0);

        var slewed = clock.Read(Start + (1000 * Second) + (Second / 2), 1000 * Second, TimeQuality.Sync, 0);
        Assert.False(slewed.ClockStep);
    }

    [Fact]
    public void After_a_restart_it_does_not_go_below_the_spool()
    {
        var clock = new TrustedClock(Start);

        var first = clock.Read(Start - Second, 0, TimeQuality.Unsync, null);
        Assert.Equal(new(Start, null, TimeQuality.Unsync, true), first);
    }

    [Fact]
    public void It_never_goes_back_whatever_the_clocks_say()
    {
        var random = new Random(3);
        var clock = new TrustedClock(0);
        var last = 0L;
        for (var i = 0; i < 100_000; i++)
        {
            var wall = random.Next(4) == 0 ? random.NextInt64(long.MinValue, long.MaxValue) : last + random.Next(1_000_000);
            var now = clock.Read(wall, random.NextInt64(0, long.MaxValue / 4), TimeQuality.Sync, (uint)random.Next());
            Assert.True(now.Nanoseconds >= last);
            last = now.Nanoseconds;
        }
    }
}
