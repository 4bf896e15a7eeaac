using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Simulation;

/// <summary>The clocks of one simulated node: monotonic time drifts, wall time is skewed and may jump.</summary>
public sealed class SimulatedClock : IClock
{
    /// <summary>Wall time at the start of every world: 2026-01-01T00:00:00Z in nanoseconds since 1970.</summary>
    public const long WallStart = 1_767_225_600_000_000_000;

    private readonly VirtualTime _time;
    private readonly long _monotonicStart;
    private readonly int _driftPerMillion;
    private long _skew;

    /// <summary>Makes the clocks of a node.</summary>
    /// <param name="time">The world's time.</param>
    /// <param name="monotonicStart">Reading of the monotonic clock at the start of the world, in nanoseconds.</param>
    /// <param name="driftPerMillion">How much faster the monotonic and the wall clock run, in parts per million.</param>
    /// <param name="skew">What the wall clock is ahead at the start, in nanoseconds.</param>
    /// <param name="bootId">Identity of this boot.</param>
    public SimulatedClock(VirtualTime time, long monotonicStart, int driftPerMillion, long skew, Guid bootId)
    {
        _time = time;
        _monotonicStart = monotonicStart;
        _driftPerMillion = driftPerMillion;
        _skew = skew;
        BootId = bootId;
    }

    /// <inheritdoc />
    public Guid BootId { get; private set; }

    /// <summary>Gets or sets what the node's clock daemon says of the wall clock.</summary>
    public ClockQuality Quality { get; set; } = ClockQuality.Sync;

    /// <summary>Gets or sets the bound that the clock daemon gives, in microseconds.</summary>
    public uint? ErrorMicroseconds { get; set; } = 500;

    /// <summary>Gets the monotonic reading alone.</summary>
    public Instant Now => new(_monotonicStart + Local(_time.Now));

    /// <inheritdoc />
    public Moment Read() => new(Now, WallStart + _skew + Local(_time.Now), Quality, ErrorMicroseconds);

    /// <summary>Makes the wall clock jump by so many nanoseconds, back when negative.</summary>
    public void Jump(long nanoseconds) => _skew += nanoseconds;

    /// <summary>The machine starts anew; its monotonic clock goes on, which a node may not rely upon.</summary>
    public void Boot(Guid bootId) => BootId = bootId;

    /// <summary>
    /// Returns a moment of the world's time, at most a few nanoseconds late, when the monotonic clock has reached a reading.
    /// </summary>
    public long WhenReaches(Instant reading)
    {
        var local = reading.Nanoseconds - _monotonicStart;
        var when = Math.Max(_time.Now, local - (local * _driftPerMillion / (1_000_000 + _driftPerMillion)));
        while (Local(when) < local) when += local - Local(when);
        return when;
    }

    private long Local(long virtualTime) => virtualTime + (virtualTime * _driftPerMillion / 1_000_000);
}
