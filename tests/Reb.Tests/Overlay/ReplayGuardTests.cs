using Massif.Reb.Overlay;

namespace Massif.Reb.Tests.Overlay;

public sealed class ReplayGuardTests
{
    [Fact]
    public void A_number_is_fresh_once_in_any_order_within_the_window()
    {
        var guard = new ReplayGuard();
        ulong[] order = [5, 3, 1, 4, 1028, 6, 1027];
        foreach (var number in order) Assert.Equal(Freshness.Fresh, guard.Record(1, 0, number));
        foreach (var number in order) Assert.Equal(Freshness.Replayed, guard.Record(1, 0, number));
    }

    [Fact]
    public void The_window_ends_1024_numbers_below_the_highest()
    {
        var guard = new ReplayGuard();
        guard.Record(1, 0, 2000);
        Assert.Equal(Freshness.Fresh, guard.Record(1, 0, 977)); // 2000 - 1023
        Assert.Equal(Freshness.Replayed, guard.Record(1, 0, 976));
        guard.Record(1, 0, 2001);
        Assert.Equal(Freshness.Replayed, guard.Record(1, 0, 977));
        Assert.Equal(Freshness.Fresh, guard.Record(1, 0, 978));
    }

    [Fact]
    public void A_jump_forgets_what_lies_outside_and_nothing_else()
    {
        var guard = new ReplayGuard();
        for (ulong number = 1; number <= 1024; number++) guard.Record(1, 0, number);
        Assert.Equal(Freshness.Fresh, guard.Record(1, 0, 1500));
        for (ulong number = 477; number <= 1024; number++) Assert.Equal(Freshness.Replayed, guard.Record(1, 0, number));
        for (ulong number = 1025; number < 1500; number++) Assert.Equal(Freshness.Fresh, guard.Record(1, 0, number));
        Assert.Equal(Freshness.Fresh, guard.Record(1, 0, 1_000_000));
        for (ulong number = 1_000_000 - 1023; number < 1_000_000; number++) Assert.Equal(Freshness.Fresh, guard.Record(1, 0, number));
    }

    [Fact]
    public void Sessions_and_paths_are_apart_and_the_ends_of_the_range_are_harmless()
    {
        var guard = new ReplayGuard();
        for (ulong session = 1; session <= 4; session++)
            for (var path = 0; path < ReplayGuard.MaxPaths; path++) Assert.Equal(Freshness.Fresh, guard.Record(session, path, 1));
        Assert.Equal(Freshness.Replayed, guard.Record(1, 0, 1));
        Assert.Equal(Freshness.Replayed, guard.Record(1, ReplayGuard.MaxPaths, 1));
        Assert.Equal(Freshness.Fresh, guard.Record(1, 0, ulong.MaxValue));
        Assert.Equal(Freshness.Replayed, guard.Record(1, 0, ulong.MaxValue));
        Assert.Equal(Freshness.Replayed, guard.Record(1, 0, 0));
    }
}
