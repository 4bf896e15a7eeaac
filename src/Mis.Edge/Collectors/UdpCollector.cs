using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Massif.Mis.Edge.Collectors;

/// <summary>Receives datagrams on a thread of its own and hands them to the sink in batches.</summary>
/// <remarks>
/// A blocking loop, because it receives twice as many as the asynchronous form. UDP has no back-pressure: what the sink does
/// not take, and what the kernel had no room for, is counted.
/// </remarks>
public sealed class UdpCollector : IDisposable
{
    /// <summary>Most memory of one listener in bytes: a datagram being read, two slabs, and the senders that are known.</summary>
    public const int MemoryBytes = DatagramBytesMax + (2 * SlabBytes) + (KnownSendersMax * 512) + (BatchMax * 32);

    /// <summary>Datagrams handed on at once: as many as one burst of the host takes.</summary>
    private const int BatchMax = 64;
    private const int DatagramBytesMax = 65_535;
    private const int SlabBytes = 32 * 1024;

    /// <summary>Senders remembered with their verdict, so that a datagram of a known one allocates no address.</summary>
    private const int KnownSendersMax = 1024;

    // Linux, include/uapi/asm-generic/socket.h and sock_diag.h; .NET has no names for these.
    private const int SolSocket = 1;
    private const int SoReceiveBufferForce = 33;
    private const int SoMemoryInfo = 55;
    private const int MemoryInfoDrops = 8;

    private readonly UdpListenerOptions _options;
    private readonly ICollectorSink _sink;
    private readonly Socket _socket;
    private readonly Dictionary<SocketAddress, (IPEndPoint Peer, bool Allowed)> _senders = [];
    private readonly byte[] _scratch = new byte[DatagramBytesMax];
    private readonly Datagram[] _batch = new Datagram[BatchMax];
    private byte[] _slab = [];
    private int _slabUsed;
    private volatile bool _stopping;

    private long _datagrams;
    private long _bytes;
    private long _refusedSender;
    private long _droppedSinkFull;
    private long _droppedKernel;

    private UdpCollector(UdpListenerOptions options, ICollectorSink sink, Socket socket)
    {
        (_options, _sink, _socket) = (options, sink, socket);
        LocalEndPoint = (IPEndPoint)socket.LocalEndPoint!;
        ReceiveBufferBytes = socket.ReceiveBufferSize;
    }

    /// <summary>Gets where it listens, with the port that was taken.</summary>
    public IPEndPoint LocalEndPoint { get; }

    /// <summary>Gets what it has seen so far.</summary>
    public UdpListenerCounters Counters => new(
        Interlocked.Read(ref _datagrams), Interlocked.Read(ref _bytes), Interlocked.Read(ref _refusedSender),
        Interlocked.Read(ref _droppedSinkFull), KernelDrops(), ReceiveBufferBytes);

    private int ReceiveBufferBytes { get; }

    /// <summary>Opens the socket; the kernel buffers from now on, <see cref="RunAsync"/> takes out.</summary>
    /// <exception cref="ListenerException">The address or the port cannot be had.</exception>
    public static UdpCollector Bind(UdpListenerOptions options, ICollectorSink sink)
    {
        ArgumentNullException.ThrowIfNull(options);
        var socket = new Socket(options.EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            if (options.EndPoint.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            GrowReceiveBuffer(socket, options.ReceiveBufferBytes);
            socket.Bind(options.EndPoint);
            return new(options, sink, socket);
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            throw ListenerException.Of("UDP", options.EndPoint, cause);
        }
    }

    /// <summary>Receives until cancelled, on a thread of its own. Once only: a supervisor binds anew.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() => ReceiveUntilStopped(ended)) { IsBackground = true, Name = $"udp {LocalEndPoint.Port}" };
        thread.Start();
        await using var stop = cancel.UnsafeRegister(static self => ((UdpCollector)self!).Dispose(), this);
        await ended.Task;
    }

    /// <summary>Closes the socket, which ends the receiving.</summary>
    public void Dispose()
    {
        if (!_stopping) KernelDrops(); // The last look: a closed socket tells nothing.
        _stopping = true;
        _socket.Dispose();
    }

