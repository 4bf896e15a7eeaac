namespace Massif.Simulation.Tests.Mutants;

public sealed class HostMutantTests
{
    private static readonly Lazy<Func<int, ulong, string?>> Control = new(() => HostMutantCompiler.Compile(null));

    public static TheoryData<string> Names => [.. HostMutantList.Domain.Select(mutant => mutant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_mutant_of_the_hosts_is_killed_by_the_promise_that_it_breaks(string name)
    {
        var mutant = HostMutantList.Domain.Single(listed => listed.Name == name);
        var run = HostMutantCompiler.Compile(mutant);
        ulong? killer = null;
        for (var seed = mutant.From; killer is null && seed < mutant.From + (ulong)mutant.Seeds; seed++)
            if (run(mutant.Replicas, seed) == mutant.KilledBy) killer = seed; // Elsewhere it may break another promise first.
        Assert.True(killer is not null, $"'{name}' survived {mutant.Seeds} seeds: build the adversary that notices it.");

        // The same sources without the patch, compiled the same way, survive that seed: it is the mistake that was noticed.
        Assert.Null(Control.Value(mutant.Replicas, killer.Value));
    }

    [Fact]
    public void No_two_mutants_have_one_name() =>
        Assert.Equal(HostMutantList.Domain.Count, HostMutantList.Domain.Select(mutant => mutant.Name).Distinct().Count());
}
