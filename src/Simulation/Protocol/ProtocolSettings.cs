namespace Massif.Simulation.Protocol;

/// <summary>Who works against the group.</summary>
public enum Scenario
{
    /// <summary>Everything at random, the tactics of the adversaries included.</summary>
    Random,

    /// <summary>Byzantine sources and replicas together aim at thresholds: exactly so many see this, exactly one hears that.</summary>
    Split,

    /// <summary>A replica is starved and then restarted, while the liars are silent.</summary>
    Starve,

    /// <summary>Crashes and power cuts all the time, of everybody.</summary>
    Storm,
}

/// <summary>One run of the protocol world.</summary>
/// <param name="Seed">Every choice comes from it.</param>
/// <param name="Replicas">Number of replicas, 4 to 16; f is the largest that fits.</param>
/// <param name="Scenario">Who works against the group; null: the seed decides.</param>
public sealed record ProtocolSettings(ulong Seed, int Replicas, Scenario? Scenario = null)
{
    /// <summary>Gets the number of Byzantine replicas; null: a random number up to f. More than f shows that the checks can fail.</summary>
    public int? Byzantine { get; init; }
}
