using Massif.Events;

namespace Massif.Get.Recognition;

/// <summary>What the receiver itself knows about a message: seen, never claimed.</summary>
public readonly record struct ReceiveContext
{
    /// <summary>Gets the trusted time of receipt.</summary>
    public TrustedTime Trusted { get; init; }

    /// <summary>
    /// Gets the receiver's wall clock, nanoseconds since 1970 UTC; a year-less stamp is put nearest to it.
    /// </summary>
    public long ReceivedWallNanoseconds { get; init; }

    /// <summary>Gets the listener's zone for stamps without one: minutes east of UTC.</summary>
    public short DefaultOffsetMinutes { get; init; }

    /// <summary>Gets the address that the message came from; null when it came from no network.</summary>
    public IpAddress? PeerAddress { get; init; }

    /// <summary>Gets the port that the message came from.</summary>
    public ushort PeerPort { get; init; }

    /// <summary>Gets how the message came.</summary>
    public EventTransport Transport { get; init; }

    /// <summary>Gets whether the listener is declared a replay: the claimed time is then the event time.</summary>
    public bool Replay { get; init; }
}
