using System.Net;
using System.Net.Sockets;

namespace Massif.Mis.Edge.Collectors;

/// <summary>Accepts TCP connections and hands their bytes to the sink, each connection as fast as the sink takes them.</summary>
/// <remarks>
/// It knows no frames. Whoever does (and sees a partial one grow old) closes a connection with <see cref="Close"/>.
/// </remarks>
public sealed class TcpListenerCollector : IDisposable
{
    /// <summary>Bits of a connection's id below the listener's: connections of one listener in one process.</summary>
    private const int ConnectionBits = 40;
    private const int Backlog = 512;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);

    private readonly TcpListenerOptions _options;
    private readonly ICollectorSink _sink;
    private readonly TimeProvider _time;
    private readonly Socket _listener;
    private readonly TaskCompletionSource _sinkFailed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _gate = new();
    private readonly Dictionary<long, (TcpConnection Connection, Task Served)> _open = [];

    // Those that have sent nothing yet, oldest first; some may have sent since they were put here.
    private readonly Queue<TcpConnection> _silent = new();
    private int _leaving;
    private bool _stopping;

    private long _accepted;
    private long _refusedSender;
    private long _refusedLimit;
    private long _acceptFailures;
    private long _bytes;
    private readonly long[] _closed = new long[Enum.GetValues<CloseReason>().Length];

    private TcpListenerCollector(TcpListenerOptions options, ICollectorSink sink, TimeProvider time, Socket listener)
    {
        (_options, _sink, _time, _listener) = (options, sink, time, listener);
        LocalEndPoint = (IPEndPoint)listener.LocalEndPoint!;
    }

    /// <summary>Gets where it listens, with the port that was taken.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Gets what it has seen so far.</summary>
    public TcpListenerCounters Counters
    {
        get
        {
            int open;
            lock (_gate) open = _open.Count - _leaving;
            return new(
                open, Interlocked.Read(ref _accepted), Interlocked.Read(ref _refusedSender), Interlocked.Read(ref _refusedLimit),
                Interlocked.Read(ref _acceptFailures), Interlocked.Read(ref _bytes), Closed(CloseReason.Broken),
                Closed(CloseReason.Silent), Closed(CloseReason.Idle), Closed(CloseReason.MadeRoom), Closed(CloseReason.ByOwner));
        }
    }

    /// <summary>Returns the listener that a connection belongs to.</summary>
    public static int ListenerOf(long connectionId) => (int)(connectionId >> ConnectionBits);

    /// <summary>Opens the listening socket. Connections are accepted by <see cref="RunAsync"/>.</summary>
    /// <exception cref="ListenerException">The address or the port cannot be had.</exception>
    public static TcpListenerCollector Bind(TcpListenerOptions options, ICollectorSink sink, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfNegative(options.ListenerId);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(options.ListenerId, 1 << (62 - ConnectionBits));
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (options.EndPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(options.EndPoint);
            socket.Listen(Backlog);
            return new(options, sink, time, socket);
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw ListenerException.Of("TCP", options.EndPoint, cause);
        }
    }

    /// <summary>
    /// Serves until cancelled, then closes all connections and returns after the sink was told so. Once only: a supervisor
    /// binds anew.
    /// </summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        await using var sweep = _time.CreateTimer(_ => CloseQuiet(), null, SweepInterval, SweepInterval);
        var accepting = AcceptAsync(stop.Token);
        await Task.WhenAny(accepting, _sinkFailed.Task);
        await stop.CancelAsync();
        _listener.Dispose();
        await Task.WhenAll(CloseAll()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await accepting;
        if (_sinkFailed.Task.IsFaulted) await _sinkFailed.Task;
    }

    /// <summary>Closes one connection (reason <see cref="CloseReason.ByOwner"/>); nothing when it is closed already.</summary>
    public void Close(long connectionId)
    {
        TcpConnection? connection;
        lock (_gate) connection = _open.TryGetValue(connectionId, out var entry) ? entry.Connection : null;
        connection?.Close(CloseReason.ByOwner);
    }

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptAsync(stop);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The sender was faster gone than we looked, or no descriptor is left: the listener itself is whole.
                Interlocked.Increment(ref _acceptFailures);
                await Task.Delay(PauseAfterFailedAccept, _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            Admit(socket);
        }
    }

    private void Admit(Socket socket)
    {
        if (!TryPrepare(socket, out var peer))
        {
            socket.Dispose();
            return;
        }

        if (!_options.AllowedSenders.Contains(peer.Address))
        {
            Interlocked.Increment(ref _refusedSender);
            socket.Dispose();
            return;
        }

        lock (_gate)
        {
            if (_stopping || !HasRoom())
            {
                if (!_stopping) Interlocked.Increment(ref _refusedLimit);
                socket.Dispose();
                return;
            }

            var id = ((long)_options.ListenerId << ConnectionBits) | Interlocked.Increment(ref _accepted);
            var connection = new TcpConnection(socket, id, peer, _time);
            _silent.Enqueue(connection);
            _open.Add(id, (connection, Task.Run(() => ServeAsync(connection))));
        }
    }

    private bool TryPrepare(Socket socket, out IPEndPoint peer)
    {
        try
        {
            // A sender that lost its power is found after two minutes; without probes its connection stays for ever.
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
            var remote = (IPEndPoint)socket.RemoteEndPoint!;
            peer = new(AllowedSenders.Unmapped(remote.Address), remote.Port);
            return true;
        }
        catch (SocketException)
        {
            Interlocked.Increment(ref _acceptFailures); // Reset before we came to it.
            peer = new(IPAddress.None, 0);
            return false;
        }
    }

    /// <summary>Returns whether one more fits; closes the oldest that has sent nothing when that makes it fit.</summary>
    private bool HasRoom()
    {
        while (_silent.TryPeek(out var oldest) && (oldest.HasSent || !_open.ContainsKey(oldest.Id))) _silent.Dequeue();
        if (_open.Count - _leaving < _options.ConnectionsMax) return true;
        if (!_silent.TryDequeue(out var victim)) return false;
        victim.IsLeaving = true;
        _leaving++;
        victim.Close(CloseReason.MadeRoom);
        return true;
    }

    private async Task ServeAsync(TcpConnection connection)
    {
        try
        {
            await _sink.Opened(_options.ListenerId, connection.Id, connection.Peer);
            var reason = await connection.ReadToEndAsync(_sink, count => Interlocked.Add(ref _bytes, count));
            connection.Close(reason);
            Interlocked.Increment(ref _closed[(int)reason]);
            await _sink.Closed(connection.Id, reason);
        }
        catch (Exception failure)
        {
            connection.Close(CloseReason.Stopping);
            _sinkFailed.TrySetException(failure);
        }

        lock (_gate)
        {
            _open.Remove(connection.Id);
            if (connection.IsLeaving) _leaving--;
        }
    }

    private void CloseQuiet()
    {
        (TcpConnection Connection, Task Served)[] all;
        lock (_gate) all = [.. _open.Values];
        foreach (var (connection, _) in all)
        {
            var (limit, reason) = connection.HasSent
                ? (_options.IdleTimeout, CloseReason.Idle)
                : (_options.FirstByteTimeout, CloseReason.Silent);
            if (limit != Timeout.InfiniteTimeSpan && connection.QuietFor >= limit) connection.Close(reason);
        }
    }

    private Task[] CloseAll()
    {
        (TcpConnection Connection, Task Served)[] all;
        lock (_gate)
        {
            _stopping = true;
            all = [.. _open.Values];
        }

        foreach (var (connection, _) in all) connection.Close(CloseReason.Stopping);
        return [.. all.Select(entry => entry.Served)];
    }

    private long Closed(CloseReason reason) => Interlocked.Read(ref _closed[(int)reason]);
}
