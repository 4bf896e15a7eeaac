using System.Net;
using Massif.Actors;
using Massif.Reb.Hosting;

namespace Massif.Mis.Edge.Collectors;

/// <summary>The way from the collectors into the host: bounded, and closed while the spool is full.</summary>
/// <remarks>
/// Connections share a few inboxes by their number, so that a sender that floods fills one of them and delays few others. A
/// reader of a stream waits here before it reads, and with it its sender: as many chunks as an inbox holds are on their way to it,
/// whatever the number of connections. A datagram that does not fit is lost, and its collector counts it.
/// </remarks>
internal sealed class InputGate : ICollectorSink
{
    private const int StreamInboxes = 16;

    /// <summary>How many inboxes there are.</summary>
    public const int Inboxes = StreamInboxes + 1;

    /// <summary>Most bytes of streams between sockets and host: 8 chunks wait in each inbox, and 8 for room in it; 16 MiB.</summary>
    public const long StreamBytesMax = 2L * StreamInboxes * ChunksPerInbox * TcpConnection.ChunkBytes;

    /// <summary>Most bytes of datagrams that wait for the host: 16 MiB, some ten thousand usual ones.</summary>
    public const long DatagramBytesMax = 16 * 1024 * 1024;

    private const int ChunksPerInbox = 8;
    private const int DatagramsMax = 16 * 1024;

    private readonly Inbox<EdgeInput>[] _streams;
    private readonly SemaphoreSlim[] _readers; // Never disposed of: without a wait handle there is nothing to dispose.
    private readonly Inbox<EdgeInput> _datagrams;
    private long _datagramBytes;
    private readonly Lock _lock = new();
    private volatile TaskCompletionSource _open = Opened();
    private bool _released;

    public InputGate(ActorLoop<EdgeInput> loop)
    {
        _streams = [.. Enumerable.Range(0, StreamInboxes).Select(i => loop.AddInbox($"streams-{i}", ChunksPerInbox))];
        _readers = [.. Enumerable.Range(0, StreamInboxes).Select(_ => new SemaphoreSlim(ChunksPerInbox))];
        _datagrams = loop.AddInbox("datagrams", DatagramsMax);
    }

    /// <summary>Opens or closes the gate; called by the host's loop after each turn.</summary>
    public void Set(bool open)
    {
        if (open == _open.Task.IsCompleted) return;
        lock (_lock)
        {
            if (open) _open.TrySetResult();
            else if (!_released) _open = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>
    /// Opens the gate for good, because the node stops: what was read already goes into the spool, whatever its limit says.
    /// Without that a full spool would keep the readers, and with them the whole node, waiting for ever.
    /// </summary>
    public void Release()
    {
        lock (_lock)
        {
            _released = true;
            _open.TrySetResult();
        }
    }

    /// <inheritdoc />
    public ValueTask Opened(int listenerId, long connectionId, IPEndPoint peer) =>
        PostAsync(new(EdgeInputKind.Opened, default, listenerId, connectionId, Peer: peer));

    /// <inheritdoc />
    public async ValueTask Enter(long connectionId)
    {
        await _open.Task;
        await _readers[InboxOf(connectionId)].WaitAsync();
    }

    /// <inheritdoc />
    public void Leave(long connectionId) => _readers[InboxOf(connectionId)].Release();

    /// <inheritdoc />
    public ValueTask Chunk(long connectionId, ReadOnlyMemory<byte> bytes) =>
        PostAsync(new(EdgeInputKind.Chunk, Connection: connectionId, Bytes: bytes));

    /// <inheritdoc />
    public ValueTask Closed(long connectionId, CloseReason reason) =>
        PostAsync(new(EdgeInputKind.Closed, Connection: connectionId));

    /// <inheritdoc />
    public int Datagrams(int listenerId, ReadOnlySpan<Datagram> datagrams)
    {
        if (!_open.Task.IsCompleted) return 0;
        var taken = 0;
        foreach (ref readonly var datagram in datagrams)
        {
            if (Interlocked.Add(ref _datagramBytes, datagram.Bytes.Length) > DatagramBytesMax
                || !_datagrams.TryPost(new(EdgeInputKind.Datagram, default, listenerId, 0, datagram.Bytes, datagram.Peer)))
            {
                Took(datagram.Bytes.Length);
                break;
            }

            taken++;
        }

        return taken;
    }

    /// <summary>The host has taken a datagram: there is room for others.</summary>
    public void Took(int datagramBytes) => Interlocked.Add(ref _datagramBytes, -datagramBytes);

    /// <summary>
    /// Tells the host that a listener lost datagrams; false when that must be tried again. It is while the spool is full, which
    /// an event a second would fill beyond its limit; the number goes on rising, so nothing is left out.
    /// </summary>
    public bool TryPostLoss(int listenerId, long count) =>
        _open.Task.IsCompleted && _datagrams.TryPost(new(EdgeInputKind.Lost, default, listenerId, Count: count));

    /// <summary>Posts a question behind everything that waits, once into each inbox. Nothing is posted when the loop has ended.</summary>
    public async Task PostToAllAsync(IHostRequest request)
    {
        var input = new EdgeInput(EdgeInputKind.Bus, HostInput.OfRequest(request));
        foreach (var inbox in _streams.Append(_datagrams)) await inbox.PostAsync(input);
    }

    private static TaskCompletionSource Opened()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        open.SetResult();
        return open;
    }

    private async ValueTask PostAsync(EdgeInput input)
    {
        if (input.Kind == EdgeInputKind.Opened) await _open.Task; // A chunk has waited before it was read.
        await _streams[InboxOf(input.Connection)].PostAsync(input);
    }

    private static int InboxOf(long connection) => (int)(connection % StreamInboxes);
}
