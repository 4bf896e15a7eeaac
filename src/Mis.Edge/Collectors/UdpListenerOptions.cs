using System.Net;

namespace Massif.Mis.Edge.Collectors;

/// <summary>What an operator may choose about one UDP listener.</summary>
public sealed record UdpListenerOptions
{
    /// <summary>Gets the number by which the sink knows the listener.</summary>
    public required int ListenerId { get; init; }

    /// <summary>Gets where it listens; port 0 takes a free one. The address :: takes IPv4 too.</summary>
    public required IPEndPoint EndPoint { get; init; }

    /// <summary>Gets from whom it takes datagrams. Default: everyone.</summary>
    public AllowedSenders AllowedSenders { get; init; } = AllowedSenders.Everyone;

    /// <summary>
    /// Gets the wanted size of the kernel's receive buffer in bytes. Default 16 MiB: 50 ms at 340,000 small datagrams a
    /// second, as the kernel charges about 1 KiB for each. Without CAP_NET_ADMIN it gives no more than net.core.rmem_max;
    /// <see cref="UdpListenerCounters.ReceiveBufferBytes"/> tells what it gave.
    /// </summary>
    public int ReceiveBufferBytes { get; init; } = 16 * 1024 * 1024;
}

/// <summary>What a UDP listener has seen, each with its reason.</summary>
/// <param name="Datagrams">Datagrams that the sink took.</param>
/// <param name="Bytes">Bytes of these.</param>
/// <param name="RefusedSender">Datagrams from addresses that are not allowed.</param>
/// <param name="DroppedSinkFull">Datagrams that the sink did not take.</param>
/// <param name="DroppedKernel">Datagrams for which the kernel's buffer had no room; null when the system does not tell.</param>
/// <param name="ReceiveBufferBytes">Size of the kernel's buffer, as the kernel accounts for it.</param>
public readonly record struct UdpListenerCounters(
    long Datagrams, long Bytes, long RefusedSender, long DroppedSinkFull, long? DroppedKernel, int ReceiveBufferBytes);
