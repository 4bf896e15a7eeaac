namespace Massif.Reb.Protocol;

/// <summary>
/// Which checkpoints of a life are kept: the last eight at the multiples of the interval, of twice
/// the interval, and so on (R11).
/// </summary>
/// <remarks>
/// So a replica that comes back finds one not far above what its peers have let go, however long their journals are, and what it
/// must pass over is at most an eighth longer than what retention took. Which ones are kept follows from the newest alone: equal at
/// all replicas that are equally far.
/// </remarks>
public static class CheckpointLadder
{
    /// <summary>Checkpoints kept at the multiples of one step.</summary>
    public const int PerRung = 8;

    /// <summary>
    /// Most checkpoints of one life, the one where the stream rested included: eight, and up to five more for each doubling.
    /// </summary>
    public const int Most = PerRung + (5 * (Rungs - 1)) + 1;

    private const int Rungs = 24; // With an interval of 256 the last step is two thousand million batches.

    /// <summary>Returns whether the checkpoint at a multiple of the interval is kept while another one is the newest.</summary>
    /// <param name="seq">The checkpoint.</param>
    /// <param name="newest">The newest at a multiple of the interval.</param>
    /// <param name="interval">The interval, in seqs.</param>
    public static bool IsKept(ulong seq, ulong newest, int interval)
    {
        var step = (ulong)interval;
        for (var rung = 0; rung < Rungs && seq % step == 0; rung++, step *= 2)
            if ((newest / step) - (seq / step) < PerRung) return true;
        return false;
    }

    /// <summary>Returns whether it is one of the last eight at the interval itself: those are kept for ever.</summary>
    /// <param name="seq">The checkpoint.</param>
    /// <param name="newest">The newest at a multiple of the interval.</param>
    /// <param name="interval">The interval, in seqs.</param>
    public static bool IsOfTheLast(ulong seq, ulong newest, int interval) => (newest - seq) / (ulong)interval < PerRung;
}
