using Massif.Simulation.Protocol;
using Massif.Simulation.WholeDomain;

namespace Massif.Simulation;

/// <summary>The worlds that can be simulated, by the name that the command line uses.</summary>
public static class Worlds
{
    /// <summary>Gets the names, the default first.</summary>
    public static IReadOnlyList<string> Names { get; } = ["protocol", "domain"];

    /// <summary>Returns what runs one seed of a world.</summary>
    /// <param name="world">One of <see cref="Names"/>.</param>
    /// <param name="replicas">Number of core replicas, 4 to 16.</param>
    /// <param name="lines">Takes the trace as text; null when nobody reads it.</param>
    /// <exception cref="ArgumentException">There is no such world.</exception>
    public static Func<ulong, SeedOutcome> Find(string world, int replicas, Action<string>? lines = null) => world switch
    {
        "protocol" => seed => ProtocolWorld.Run(new(seed, replicas), lines),
        "domain" => seed => DomainWorld.Run(seed, replicas, lines),
        _ => throw new ArgumentException($"There is no world '{world}'.", nameof(world)),
    };

    /// <summary>Returns the command line that runs one seed again.</summary>
    public static string ReplayLine(string world, int replicas, ulong seed) => string.Create(
        System.Globalization.CultureInfo.InvariantCulture,
        $"massif simulate --world {world} --replicas {replicas} --seeds 1 --from {seed}");
}
