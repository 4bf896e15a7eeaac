namespace Massif.Simulation.Tests.Mutants;

/// <summary>One deliberate mistake: a small patch of production source that some test has to notice.</summary>
/// <param name="Name">What is wrong, in the words of docs/protocols.</param>
/// <param name="File">Path from the root of the repository.</param>
/// <param name="Find">The exact text to replace; it must occur once.</param>
/// <param name="Replace">What stands there instead.</param>
/// <param name="Replicas">Size of the group that kills it.</param>
/// <param name="KilledBy">The property that breaks; several names separated by a bar where the seed decides.</param>
/// <param name="From">First pinned seed.</param>
/// <param name="Seeds">How many pinned seeds are run until one kills it.</param>
/// <param name="Scenario">The adversary; empty: the seed decides.</param>
/// <param name="Also">The rest of a mistake that is made in several places.</param>
public sealed record Mutant(
    string Name,
    string File,
    string Find,
    string Replace,
    int Replicas,
    string KilledBy,
    ulong From = 0,
    int Seeds = 400,
    string Scenario = "",
    IReadOnlyList<Patch>? Also = null)
{
    /// <summary>Gets every place of the mistake.</summary>
    public IEnumerable<Patch> Patches => [new(File, Find, Replace), .. Also ?? []];

    public override string ToString() => Name;
}

/// <summary>One place of a mistake.</summary>
/// <param name="File">Path from the root of the repository.</param>
/// <param name="Find">The exact text to replace; it must occur once.</param>
/// <param name="Replace">What stands there instead.</param>
public sealed record Patch(string File, string Find, string Replace);
