using System.Net;
using System.Net.Sockets;
using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>Accepts connections, authenticates them within a time and a number, and hands on those that passed.</summary>
internal sealed class LinkListener : IDisposable
{
    private const int Backlog = 512;
    private static readonly TimeSpan PauseWithoutHandles = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket;
    private readonly LinkHandshake _handshake;
    private readonly LinkOptions _options;
    private readonly RefusalLog _refusals;
    private readonly Func<AuthenticatedConnection, Task> _serve;
    private readonly Admission _admission;
    private readonly TaskSet _connections = new();

    /// <summary>Opens the port.</summary>
    /// <exception cref="IOException">The port is in use, or the address is not this machine's.</exception>
    public LinkListener(
        IPEndPoint address,
        LinkHandshake handshake,
        LinkOptions options,
        RefusalLog refusals,
        Func<AuthenticatedConnection, Task> serve)
    {
        (_handshake, _options, _refusals, _serve) = (handshake, options, refusals, serve);
        _admission = new(options.UnauthenticatedMax, options.UnauthenticatedPerAddressMax);
        _socket = new(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.AddressFamily == AddressFamily.InterNetworkV6) _socket.DualMode = address.Address.Equals(IPAddress.IPv6Any);
            _socket.Bind(address);
            _socket.Listen(Backlog);
        }
        catch (SocketException e)
        {
            _socket.Dispose();
            throw new IOException($"bus.listen {address}: {Explain(e)}", e);
        }
    }

    /// <summary>Gets where it listens.</summary>
    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Gets how many connections are not authenticated yet.</summary>
    public int Unauthenticated => _admission.Count;

    /// <summary>Accepts until cancelled, then waits for the connections to end.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        try
        {
            while (!cancel.IsCancellationRequested)
            {
                try
                {
                    var socket = await _socket.AcceptAsync(cancel);
                    _connections.Add(ServeAsync(socket, cancel));
                }
                catch (SocketException)
                {
                    // No file handles left, or a connection that ended before it was accepted: the next may be well.
                    await Task.Delay(PauseWithoutHandles, cancel);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }

        await _connections.WhenEmptyAsync();
    }

    /// <inheritdoc />
    public void Dispose() => _socket.Dispose();

    private static string Explain(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse => "the port is in use by another program",
        SocketError.AddressNotAvailable => "the address is not one of this machine",
        SocketError.AccessDenied => "this user may not listen on the port",
        _ => e.Message,
    };

    private async Task ServeAsync(Socket socket, CancellationToken cancel)
    {
        await Task.Yield(); // The accept loop must not run a handshake.
        var connection = await AuthenticateAsync(socket, cancel);
        if (connection is not null) await _serve(connection);
    }

    private async Task<AuthenticatedConnection?> AuthenticateAsync(Socket socket, CancellationToken cancel)
    {
        IPEndPoint remote;
        try
        {
            remote = (IPEndPoint)socket.RemoteEndPoint!;
            socket.NoDelay = true;
        }
        catch (SocketException)
        {
            socket.Dispose(); // Gone before anybody looked at it.
            return null;
        }

        var visit = _admission.Enter(remote.Address);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel, visit.Evicted);
        limit.CancelAfter(_options.HandshakeTimeout);
        try
        {
            await socket.ReceiveAsync(Memory<byte>.Empty, limit.Token); // Ends when the first byte is there.
            visit.HasSpoken = true;
            var connection = await _handshake.AcceptAsync(socket, remote.ToString(), limit.Token);
            if (visit.Leave()) return connection;
            await connection.Tls.DisposeAsync(); // Evicted at the very end.
            Refuse(LinkRefusal.Evicted, remote, connection.Peer.Index);
            return null;
        }
        catch (LinkRefusedException e)
        {
            Refuse(e.Reason, remote, e.Peer?.Index, e.Detail);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            if (cancel.IsCancellationRequested) socket.Dispose(); // This node stops: that is no fault of the peer's.
            else if (visit.IsEvicted) Refuse(LinkRefusal.Evicted, remote);
            else if (limit.IsCancellationRequested) Refuse(LinkRefusal.HandshakeTimeout, remote);
            else Refuse(LinkRefusal.HandshakeFailed, remote, null, e.Message);
        }
        finally
        {
            visit.Leave();
        }

        socket.Dispose();
        return null;
    }

    private void Refuse(LinkRefusal reason, IPEndPoint remote, NodeIndex? peer = null, string detail = "") =>
        _refusals.Add(reason, remote.ToString(), peer, detail);
}
