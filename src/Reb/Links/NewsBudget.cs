using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>
/// How many lines of the log one peer may cause: a few at once, then one a second. Whoever reconnects without end
/// decides how often it does, and not how large our log grows.
/// </summary>
/// <remarks>Safe for several threads.</remarks>
/// <param name="peers">The number of peers.</param>
/// <param name="atOnce">Lines at once.</param>
internal sealed class NewsBudget(int peers, int atOnce)
{
    private const long RefillMilliseconds = 1_000;

    private readonly (int Left, long RefilledAt, long Untold)[] _budgets = [.. Enumerable.Repeat((atOnce, 0L, 0L), peers)];
    private readonly Lock _lock = new();

    /// <summary>Returns whether a line may be written.</summary>
    /// <param name="peer">Whom it is about.</param>
    /// <param name="now">Milliseconds of a monotonic clock.</param>
    /// <param name="untold">How many were not written since the last one that was.</param>
    public bool MayTell(NodeIndex peer, long now, out long untold)
    {
        lock (_lock)
        {
            ref var budget = ref _budgets[peer.Value];
            var refill = (now - budget.RefilledAt) / RefillMilliseconds;
            if (refill > 0) (budget.Left, budget.RefilledAt) = ((int)Math.Min(atOnce, budget.Left + refill), now);
            untold = budget.Untold;
            if (budget.Left == 0)
            {
                budget.Untold++;
                return false;
            }

            budget.Left--;
            budget.Untold = 0;
            return true;
        }
    }
}
