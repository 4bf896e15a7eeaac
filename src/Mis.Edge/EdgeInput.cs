using System.Net;
using Massif.Reb.Hosting;

namespace Massif.Mis.Edge;

/// <summary>What happened, from an edge's point of view.</summary>
public enum EdgeInputKind : byte
{
    /// <summary>Something of the bus or the disk; see <see cref="EdgeInput.Bus"/>.</summary>
    Bus,

    /// <summary>A sender opened a connection to a listener.</summary>
    Opened,

    /// <summary>Bytes arrived on a connection.</summary>
    Chunk,

    /// <summary>A connection ended.</summary>
    Closed,

    /// <summary>A datagram arrived at a listener.</summary>
    Datagram,

    /// <summary>A listener lost input before this host saw it.</summary>
    Lost,
}

/// <summary>One input of an edge host; a value, so that queueing allocates nothing.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Bus">The input of the bus.</param>
/// <param name="Listener">Number of the listener in the node's configuration.</param>
/// <param name="Connection">Number of the connection, unique in this run.</param>
/// <param name="Bytes">The bytes; they belong to the host from now on.</param>
/// <param name="Peer">Address of the sender.</param>
/// <param name="Count">How many datagrams were lost.</param>
public readonly record struct EdgeInput(
    EdgeInputKind Kind,
    HostInput Bus = default,
    int Listener = 0,
    long Connection = 0,
    ReadOnlyMemory<byte> Bytes = default,
    IPEndPoint? Peer = null,
    long Count = 0);
