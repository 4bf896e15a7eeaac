using Massif.Reb.Protocol;

namespace Massif.Reb.Hosting;

/// <summary>Index of a node (edge, relay or replica) in the order of the domain description.</summary>
public readonly record struct NodeIndex(ushort Value)
{
    /// <inheritdoc />
    public override string ToString() => $"node{Value}";
}

/// <summary>What a node's clock says about its own trustworthiness (MASSIF D5.1.1 section 2.2.4).</summary>
public enum ClockQuality : byte
{
    /// <summary>Synchronised: the error has a bound from the clock daemon.</summary>
    Sync,

    /// <summary>Was synchronised: the bound grows with the drift since then.</summary>
    Holdover,

    /// <summary>Not synchronised: no bound.</summary>
    Unsync,
}

/// <summary>One reading of a node's clocks. A turn sees one moment from its start to its end.</summary>
/// <param name="Now">Monotonic time; the only one that timers use.</param>
/// <param name="WallNanoseconds">Wall clock, nanoseconds since 1970 UTC; may step.</param>
/// <param name="Quality">What is known of the wall clock.</param>
/// <param name="ErrorMicroseconds">Bound of the wall clock's error in microseconds; null when there is none.</param>
public readonly record struct Moment(Instant Now, long WallNanoseconds, ClockQuality Quality, uint? ErrorMicroseconds);

/// <summary>The clocks of a node: the operating system's, or simulated ones.</summary>
public interface IClock
{
    /// <summary>Reads all clocks at once.</summary>
    Moment Read();

    /// <summary>Gets the identity of this boot of the machine; wall and monotonic readings of two boots are not compared.</summary>
    Guid BootId { get; }
}

/// <summary>The authenticated links of one node to its neighbours. What arrives on them comes back as inputs of the host.</summary>
public interface ILinks
{
    /// <summary>
    /// Queues one whole frame. The bytes must not change afterwards: several links may share them. Returns false, and
    /// counts, when the link is down or its queue is full; the protocols repeat what matters.
    /// </summary>
    bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame);

    /// <summary>Returns whether the link to that neighbour is established.</summary>
    bool IsUp(NodeIndex to);

    /// <summary>Closes the link because the neighbour sent what no correct neighbour sends; it may connect again.</summary>
    void Close(NodeIndex to, string reason);
}
