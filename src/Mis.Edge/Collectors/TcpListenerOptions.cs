using System.Net;

namespace Massif.Mis.Edge.Collectors;

/// <summary>What an operator may choose about one TCP listener.</summary>
public sealed record TcpListenerOptions
{
    /// <summary>Gets the number by which the sink knows the listener, from 0 to 4,194,303.</summary>
    public required int ListenerId { get; init; }

    /// <summary>Gets where it listens; port 0 takes a free one. The address :: takes IPv4 too.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Gets from whom it accepts connections. Default: everyone.</summary>
    public AllowedSenders AllowedSenders { get; init; } = AllowedSenders.Everyone;

    /// <summary>
    /// Gets the largest number of open connections. Default 4,096: a waiting one costs some KiB and no thread. When it is
    /// reached, the one that is longest open without having sent a byte makes room; when all have sent, the new one is refused.
    /// </summary>
    public int ConnectionsMax { get; init; } = 4096;

    /// <summary>Gets how long a new connection may send nothing. Default 60 s: senders connect when they have something.</summary>
    public TimeSpan FirstByteTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Gets how long a connection that has sent may send nothing more. Default: for ever. Plain syslog has no
    /// acknowledgement, so what a quiet sender writes into a connection just closed is lost; TCP's keep-alive finds those
    /// whose sender is gone.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;
}

/// <summary>What a TCP listener has seen, each with its reason.</summary>
/// <param name="Open">Connections open now.</param>
/// <param name="Accepted">Connections handed to the sink.</param>
/// <param name="RefusedSender">Connections from addresses that are not allowed.</param>
/// <param name="RefusedLimit">Connections over <see cref="TcpListenerOptions.ConnectionsMax"/>.</param>
/// <param name="AcceptFailures">Attempts to accept that failed: no file descriptor left, for example.</param>
/// <param name="Bytes">Bytes handed to the sink.</param>
/// <param name="ClosedBroken">Connections ended by a reset or by keep-alive.</param>
/// <param name="ClosedSilent">Connections closed because they never sent anything.</param>
/// <param name="ClosedIdle">Connections closed because they sent nothing more.</param>
/// <param name="ClosedToMakeRoom">Connections that had sent nothing and made room for others.</param>
/// <param name="ClosedByOwner">Connections that the owner closed: their partial frame held memory for too long.</param>
public readonly record struct TcpListenerCounters(
    int Open,
    long Accepted,
    long RefusedSender,
    long RefusedLimit,
    long AcceptFailures,
    long Bytes,
    long ClosedBroken,
    long ClosedSilent,
    long ClosedIdle,
    long ClosedToMakeRoom,
    long ClosedByOwner);
