using System.Net;
using System.Net.Sockets;

namespace Massif.Mis.Edge.Collectors;

/// <summary>One connection of a listener: reads when the sink has room, and knows when it was last heard.</summary>
internal sealed class TcpConnection
{
    /// <summary>Largest chunk: as much as one system call gives at full speed, below the large object heap's 85,000 bytes.</summary>
    public const int ChunkBytes = 64 * 1024;

    private const int None = -1;

    private readonly Socket _socket;
    private readonly TimeProvider _time;
    private long _heardAt;
    private int _closeReason = None;
    private volatile bool _waitsForSink;
    private volatile bool _hasSent;

    public TcpConnection(Socket socket, long id, IPEndPoint peer, TimeProvider time)
    {
        (_socket, Id, Peer, _time) = (socket, id, peer, time);
        _heardAt = time.GetTimestamp();
    }

    public long Id { get; }

    public IPEndPoint Peer { get; }

    /// <summary>Gets whether it has ever sent a byte.</summary>
    public bool HasSent => _hasSent;

    /// <summary>Gets or sets whether its place was given to another; the listener's, under its lock.</summary>
    public bool IsLeaving { get; set; }

    /// <summary>Gets for how long it has sent nothing although it could; zero while it waits for the sink.</summary>
    public TimeSpan QuietFor => _waitsForSink ? TimeSpan.Zero : _time.GetElapsedTime(Interlocked.Read(ref _heardAt));

    /// <summary>Reads until the end and returns why it ended. Does not throw for what the network does.</summary>
    /// <param name="sink">Takes the bytes; the next are read when it has room.</param>
    /// <param name="received">Told how many bytes came.</param>
    public async Task<CloseReason> ReadToEndAsync(ICollectorSink sink, Action<int> received)
    {
        try
        {
            while (true)
            {
                // Waits without a buffer, so that a thousand silent connections hold none.
                await _socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);
                _waitsForSink = true;
                await sink.Enter(Id);
                try
                {
                    var buffer = GC.AllocateUninitializedArray<byte>(Math.Clamp(_socket.Available, 1, ChunkBytes));
                    var count = await _socket.ReceiveAsync(buffer, SocketFlags.None);
                    if (count == 0) return ReasonOr(CloseReason.ByPeer);
                    _hasSent = true;
                    received(count);
                    await sink.Chunk(Id, buffer.AsMemory(0, count));
                }
                finally
                {
                    sink.Leave(Id);
                }

                Interlocked.Exchange(ref _heardAt, _time.GetTimestamp());
                _waitsForSink = false;
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            return ReasonOr(CloseReason.Broken);
        }
    }

    /// <summary>Closes it from our side; the first reason counts. Safe on any thread, at any time.</summary>
    public void Close(CloseReason reason)
    {
        Interlocked.CompareExchange(ref _closeReason, (int)reason, None);
        _socket.Dispose();
    }

    private CloseReason ReasonOr(CloseReason otherwise)
    {
        var reason = Volatile.Read(ref _closeReason);
        return reason == None ? otherwise : (CloseReason)reason;
    }
}
