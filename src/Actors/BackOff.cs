namespace Massif.Actors;

/// <summary>Delays between attempts: doubling from the first to the longest, with jitter so that many do not retry in step.</summary>
/// <param name="first">Delay after the first failure.</param>
/// <param name="longest">Upper bound of every delay.</param>
/// <param name="random">Where the jitter comes from; used by this object only, or thread-safe.</param>
public sealed class BackOff(TimeSpan first, TimeSpan longest, Random random)
{
    /// <summary>Gets how many failures there were since the last success.</summary>
    public int Failures { get; private set; }

    /// <summary>Counts one more failure and returns how long to wait: between half of the doubled delay and all of it.</summary>
    public TimeSpan Next()
    {
        var doubled = first.Ticks * Math.Pow(2, Math.Min(Failures, 40));
        Failures++;
        var whole = Math.Min(doubled, longest.Ticks);
        return TimeSpan.FromTicks((long)(whole * (0.5 + (0.5 * random.NextDouble()))));
    }

    /// <summary>Starts again from the first delay, after a success.</summary>
    public void Reset() => Failures = 0;
}
