using Massif.Reb.Links;

namespace Massif.Reb.Tests.Links;

public sealed class NewsBudgetTests
{
    [Fact]
    public void A_peer_that_changes_without_end_is_told_a_few_times_then_once_a_second_and_others_are_not_affected()
    {
        var budget = new NewsBudget(peers: 2, atOnce: 3);
        var told = 0;
        for (var now = 1_000_000; now < 1_010_000; now += 10)
            if (budget.MayTell(new(0), now, out _)) told++;
        Assert.Equal(3 + 9, told);
        Assert.True(budget.MayTell(new(1), 1_009_999, out var untold));
        Assert.Equal(0, untold);
        Assert.True(budget.MayTell(new(0), 1_011_000, out untold));
        Assert.InRange(untold, 90, 110);
        Assert.True(budget.MayTell(new(0), 1_100_000, out untold));
        Assert.Equal(0, untold);
    }
}
