using System.Net;

namespace Massif.Mis.Edge.Collectors;

/// <summary>Why a connection of a listener ended.</summary>
public enum CloseReason : byte
{
    /// <summary>The sender closed it.</summary>
    ByPeer,

    /// <summary>It broke: reset by the sender, or no answer to TCP's keep-alive probes (a half-open connection).</summary>
    Broken,

    /// <summary>It sent nothing after it was opened, for <see cref="TcpListenerOptions.FirstByteTimeout"/>.</summary>
    Silent,

    /// <summary>It sent nothing for <see cref="TcpListenerOptions.IdleTimeout"/>.</summary>
    Idle,

    /// <summary>It had sent nothing yet when the listener was full and another sender came.</summary>
    MadeRoom,

    /// <summary>The owner of the listener closed it: a partial frame grew too old, for example.</summary>
    ByOwner,

    /// <summary>The listener stops.</summary>
    Stopping,
}

/// <summary>One received datagram.</summary>
/// <param name="Peer">Its sender, as the packet claims; an IPv4 address is never in its IPv6-mapped form.</param>
/// <param name="Bytes">Its bytes; the receiver's own.</param>
public readonly record struct Datagram(IPEndPoint Peer, ReadOnlyMemory<byte> Bytes);

/// <summary>Takes what collectors receive. Collectors decide nothing: framing and parsing are behind this.</summary>
/// <remarks>
/// Calls for one connection come one after another, the next after the task of the last has completed; calls for different
/// connections and listeners come at the same time. An exception ends the collector, and its supervisor decides.
/// </remarks>
public interface ICollectorSink
{
    /// <summary>A sender has connected; nothing else is told of the connection before.</summary>
    /// <param name="listenerId">The listener, as its options number it.</param>
    /// <param name="connectionId">Never used again by this process for another connection.</param>
    /// <param name="peer">The sender; an IPv4 address is never in its IPv6-mapped form.</param>
    ValueTask Opened(int listenerId, long connectionId, IPEndPoint peer);

    /// <summary>
    /// Waits until bytes of a connection may be read, before there is a buffer for them: while the receiver does not keep up,
    /// senders wait and readers hold nothing. <see cref="Leave"/> is called once after it, whatever comes between.
    /// </summary>
    /// <param name="connectionId">The connection.</param>
    ValueTask Enter(long connectionId);

    /// <summary>What was read after <see cref="Enter"/> was handed on, or nothing could be read.</summary>
    void Leave(long connectionId);

    /// <summary>
    /// Bytes of a connection, in order. While the task is not complete nothing more is read from it: the sender waits.
    /// </summary>
    /// <param name="connectionId">The connection.</param>
    /// <param name="bytes">1 byte to 64 KiB; the receiver's own, never changed afterwards.</param>
    ValueTask Chunk(long connectionId, ReadOnlyMemory<byte> bytes);

    /// <summary>The connection has ended; nothing is told of it afterwards.</summary>
    ValueTask Closed(long connectionId, CloseReason reason);

    /// <summary>
    /// Datagrams in the order of arrival. Returns how many of the first were taken: nobody waits for the rest, which the
    /// collector counts as dropped. Called on the listener's own thread; the memory of the span is valid during the call.
    /// </summary>
    int Datagrams(int listenerId, ReadOnlySpan<Datagram> datagrams);
}
