namespace Massif.Simulation;

/// <summary>A seeded generator (xoshiro256**, seeded by splitmix64): the only source of choice in a simulation.</summary>
/// <remarks>
/// Blackman and Vigna 2018. Integer arithmetic only, so that a seed means the same run on every machine. Each concern takes
/// a <see cref="Fork"/> of its own: a new draw in one place then leaves the choices of all others as they were.
/// </remarks>
public sealed class Prng
{
    private ulong _s0, _s1, _s2, _s3;

    /// <summary>Makes the generator of a seed.</summary>
    public Prng(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    /// <summary>Returns 64 random bits.</summary>
    public ulong Next()
    {
        var result = ulong.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = ulong.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>Returns a number in 0 .. <paramref name="bound"/> − 1; the bias of the multiplication is below 2⁻³².</summary>
    public int Below(int bound)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bound, 1);
        return (int)(((Next() >> 32) * (ulong)bound) >> 32);
    }

    /// <summary>Returns a number in <paramref name="low"/> .. <paramref name="high"/>, both included.</summary>
    public long Between(long low, long high)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(high, low);
        return low + (long)Math.BigMul(Next(), (ulong)(high - low) + 1, out _);
    }

    /// <summary>Returns true in so many of 100 cases.</summary>
    public bool Chance(int percent) => Below(100) < percent;

    /// <summary>Returns true once in so many cases.</summary>
    public bool OneIn(int cases) => Below(cases) == 0;

    /// <summary>Returns one of the items.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Below(items.Count)];

    /// <summary>Returns a random subset of the bits of <paramref name="of"/>, each with a chance of one half.</summary>
    public ulong Subset(ulong of) => Next() & of;

    /// <summary>Puts the items into a random order.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>
    /// Returns a delay with a long tail: uniform in low .. high, and four times as long for each throw, up to six, of a coin that shows
    /// heads once in <paramref name="tail"/> throws (0: no tail).
    /// </summary>
    public long Delay(long low, long high, int tail)
    {
        var delay = Between(low, high);
        for (var heads = 0; tail > 0 && heads < 6 && OneIn(tail); heads++) delay *= 4;
        return delay;
    }

    /// <summary>Returns an independent generator for one concern.</summary>
    public Prng Fork() => new(Next());

    private static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