    private static void GrowReceiveBuffer(Socket socket, int bytes)
    {
        if (OperatingSystem.IsLinux())
        {
            try
            {
                Span<byte> value = stackalloc byte[sizeof(int)];
                BinaryPrimitives.WriteInt32LittleEndian(value, bytes);
                socket.SetRawSocketOption(SolSocket, SoReceiveBufferForce, value);
                return;
            }
            catch (SocketException)
            {
                // Without the capability: as much as net.core.rmem_max allows.
            }
        }

        socket.ReceiveBufferSize = bytes;
    }

    private void ReceiveUntilStopped(TaskCompletionSource ended)
    {
        try
        {
            var sender = new SocketAddress(_options.EndPoint.AddressFamily);
            while (!_stopping) HandOn(ReceiveBatch(sender));
            ended.SetResult();
        }
        catch (Exception end) when (_stopping && end is SocketException or ObjectDisposedException)
        {
            ended.SetResult();
        }
        catch (Exception failure)
        {
            ended.SetException(failure);
        }
    }

    /// <summary>Waits for one datagram and takes with it what is there already; returns how many are in the batch.</summary>
    private int ReceiveBatch(SocketAddress sender)
    {
        var count = 0;
        do
        {
            var length = _socket.ReceiveFrom(_scratch, SocketFlags.None, sender);
            if (_stopping) break;
            var (peer, allowed) = Look(sender);
            if (allowed) _batch[count++] = new(peer, Keep(_scratch.AsSpan(0, length)));
            else Interlocked.Increment(ref _refusedSender);
        }
        while (count < BatchMax && _socket.Available > 0);

        return count;
    }

    private void HandOn(int count)
    {
        if (count == 0) return;
        var taken = _sink.Datagrams(_options.ListenerId, _batch.AsSpan(0, count));
        long bytes = 0;
        for (var i = 0; i < taken; i++) bytes += _batch[i].Bytes.Length;
        Interlocked.Add(ref _datagrams, taken);
        Interlocked.Add(ref _bytes, bytes);
        Interlocked.Add(ref _droppedSinkFull, count - taken);
        Array.Clear(_batch, 0, count); // Else the last bytes of a busy hour stay in memory through a quiet night.
    }

    private (IPEndPoint Peer, bool Allowed) Look(SocketAddress sender)
    {
        if (_senders.TryGetValue(sender, out var known)) return known;
        if (_senders.Count == KnownSendersMax) _senders.Clear(); // Forged senders cost us time, never memory.
        var claimed = (IPEndPoint)LocalEndPoint.Create(sender);
        var peer = new IPEndPoint(AllowedSenders.Unmapped(claimed.Address), claimed.Port);
        known = (peer, _options.AllowedSenders.Contains(peer.Address));
        var key = new SocketAddress(sender.Family, sender.Size);
        sender.Buffer.Span[..sender.Size].CopyTo(key.Buffer.Span);
        _senders.Add(key, known);
        return known;
    }

    /// <summary>Copies a datagram out of the receive buffer, small ones into shared slabs.</summary>
    private ReadOnlyMemory<byte> Keep(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length > SlabBytes / 4) return datagram.ToArray();
        if (_slabUsed + datagram.Length > _slab.Length)
            (_slab, _slabUsed) = (GC.AllocateUninitializedArray<byte>(SlabBytes), 0);
        var kept = _slab.AsMemory(_slabUsed, datagram.Length);
        datagram.CopyTo(kept.Span);
        _slabUsed += datagram.Length;
        return kept;
    }

    /// <summary>
    /// Returns the socket's own drop counter: the column "drops" of /proc/net/udp, without a search through all sockets.
    /// </summary>
    private long? KernelDrops()
    {
        if (!OperatingSystem.IsLinux()) return null;
        try
        {
            Span<byte> values = stackalloc byte[(MemoryInfoDrops + 1) * sizeof(uint)];
            var length = _socket.GetRawSocketOption(SolSocket, SoMemoryInfo, values);
            if (length < values.Length) return null;
            var drops = BinaryPrimitives.ReadUInt32LittleEndian(values[(MemoryInfoDrops * sizeof(uint))..]);
            Interlocked.Exchange(ref _droppedKernel, drops);
        }
        catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
        {
            // Closed: what it told last stays true.
        }

        return Interlocked.Read(ref _droppedKernel);
    }
}
