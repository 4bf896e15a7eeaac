using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>Counters of one peer over all its links. Written by the one link that runs, read by anyone.</summary>
internal sealed class LinkCounters
{
    public long FramesIn;
    public long BytesIn;
    public long FramesOut;
    public long BytesOut;
    public long Dropped;
    public long Connects;
}

/// <summary>The place of one peer: at most one link at a time, and the newest authenticated one wins.</summary>
internal sealed class LinkSlot(NodeIndex peer, ILinkObserver observer) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private Link? _newest;
    private volatile Link? _current;
    private volatile string? _lastTrouble;

    public LinkCounters Counters { get; } = new();

    public Link? Current => _current;

    public LinkStatus Status
    {
        get
        {
            var link = _current; // Once: it may go at any moment.
            return new(
                peer,
                link is not null,
                link?.Remote ?? "",
                Volatile.Read(ref Counters.FramesIn),
                Volatile.Read(ref Counters.BytesIn),
                Volatile.Read(ref Counters.FramesOut),
                Volatile.Read(ref Counters.BytesOut),
                link?.QueuedBytes ?? 0,
                Volatile.Read(ref Counters.Dropped),
                Volatile.Read(ref Counters.Connects),
                _lastTrouble);
        }
    }

    /// <summary>Notes why there is no link.</summary>
    public void Trouble(string reason) => _lastTrouble = reason;

    /// <summary>Puts a new link in the place of an old one and runs it until it ends.</summary>
    /// <returns>What was wrong with a frame; null when the link ended for another reason.</returns>
    public async Task<LinkRefusal?> RunAsync(Link link)
    {
        // A peer that comes a second time lost the first connection, perhaps before we noticed.
        Interlocked.Exchange(ref _newest, link)?.Abort("replaced by a newer connection");
        if (!await TryTakeTurnAsync(link)) return null;
        try
        {
            _current = link; // Before "up" is told: the host may answer at once.
            Counters.Connects++;
            await TellAsync(() => observer.OnUpAsync(peer, link.PeerStartNonce), link);
            var reason = await link.RunAsync(observer);
            _current = null;
            _lastTrouble = reason;
            await TellAsync(() => observer.OnDownAsync(peer, reason), link);
            return link.Offence;
        }
        finally
        {
            await link.DisposeAsync();
            Interlocked.CompareExchange(ref _newest, null, link);
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    // Waits until "down" of the old link was told. One that is replaced while it waits goes at once: a peer that
    // connects again and again never holds more than the link that runs and the newest.
    private async Task<bool> TryTakeTurnAsync(Link link)
    {
        try
        {
            await _turn.WaitAsync(link.Closed);
            return true;
        }
        catch (OperationCanceledException)
        {
            await link.DisposeAsync();
            return false;
        }
    }

    // An observer that fails ends its link and neither the dialler nor the listener.
    private async Task TellAsync(Func<ValueTask> tell, Link link)
    {
        try
        {
            await tell();
        }
        catch (Exception e)
        {
            _lastTrouble = $"the receiver failed: {e.Message}";
            link.Abort(_lastTrouble);
        }
    }
}
