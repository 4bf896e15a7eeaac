using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>
/// Where what happens on the links goes. For one peer the calls come one after another, in this order: up, its frames,
/// down. Different peers call at the same time.
/// </summary>
public interface ILinkObserver
{
    /// <summary>
    /// Takes one whole frame, header included, as the peer gave it to <see cref="ILinks.TrySend"/>. The bytes are the
    /// receiver's to keep. Nothing more is read from this peer until the task ends: that is the back-pressure.
    /// </summary>
    /// <param name="from">The authenticated peer.</param>
    /// <param name="frame">The frame in an array of its own.</param>
    /// <param name="closed">Fires when the link is gone; a waiting receiver may then give up.</param>
    ValueTask OnFrameAsync(NodeIndex from, ReadOnlyMemory<byte> frame, CancellationToken closed);

    /// <summary>A link is established; frames can be sent.</summary>
    /// <param name="peer">The authenticated peer.</param>
    /// <param name="startNonce">The peer's <see cref="LinkOptions.StartNonce"/>: another one than before means that it restarted.</param>
    ValueTask OnUpAsync(NodeIndex peer, ulong startNonce);

    /// <summary>A link that was up is gone; it will be dialled again, or the peer will.</summary>
    ValueTask OnDownAsync(NodeIndex peer, string reason);

    /// <summary>
    /// A connection did not become a link. For logs: repeats of one reason are told at most once a second; counters have all.
    /// </summary>
    void OnRefused(LinkRefused refused);
}

/// <summary>A connection that did not become a link.</summary>
/// <param name="Reason">Why.</param>
/// <param name="Remote">Address of the other end.</param>
/// <param name="Peer">The node dialled, or the one that the certificate proved; null when nobody knows.</param>
/// <param name="Detail">More for the log; may be empty. Text from the peer is not in it.</param>
/// <param name="Total">How often this reason occurred so far.</param>
public sealed record LinkRefused(LinkRefusal Reason, string Remote, NodeIndex? Peer, string Detail, long Total);

/// <summary>Counters of one peer at one moment.</summary>
/// <param name="Peer">The peer.</param>
/// <param name="Up">Whether the link is established.</param>
/// <param name="Remote">Address of the other end; empty while down.</param>
/// <param name="FramesIn">Frames received.</param>
/// <param name="BytesIn">Bytes of these frames.</param>
/// <param name="FramesOut">Frames sent.</param>
/// <param name="BytesOut">Bytes of these frames.</param>
/// <param name="QueuedBytes">Bytes that wait to be sent.</param>
/// <param name="Dropped">Frames that <see cref="ILinks.TrySend"/> did not take: link down or queue full.</param>
/// <param name="Connects">How often the link came up.</param>
/// <param name="LastTrouble">Why the link last went down or could not be made; null when never.</param>
public sealed record LinkStatus(
    NodeIndex Peer,
    bool Up,
    string Remote,
    long FramesIn,
    long BytesIn,
    long FramesOut,
    long BytesOut,
    long QueuedBytes,
    long Dropped,
    long Connects,
    string? LastTrouble);
