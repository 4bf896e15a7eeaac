using System.Net;

namespace Massif.Reb.Links;

/// <summary>Limits and times of a node's links. The defaults suit a network of machines; tests use shorter times.</summary>
public sealed record LinkOptions
{
    /// <summary>Gets where links are accepted; null for a node that only dials.</summary>
    public IPEndPoint? Listen { get; init; }

    /// <summary>Gets a number that is new at every start of the process, so that a peer tells a restart from a reconnect.</summary>
    public ulong StartNonce { get; init; }

    /// <summary>Gets how many bytes may wait for one peer. Default 8 MiB: half a window of full batches, 20 ms of loopback TLS.</summary>
    public int QueueBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>Gets how many frames may wait for one peer; bounds the memory of queue entries when frames are tiny.</summary>
    public int QueueFramesMax { get; init; } = 65_536;

    /// <summary>Gets the time from the first byte of TCP to the end of the handshake after which a connection is cut.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets how often each side sends a Ping.</summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the silence after which a peer counts as gone: three Pings lost.</summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Gets how long one write may take before a peer that does not read is let go.</summary>
    public TimeSpan WriteTimeMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the first pause before dialling again; it doubles, with jitter.</summary>
    public TimeSpan RedialMin { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Gets the longest pause before dialling again.</summary>
    public TimeSpan RedialMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets how many connections may be unauthenticated at once; above it the oldest silent one is cut.</summary>
    public int UnauthenticatedMax { get; init; } = 256;

    /// <summary>Gets how many connections of one address may be unauthenticated at once.</summary>
    public int UnauthenticatedPerAddressMax { get; init; } = 64;
}
