using Massif.Simulation.WholeDomain;

namespace Massif.Simulation.Tests;

public sealed class DomainWorldTests
{
    /// <summary>Production hosts under faults: CI runs this range, `massif simulate --world domain` any other.</summary>
    [Theory]
    [InlineData(4, 300)]
    [InlineData(7, 20)]
    public void Every_promise_of_a_whole_domain_holds_for_every_seed(int replicas, int seeds)
    {
        var outcome = SeedRunner.Run(Worlds.Find("domain", replicas), from: 0, count: seeds);
        var replay = Worlds.ReplayLine("domain", replicas, outcome.Failure?.Seed ?? 0);
        Assert.True(outcome.Failure is null, $"{outcome.Failure?.Detail}\nReplay: {replay}");
        Assert.True(outcome.Delivered > seeds);
    }

    [Fact]
    public void The_same_seeds_give_the_same_trace_on_one_thread_and_on_many()
    {
        var run = Worlds.Find("domain", 4);
        Assert.Equal(SeedRunner.Run(run, from: 40, count: 8, workers: 1), SeedRunner.Run(run, from: 40, count: 8, workers: 2));
    }

    [Fact]
    public void A_trace_that_is_read_is_the_same_trace()
    {
        var lines = new List<string>();
        Assert.Equal(DomainWorld.Run(5, 4), DomainWorld.Run(5, 4, lines.Add));
        Assert.NotEmpty(lines);
    }
}
