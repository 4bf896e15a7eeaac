using Massif.Reb.Protocol;

namespace Massif.Simulation;

/// <summary>A named property did not hold in a simulated world.</summary>
public sealed class PropertyViolationException : Exception
{
    /// <summary>Makes the exception without a name.</summary>
    public PropertyViolationException()
        : this("Unnamed", string.Empty)
    {
    }

    /// <summary>Makes the exception of a property without a text.</summary>
    public PropertyViolationException(string property)
        : this(property, string.Empty)
    {
    }

    /// <summary>Makes the exception with a cause.</summary>
    public PropertyViolationException(string message, Exception innerException)
        : base(message, innerException) => Property = "Unnamed";

    /// <summary>Makes the exception of a property, with what was seen.</summary>
    public PropertyViolationException(string property, string seen)
        : base($"{property}: {seen}") => (Property, Seen) = (property, seen);

    /// <summary>Gets the name of the property, as in docs/protocols.</summary>
    public string Property { get; }

    /// <summary>Gets what was seen.</summary>
    public string Seen { get; } = string.Empty;
}

/// <summary>What became of one seed.</summary>
/// <param name="Seed">The seed.</param>
/// <param name="Property">Name of the property that did not hold; null when all did.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Hash">Hash of everything that happened.</param>
/// <param name="Events">How many events the scheduler carried out.</param>
/// <param name="Delivered">How many deliveries there were, at all replicas together.</param>
/// <param name="VirtualNanoseconds">How long the run took in its own time.</param>
public sealed record SeedOutcome(
    ulong Seed, string? Property, string? Detail, Digest Hash, long Events, long Delivered, long VirtualNanoseconds)
{
    /// <summary>Gets whether every property held.</summary>
    public bool Passed => Property is null;

    /// <summary>Carries a run out and returns the property that it broke, with what was seen; nothing when all held.</summary>
    internal static (string? Property, string? Detail) Judge(Action run)
    {
        try
        {
            run();
            return (null, null);
        }
        catch (PropertyViolationException broken)
        {
            return (broken.Property, broken.Seen);
        }
        catch (InvariantViolationException broken)
        {
            return ("Invariant", broken.ToString());
        }
        catch (Exception crash) when (crash is not OutOfMemoryException)
        {
            return ("Crash", crash.ToString()); // Input from others must never end a node like this.
        }
    }
}

/// <summary>What became of a range of seeds.</summary>
/// <param name="Seeds">How many seeds were run.</param>
/// <param name="Failure">The lowest seed that failed; null when none did.</param>
/// <param name="Hash">Hash over the traces of all seeds in their order, up to the failure.</param>
/// <param name="Events">Events of all seeds.</param>
/// <param name="Delivered">Deliveries of all seeds.</param>
public sealed record RangeOutcome(long Seeds, SeedOutcome? Failure, Digest Hash, long Events, long Delivered);

/// <summary>Runs a range of seeds on all processors; the outcome does not depend on how many there are.</summary>
public static class SeedRunner
{
    /// <summary>Runs the seeds <paramref name="from"/> .. from + count − 1, and none above one that failed.</summary>
    /// <param name="run">Runs one seed in a world of its own.</param>
    /// <param name="from">First seed.</param>
    /// <param name="count">Number of seeds.</param>
    /// <param name="progress">Told now and then, by any thread, how many seeds are done.</param>
    /// <param name="workers">Threads; 0 for one per processor.</param>
    /// <param name="cancel">Ends the run early.</param>
    public static RangeOutcome Run(
        Func<ulong, SeedOutcome> run,
        ulong from,
        long count,
        Action<long>? progress = null,
        int workers = 0,
        CancellationToken cancel = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        var outcomes = new SeedOutcome?[count];
        long next = 0, done = 0, lowestFailure = long.MaxValue;
        var options = new ParallelOptions { MaxDegreeOfParallelism = workers > 0 ? workers : Environment.ProcessorCount };
        Parallel.For(0, options.MaxDegreeOfParallelism, options, _ =>
        {
            while (!cancel.IsCancellationRequested)
            {
                var index = Interlocked.Increment(ref next) - 1;
                if (index >= count || index > Interlocked.Read(ref lowestFailure)) return;
                var outcome = run(from + (ulong)index);
                outcomes[index] = outcome;
                if (!outcome.Passed) Lower(ref lowestFailure, index);
                progress?.Invoke(Interlocked.Increment(ref done));
            }
        });
        cancel.ThrowIfCancellationRequested();
        return Sum(outcomes);
    }

    private static void Lower(ref long lowest, long index)
    {
        var seen = Interlocked.Read(ref lowest);
        while (index < seen)
        {
            var before = Interlocked.CompareExchange(ref lowest, index, seen);
            if (before == seen) return;
            seen = before;
        }
    }

    /// <summary>Only what comes before the lowest failure counts: what ran beyond it depends on the threads.</summary>
    private static RangeOutcome Sum(SeedOutcome?[] outcomes)
    {
        var (hash, events, delivered, seeds) = (default(Digest), 0L, 0L, 0L);
        foreach (var outcome in outcomes)
        {
            if (outcome is null) break;
            hash = hash.Chain(outcome.Hash);
            events += outcome.Events;
            delivered += outcome.Delivered;
            seeds++;
            if (!outcome.Passed) return new(seeds, outcome, hash, events, delivered);
        }

        return new(seeds, null, hash, events, delivered);
    }
}
