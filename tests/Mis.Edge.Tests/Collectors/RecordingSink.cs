using System.Collections.Concurrent;
using System.Net;
using System.Threading.Channels;
using Massif.Mis.Edge.Collectors;

namespace Massif.Mis.Edge.Tests.Collectors;

/// <summary>Writes down what collectors hand on, and lets a test wait for it.</summary>
internal sealed class RecordingSink : ICollectorSink
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<(int Listener, long Connection, IPEndPoint Peer)> _opened =
        Channel.CreateUnbounded<(int, long, IPEndPoint)>();
    private readonly Channel<(long Connection, byte[] Bytes)> _chunks = Channel.CreateUnbounded<(long, byte[])>();
    private readonly Channel<(long Connection, CloseReason Reason)> _closed = Channel.CreateUnbounded<(long, CloseReason)>();
    private readonly Channel<(int Listener, Datagram Datagram)> _datagrams = Channel.CreateUnbounded<(int, Datagram)>();
    private int _entered;

    /// <summary>Gets or sets what a chunk waits for; null for nothing.</summary>
    public Func<long, Task>? OnChunk { get; set; }

    /// <summary>Gets or sets what reading waits for; null for nothing.</summary>
    public Func<long, Task>? OnEnter { get; set; }

    /// <summary>Gets how many connections are reading: they have entered and not left.</summary>
    public int Entered => Volatile.Read(ref _entered);

    /// <summary>Gets or sets how many of a batch are taken; null for all.</summary>
    public Func<int, int>? OnDatagrams { get; set; }

    public ConcurrentQueue<int> BatchSizes { get; } = new();

    public ValueTask Opened(int listenerId, long connectionId, IPEndPoint peer)
    {
        _opened.Writer.TryWrite((listenerId, connectionId, peer));
        return ValueTask.CompletedTask;
    }

    public async ValueTask Enter(long connectionId)
    {
        if (OnEnter is { } wait) await wait(connectionId);
        Interlocked.Increment(ref _entered);
    }

    public void Leave(long connectionId) => Interlocked.Decrement(ref _entered);

    public async ValueTask Chunk(long connectionId, ReadOnlyMemory<byte> bytes)
    {
        _chunks.Writer.TryWrite((connectionId, bytes.ToArray()));
        if (OnChunk is { } wait) await wait(connectionId);
    }

    public ValueTask Closed(long connectionId, CloseReason reason)
    {
        _closed.Writer.TryWrite((connectionId, reason));
        return ValueTask.CompletedTask;
    }

    public int Datagrams(int listenerId, ReadOnlySpan<Datagram> datagrams)
    {
        BatchSizes.Enqueue(datagrams.Length);
        var taken = OnDatagrams?.Invoke(datagrams.Length) ?? datagrams.Length;
        foreach (var datagram in datagrams[..taken]) _datagrams.Writer.TryWrite((listenerId, datagram));
        return taken;
    }

    public Task<(int Listener, long Connection, IPEndPoint Peer)> NextOpened() => Next(_opened);

    public Task<(long Connection, byte[] Bytes)> NextChunk() => Next(_chunks);

    public Task<(long Connection, CloseReason Reason)> NextClosed() => Next(_closed);

    public Task<(int Listener, Datagram Datagram)> NextDatagram() => Next(_datagrams);

    public bool HasChunk => _chunks.Reader.TryPeek(out _);

    /// <summary>Collects the chunks of one connection until that many bytes have come.</summary>
    public async Task<byte[]> Bytes(long connection, int count)
    {
        var bytes = new List<byte>();
        while (bytes.Count < count)
        {
            var (from, chunk) = await NextChunk();
            Assert.Equal(connection, from);
            Assert.InRange(chunk.Length, 1, 64 * 1024);
            bytes.AddRange(chunk);
        }

        return [.. bytes];
    }

    private static Task<T> Next<T>(Channel<T> channel) => channel.Reader.ReadAsync().AsTask().WaitAsync(Patience);
}
