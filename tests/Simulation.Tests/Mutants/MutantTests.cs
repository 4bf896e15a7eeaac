namespace Massif.Simulation.Tests.Mutants;

public sealed class MutantTests
{
    private static readonly Lazy<Func<string, int, ulong, string?>> Control = new(() => MutantCompiler.Compile(null));

    public static TheoryData<string> Names => [.. MutantList.Protocol.Select(mutant => mutant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_mutant_is_killed_by_the_promise_that_it_breaks(string name)
    {
        var mutant = MutantList.Protocol.Single(listed => listed.Name == name);
        var run = MutantCompiler.Compile(mutant);
        var killer = FirstBroken(run, mutant, mutant.Seeds);
        Assert.True(killer is not null, $"'{name}' survived {mutant.Seeds} seeds: build the adversary that notices it.");
        Assert.Contains(killer.Value.Property, mutant.KilledBy.Split('|'));

        // The same sources without the patch, compiled the same way, survive the same seeds: it is the mistake that was noticed.
        var seeds = (int)(killer.Value.Seed - mutant.From) + 1;
        Assert.Null(FirstBroken(Control.Value, mutant, seeds));
    }

    [Fact]
    public void No_two_mutants_have_one_name() =>
        Assert.Equal(MutantList.Protocol.Count, MutantList.Protocol.Select(mutant => mutant.Name).Distinct().Count());

    private static (ulong Seed, string Property)? FirstBroken(Func<string, int, ulong, string?> run, Mutant mutant, int seeds)
    {
        for (var seed = mutant.From; seed < mutant.From + (ulong)seeds; seed++)
            if (run(mutant.Scenario, mutant.Replicas, seed) is { } property) return (seed, property);
        return null;
    }
}
