namespace Massif.Events;

/// <summary>One reading of the trusted clock.</summary>
/// <param name="Nanoseconds">Trusted time, nanoseconds since 1970 UTC.</param>
/// <param name="ErrorMicros">Bound of its error in microseconds; null when there is none.</param>
/// <param name="Quality">What is known of the clock behind it.</param>
/// <param name="ClockStep">The wall clock stepped, or trusted time is being held after a step back.</param>
public readonly record struct TrustedTime(long Nanoseconds, uint? ErrorMicros, TimeQuality Quality, bool ClockStep);

/// <summary>
/// Makes trusted time from readings of the clocks. Within its life (an incarnation of the spool) it never goes back:
/// when
/// the wall clock does, it holds until the wall clock has caught up, and says so on every reading until then.
/// </summary>
/// <remarks>A forward step is followed at once and marked once. Pure: readings come in as arguments.</remarks>
/// <param name="floorNanoseconds">The last trusted time of this incarnation, from the spool; 0 for a new one.</param>
public sealed class TrustedClock(long floorNanoseconds)
{
    // An adjusted clock may run 500 ppm off its monotonic twin (adjtimex(2), the limit of slewing); a reading of both
    // clocks may be interrupted in between, hence the millisecond.
    private const long SlewPartsPerMillion = 500;
    private const long ReadingJitterNanoseconds = 1_000_000;

    private long _last = floorNanoseconds;
    private long _lastWall;
    private long _lastMonotonic;
    private uint _lastError;
    private bool _hasReading;

    /// <summary>Takes one reading of the clocks and returns trusted time.</summary>
    /// <param name="wallNanoseconds">Wall clock, nanoseconds since 1970 UTC.</param>
    /// <param name="monotonicNanoseconds">Monotonic clock, nanoseconds since an arbitrary start.</param>
    /// <param name="quality">What is known of the wall clock.</param>
    /// <param name="errorMicros">Bound of the wall clock's error in microseconds; null when there is none.</param>
    public TrustedTime Read(long wallNanoseconds, long monotonicNanoseconds, TimeQuality quality, uint? errorMicros)
    {
        var stepped = _hasReading && Disagree(wallNanoseconds, monotonicNanoseconds, errorMicros ?? 0);
        (_hasReading, _lastWall, _lastMonotonic, _lastError) =
            (true, wallNanoseconds, monotonicNanoseconds, errorMicros ?? 0);

        if (wallNanoseconds >= _last)
        {
            _last = wallNanoseconds;
            return new(_last, errorMicros, quality, stepped);
        }

        // Held time lies ahead of the wall clock, so the error grows by that distance.
        return new(_last, Widen(errorMicros, _last - wallNanoseconds), quality, true);
    }

    private bool Disagree(long wall, long monotonic, uint error)
    {
        var elapsed = monotonic > _lastMonotonic ? monotonic - _lastMonotonic : 0;
        var allowed = ReadingJitterNanoseconds + (elapsed / 1_000_000 * SlewPartsPerMillion)
            + (1000L * error) + (1000L * _lastError);
        return Int128.Abs((Int128)wall - _lastWall - elapsed) > allowed; // Wider: clocks may read anything.
    }

    private static uint? Widen(uint? errorMicros, long byNanoseconds) => errorMicros is { } error
        ? (uint)Math.Min(uint.MaxValue, error + ((byNanoseconds + 999) / 1000))
        : null;
}
