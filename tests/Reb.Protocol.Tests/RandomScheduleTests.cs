namespace Massif.Reb.Protocol.Tests;

public sealed class RandomScheduleTests
{
    [Theory]
    [InlineData(4, 150)]
    [InlineData(5, 75)]
    [InlineData(7, 75)]
    public void Agreement_totality_validity_and_release_hold_for_every_seed(int replicas, int seeds)
    {
        for (ulong seed = 1; seed <= (ulong)seeds; seed++) new RandomWorld(seed, replicas).Run();
    }

    [Fact]
    public void The_same_seed_gives_the_same_trace()
    {
        var (first, second) = (new RandomWorld(42, 4), new RandomWorld(42, 4));
        first.Run();
        second.Run();
        Assert.Equal(first.Trace, second.Trace);
    }
}
