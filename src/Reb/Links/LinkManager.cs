using System.Net;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Links;

/// <summary>
/// The links of one node to its neighbours: TCP with TLS 1.3, both sides authenticated against the domain description,
/// one connection per pair of nodes, made again whenever it ends. It carries frames and decides nothing.
/// </summary>
/// <remarks>
/// Who dials whom is <see cref="Domain.Dials"/>. What arrives goes to the <see cref="ILinkObserver"/>.
/// <see cref="TrySend"/>, <see cref="IsUp"/> and <see cref="Close"/> may be called by any thread and never wait.
/// Bounds: per peer <see cref="LinkOptions.QueueBytesMax"/> waiting to go out and one frame being received, plus
/// 0.7 MiB of buffers; <see cref="LinkOptions.UnauthenticatedMax"/> connections that are nobody yet.
/// </remarks>
public sealed class LinkManager : ILinks, IAsyncDisposable
{
    private readonly Domain _domain;
    private readonly NodeIndex _self;
    private readonly LinkOptions _options;
    private readonly LinkHandshake _handshake;
    private readonly RefusalLog _refusals;
    private readonly LinkSlot[] _slots;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private LinkListener? _listener;

    /// <summary>Prepares the links; nothing is opened before <see cref="Start"/>.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="self">This node.</param>
    /// <param name="identity">What this node proves itself with; the caller keeps it alive as long as the links.</param>
    /// <param name="options">Limits and times.</param>
    /// <param name="observer">Where frames and events go.</param>
    public LinkManager(Domain domain, NodeIndex self, NodeIdentity identity, LinkOptions options, ILinkObserver observer)
    {
        (_domain, _self, _options) = (domain, self, options);
        _handshake = new(domain, self, identity, options.StartNonce);
        _refusals = new(observer);
        _slots = [.. domain.Nodes.Select(node => new LinkSlot(node.Index, observer))];
    }

    /// <summary>Gets where links are accepted; null before <see cref="Start"/> and for a node that only dials.</summary>
    public IPEndPoint? ListenAddress => _listener?.Address;

    /// <summary>Gets how often each reason occurred.</summary>
    public IReadOnlyDictionary<LinkRefusal, long> Refusals => _refusals.Counts;

    /// <summary>Gets how many accepted connections are not authenticated yet.</summary>
    public int Unauthenticated => _listener?.Unauthenticated ?? 0;

    /// <summary>Opens the listener and starts to dial.</summary>
    /// <exception cref="IOException">The port is in use, or the address is not this machine's.</exception>
    public void Start()
    {
        if (_options.Listen is { } address)
        {
            _listener = new(address, _handshake, _options, _refusals, ServeAsync);
            _running.Add(_listener.RunAsync(_stop.Token));
        }

        foreach (var peer in _domain.Nodes.Where(node => node.Index != _self && _domain.Dials(_self, node.Index)))
        {
            var dialer = new LinkDialer(peer, _handshake, _options, _refusals, _slots[peer.Index.Value], ServeAsync);
            _running.Add(Task.Run(() => dialer.RunAsync(_stop.Token)));
        }

        _running.Add(Task.Run(WatchAsync));
    }

    /// <inheritdoc />
    /// <remarks>The frame has its header (<see cref="Frames"/>), and its type is not one of the links' own.</remarks>
    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        // A frame that the peer must refuse would cost us the link: better to see the mistake here.
        Invariant.Holds(frame.Length >= Frames.HeaderLength && Frames.TryReadHeader(frame.Span, out var header) is null
            && header.TotalLength == frame.Length && header.Type >= Frames.FirstOpaque);
        var slot = _slots[to.Value];
        if (slot.Current?.TrySend(frame) == true) return true;
        Interlocked.Increment(ref slot.Counters.Dropped);
        return false;
    }

    /// <inheritdoc />
    public bool IsUp(NodeIndex to) => _slots[to.Value].Current is { IsClosed: false };

    /// <inheritdoc />
    public void Close(NodeIndex to, string reason) => _slots[to.Value].Current?.Abort(reason);

    /// <summary>Returns the counters of a peer.</summary>
    public LinkStatus StatusOf(NodeIndex peer) => _slots[peer.Value].Status;

    /// <summary>Closes everything; "down" of every link has been told when it ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_stop.IsCancellationRequested) return;
        await _stop.CancelAsync();
        foreach (var slot in _slots) slot.Current?.Abort("this node stops");
        await Task.WhenAll(_running);
        _listener?.Dispose();
        foreach (var slot in _slots) slot.Dispose();
        _stop.Dispose();
    }

    private async Task ServeAsync(AuthenticatedConnection connection)
    {
        var slot = _slots[connection.Peer.Index.Value];
        var link = new Link(connection, _options, slot.Counters);
        using var stopping = _stop.Token.Register(() => link.Abort("this node stops"));
        if (await slot.RunAsync(link) is { } offence) _refusals.Add(offence, connection.Remote, connection.Peer.Index, "");
    }

    /// <summary>Looks after all links a few times per Ping; ends when the node stops.</summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(_options.PingInterval / 4);
        var before = Environment.TickCount64;
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                var now = Environment.TickCount64;
                var weSlept = now - before > _options.SilenceMax.TotalMilliseconds / 2;
                before = now;
                foreach (var slot in _slots)
                {
                    if (weSlept) slot.Current?.Forgive(now);
                    slot.Current?.Tick(now);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
