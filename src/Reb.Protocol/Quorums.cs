namespace Massif.Reb.Protocol;

/// <summary>Vote thresholds for n replicas, of which at most f are Byzantine and at most k recovering at once.</summary>
/// <remarks>
/// Requires n ≥ 3f + 2k + 1. Every threshold in the code base is one of these names; none is spelled out as arithmetic.
/// MASSIF D5.1.1 section 5.4 prints ⌈(n + f) / 2⌉ for echo; that is unsafe whenever n + f is even (n = 5, f = 1).
/// </remarks>
public readonly record struct Quorums
{
    private Quorums(int replicas, int faults, int recovering) =>
        (Replicas, Faults, Recovering) = (replicas, faults, recovering);

    /// <summary>Gets n, the number of replicas in the group.</summary>
    public int Replicas { get; }

    /// <summary>Gets f, the largest number of Byzantine replicas tolerated.</summary>
    public int Faults { get; }

    /// <summary>Gets k, the largest number of replicas that recover at the same time.</summary>
    public int Recovering { get; }

    /// <summary>Gets f + 1: at least one of so many distinct replicas is correct.</summary>
    public int OneCorrect => Faults + 1;

    /// <summary>Gets ⌊(n + f) / 2⌋ + 1: any two sets of this size share a correct replica (Bracha 1987, fig. 1).</summary>
    public int Intersecting => ((Replicas + Faults) / 2) + 1;

    /// <summary>Gets 2f + k + 1: so many distinct replicas hold f + 1 correct ones while k recover (Bracha 1987, fig. 1, step 3).</summary>
    public int CorrectMajority => (2 * Faults) + Recovering + 1;

    /// <summary>Gets n − f − k: so many replicas always answer.</summary>
    public int Available => Replicas - Faults - Recovering;

    /// <summary>Gets n − <see cref="Available"/> + 1 = f + k + 1: votes that commit an anchor of the total order.</summary>
    public int AnchorVotes => Replicas - Available + 1;

    /// <summary>Returns whether n replicas tolerate f Byzantine and k recovering ones: n ≥ 3f + 2k + 1.</summary>
    public static bool Fit(int replicas, int faults, int recovering) =>
        faults >= 0 && recovering >= 0 && replicas >= (3 * faults) + (2 * recovering) + 1;

    /// <summary>Returns the thresholds of a group.</summary>
    /// <exception cref="ArgumentOutOfRangeException">n is not in 4..64, or n &lt; 3f + 2k + 1.</exception>
    public static Quorums For(int replicas, int faults, int recovering = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(replicas, 4);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(replicas, ReplicaSet.Capacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(faults, 1);
        if (!Fit(replicas, faults, recovering))
            throw new ArgumentOutOfRangeException(
                nameof(replicas), replicas, $"n >= 3f+2k+1 does not hold for f={faults}, k={recovering}.");
        return new(replicas, faults, recovering);
    }

    /// <summary>Returns the thresholds for the largest f that <paramref name="replicas"/> replicas tolerate, with k = 0.</summary>
    public static Quorums ForGroupOf(int replicas) => For(replicas, (replicas - 1) / 3);
}
