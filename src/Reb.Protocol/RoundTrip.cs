namespace Massif.Reb.Protocol;

/// <summary>Retransmission time-out from measured round trips: RFC 6298 section 2, within the configured range.</summary>
/// <remarks>
/// Only answers to a first sending are measured (Karn's rule): a repeat cannot be told from what it repeats. Until the next
/// measurement the doubled time-out stays (section 5.7): a path that became slower than the time-out would else be repeated
/// on, and never measured again.
/// </remarks>
internal struct RoundTrip(int minMs, int maxMs)
{
    private readonly long _min = minMs * 1_000_000L, _max = maxMs * 1_000_000L;
    private long _smoothed, _deviation;
    private int _backOff;

    /// <summary>Takes a measured round trip in nanoseconds.</summary>
    public void Measure(long nanoseconds)
    {
        _backOff = 0;
        if (_smoothed == 0)
        {
            (_smoothed, _deviation) = (nanoseconds, nanoseconds / 2);
            return;
        }

        _deviation += (Math.Abs(_smoothed - nanoseconds) - _deviation) / 4;
        _smoothed += (nanoseconds - _smoothed) / 8;
    }

    /// <summary>Takes note of a repeat, so that what is sent next waits as long.</summary>
    public void Repeated(int attempt) => _backOff = Math.Max(_backOff, attempt);

    /// <summary>Returns the time-out of an attempt, 0 for the first, in nanoseconds: it doubles with each.</summary>
    public readonly long TimeOut(int attempt)
    {
        var first = Math.Clamp(_smoothed + (4 * _deviation), _min, _max);
        return Math.Min(_max, first << Math.Min(Math.Max(attempt, _backOff), 10));
    }
}
