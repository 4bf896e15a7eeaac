using System.Net;
using System.Net.Sockets;

namespace Massif.Reb.Configuration;

/// <summary>
/// Loopback ports that nobody used a moment ago, free for TCP and UDP; all are held until the end, so that none comes twice.
/// </summary>
public sealed class FreePorts : IDisposable
{
    // Below the ports that systems give to outgoing connections (from 32,768 on Linux): a node that dials a neighbour
    // which is just down would now and then be given that very port, be connected with itself, and keep the neighbour out.
    private const int First = 10_000;
    private const int End = 32_000;
    private readonly List<Socket> _held = [];

    /// <summary>Returns another port.</summary>
    public int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            if (TryHold(port, SocketType.Stream, ProtocolType.Tcp) && TryHold(port, SocketType.Dgram, ProtocolType.Udp)) return port;
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var socket in _held) socket.Dispose();
    }

    private bool TryHold(int port, SocketType type, ProtocolType protocol)
    {
        var socket = new Socket(AddressFamily.InterNetwork, type, protocol);
        _held.Add(socket);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return false;
        }
    }
}
