using Massif.Simulation.Protocol;

namespace Massif.Simulation.Tests;

public sealed class ProtocolWorldTests
{
    /// <summary>A short range in every build; CI runs thousands with `massif simulate`.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(10)]
    public void Every_promise_holds_for_every_seed(int replicas)
    {
        var outcome = SeedRunner.Run(Worlds.Find("protocol", replicas), from: 0, count: 150);
        var replay = Worlds.ReplayLine("protocol", replicas, outcome.Failure?.Seed ?? 0);
        Assert.True(outcome.Failure is null, $"{outcome.Failure?.Detail}\nReplay: {replay}");
        Assert.True(outcome.Delivered > 150);
    }

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    public void The_same_seeds_give_the_same_trace_on_one_thread_and_on_many(int replicas)
    {
        var run = Worlds.Find("protocol", replicas);
        var alone = SeedRunner.Run(run, from: 100, count: 24, workers: 1);
        var together = SeedRunner.Run(run, from: 100, count: 24, workers: 4);
        Assert.Equal(alone, together);
    }

    [Fact]
    public void A_trace_that_is_read_is_the_same_trace()
    {
        var lines = new List<string>();
        var read = ProtocolWorld.Run(new(5, 4), lines.Add);
        Assert.Equal(ProtocolWorld.Run(new(5, 4)), read);
        Assert.NotEmpty(lines);
    }

    [Fact]
    public void Other_seeds_give_other_traces()
    {
        var hashes = Enumerable.Range(0, 20).Select(seed => ProtocolWorld.Run(new((ulong)seed, 4)).Hash).ToHashSet();
        Assert.Equal(20, hashes.Count);
    }

    /// <summary>Shows that the checks can fail: with f + 1 liars the promises are void, and that is seen.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    public void One_liar_too_many_is_noticed(int replicas)
    {
        var liars = ((replicas - 1) / 3) + 1;
        var outcome = SeedRunner.Run(
            seed => ProtocolWorld.Run(new(seed, replicas, Scenario.Split) { Byzantine = liars }), from: 0, count: 200);
        Assert.NotNull(outcome.Failure);
        Assert.Contains(outcome.Failure.Property, (string[])["Agreement", "Validity", "Progress", "NoLoss", "Invariant"]);
    }

    /// <summary>Each kind of adversary by itself: none may starve because the dice prefer the others.</summary>
    [Theory]
    [InlineData(Scenario.Random)]
    [InlineData(Scenario.Split)]
    [InlineData(Scenario.Starve)]
    [InlineData(Scenario.Storm)]
    public void Every_promise_holds_against_each_adversary(Scenario scenario)
    {
        var outcome = SeedRunner.Run(seed => ProtocolWorld.Run(new(seed, 7, scenario)), from: 0, count: 60);
        Assert.True(outcome.Failure is null, $"{scenario} {outcome.Failure?.Seed}: {outcome.Failure?.Detail}");
    }

    [Fact]
    public void The_lowest_failing_seed_is_reported_whatever_the_threads_do()
    {
        var outcome = SeedRunner.Run(
            seed => new(seed, seed is 30 or 41 ? "Made up" : null, null, default, 1, 1, 1), from: 0, count: 1_000, workers: 4);
        Assert.Equal(30UL, outcome.Failure!.Seed);
        Assert.Equal(31, outcome.Seeds);
    }

    [Fact]
    public void A_replay_line_names_world_size_and_seed() =>
        Assert.Equal("massif simulate --world protocol --replicas 7 --seeds 1 --from 12", Worlds.ReplayLine("protocol", 7, 12));
}
