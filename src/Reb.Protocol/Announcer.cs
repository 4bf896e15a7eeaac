namespace Massif.Reb.Protocol;

/// <summary>STATUS to others, and the announcements that theirs call for (R9).</summary>
/// <remarks>
/// Votes are sent live when they are made. What a peer missed because its window was closed, or a link lost it, it is told here:
/// what is newly inside its window at once, a window that counts as newly opened as a whole, and a low that stands still while
/// this replica has a vote at or above it again and again, at most once per RTO. Only lives that some connected peer lags in are
/// looked at by the tick.
/// </remarks>
internal sealed class Announcer(PeerTable peers, StreamTable streams, FetchServer served, BroadcastOptions options)
{
    /// <summary>A low that stands still is held up by few instances, the first of all: one frame of votes, not the whole window.</summary>
    private const int RepeatedInstances = 64;

    private readonly List<StreamWindow> _active = [];
    private readonly List<StreamWindow> _changed = [];
    private Instant? _nextTick, _nextFull;

    /// <summary>Gets or sets this replica's start counter (R13).</summary>
    public ulong StartCounter { get; set; }

    public Instant? NextDeadline { get; private set; }

    /// <summary>Everything counts as newly opened, in both directions: the replica starts.</summary>
    public void Start(Instant now, Effects effects)
    {
        foreach (var window in streams.Lives) Activate(window, now);
        SendAll(peers.Connected, source: null, effects, alsoSources: true);
        _nextFull = now.PlusMilliseconds(options.StatusPeriodMs);
        Schedule();
    }

    /// <summary>A peer connected: it gets every STATUS, and its windows count as newly opened.</summary>
    public void PeerConnected(ReplicaId peer, Instant now, Effects effects)
    {
        foreach (var window in streams.Lives) Activate(window, now);
        SendAll(ReplicaSet.Of(peer), source: null, effects);
        Schedule();
    }

    public void SourceConnected(ushort source, Effects effects) => SendAll(default, source, effects);

    /// <summary>This replica voted: peers that do not make progress with it are told again.</summary>
    public void Voted(StreamWindow window, ulong seq, Instant now)
    {
        window.RaiseTop(seq);
        if (!window.IsActive) Activate(window, now);
    }

    /// <summary>What the STATUS of a life says has changed; peers need to know of a new low only.</summary>
    public void Changed(StreamWindow window, bool tellPeers)
    {
        window.TellSource = true;
        window.TellPeers |= tellPeers;
        if (window.IsListed) return;
        window.IsListed = true;
        _changed.Add(window);
    }

    /// <summary>Takes the STATUS of a peer and announces what is newly inside its window.</summary>
    public void StatusArrived(StreamWindow window, ReplicaId from, in StreamStatus status, Instant now, Effects effects)
    {
        ref var view = ref window.Peers[from.Index];
        var session = peers.SessionOf(from);
        var opened = view.Session != session || status.Low < view.Low;
        view.Low = status.Low;
        view.High = Math.Clamp(status.High, status.Low + 1, status.Low + HaveBits.Capacity);
        if (view.Low < window.Top) Activate(window, now);
        if (opened && now < view.NextWhole)
        {
            view.Session = session - 1; // Told as a whole a moment ago: the tick does it again when the RTO is over.
            view.Deferred = session;
            view.Due = view.NextWhole;
            return;
        }

        if (opened) view.AnnouncedTo = view.Low;
        if (opened) view.NextWhole = now.PlusMilliseconds(options.RtoMs);
        view.Session = session;
        view.AnnouncedTo = Math.Max(view.Low, view.AnnouncedTo);
        if (view.AnnouncedTo < view.High) view.AnnouncedTo = Announce(window, from, view.AnnouncedTo, view.High, now, effects);
    }

    /// <summary>Sends the STATUS of the lives that changed, one life at most once per spacing.</summary>
    public void EndTurn(Instant now, Effects effects)
    {
        var kept = 0;
        for (var i = 0; i < _changed.Count; i++)
        {
            var window = _changed[i];
            if (now < window.NextStatus)
            {
                _changed[kept++] = window;
                continue;
            }

            effects.SendStatus(window.TellPeers ? peers.Connected : default, window.TellSource, StatusOf(window));
            window.TellPeers = window.TellSource = window.IsListed = false;
            window.NextStatus = now.PlusMilliseconds(options.StatusSpacingMs);
        }

        _changed.RemoveRange(kept, _changed.Count - kept);
        if (streams.Lives.Count > 0) _nextFull ??= now.PlusMilliseconds(options.StatusPeriodMs);
        Schedule();
    }

    public void OnDeadline(Instant now, Effects effects)
    {
        if (now >= _nextFull)
        {
            SendAll(peers.Connected, source: null, effects, alsoSources: true);
            _nextFull = now.PlusMilliseconds(options.StatusPeriodMs);
        }

        if (now >= _nextTick) Tick(now, effects);
        EndTurn(now, effects);
    }

    /// <summary>Tells the peers whose low stands still; lives in which nobody lags leave the list.</summary>
    private void Tick(Instant now, Effects effects)
    {
        var kept = 0;
        for (var i = 0; i < _active.Count; i++)
        {
            var window = _active[i];
            window.IsActive = false;
            foreach (var peer in peers.Connected) window.IsActive |= TellIfLagging(window, peer, now, effects);
            if (window.IsActive) _active[kept++] = window;
        }

        _active.RemoveRange(kept, _active.Count - kept);
        _nextTick = kept == 0 ? null : now.PlusMilliseconds(options.RtoMs);
    }

    private bool TellIfLagging(StreamWindow window, ReplicaId peer, Instant now, Effects effects)
    {
        ref var view = ref window.Peers[peer.Index];
        var unheard = view.Session != peers.SessionOf(peer);
        var lags = unheard || view.Low < window.Top;
        if (!unheard && (!lags || view.Low != view.LowAtTick))
        {
            (view.LowAtTick, view.Backoff) = (view.Low, 0);
            view.Due = now.PlusMilliseconds(options.RtoMs);
            return lags;
        }

        if (now < view.Due) return true;
        var end = unheard ? view.High : Math.Min(view.High, view.Low + RepeatedInstances);
        var announcedTo = Announce(window, peer, view.Low, end, now, effects);
        if (view.Deferred == peers.SessionOf(peer))
        {
            // This was the whole that its STATUS had called for. Else every later one would wait for a tick, a second each.
            (view.Session, view.AnnouncedTo, view.Deferred, view.Backoff) = (view.Deferred, announcedTo, 0, 0);
        }

        view.Due = view.NextWhole = now.PlusMilliseconds(Math.Min(options.RtoMaxMs, options.RtoMs << ++view.Backoff));
        view.Backoff = Math.Min(view.Backoff, 10);
        return true;
    }

    /// <summary>Says to one peer what this replica has to say of a range: GONE, DONE, or its ECHO and READY (R9).</summary>
    /// <remarks>
    /// Whose payload is gone and whose digest is not gets both GONE and READY: another replica may still hold the payload, and
    /// its DONE alone would decide nothing. Digests that memory has let go are read from the journal. Of what is delivered a peer is
    /// told so much a second; returns the end of what was said. The rest follows when the peer goes on, or stands still.
    /// </remarks>
    private ulong Announce(StreamWindow window, ReplicaId peer, ulong from, ulong end, Instant now, Effects effects)
    {
        var only = ReplicaSet.Of(peer);
        var to = Math.Min(end, window.Top);
        if (from < to && from < window.Floor) effects.Send(EffectKind.SendGone, only, window.Id(options.Epoch, window.Floor));
        var first = Math.Max(from, Math.Min(window.Floor, window.Memory.Floor));
        if (first < Math.Min(to, window.Low))
        {
            var wanted = (int)(Math.Min(to, window.Low) - first);
            var allowed = served.AllowDigests(peer, wanted, now);
            if (allowed < wanted) to = end = first + (ulong)allowed;
        }

        var inMemory = Math.Max(from, window.Memory.Floor);
        var inJournal = Math.Max(from, window.Floor);
        if (inJournal < Math.Min(inMemory, to))
            effects.SendDones(only, window.Id(options.Epoch, inJournal), (int)(Math.Min(inMemory, to) - inJournal));
        for (var seq = inMemory; seq < to; seq++)
        {
            if (window.Memory.TryGet(seq, out var delivered, out _))
            {
                effects.SendVote(only, seq < window.Floor ? VoteKind.Ready : VoteKind.Done, window.Id(options.Epoch, seq), delivered);
                continue;
            }

            if (window.Find(seq) is not { } instance) continue;
            if (instance.OwnEcho is { } echo) effects.SendVote(only, VoteKind.Echo, window.Id(options.Epoch, seq), echo);
            if (instance.OwnReady is { } ready) effects.SendVote(only, VoteKind.Ready, window.Id(options.Epoch, seq), ready);
        }

        return end;
    }

    private void Activate(StreamWindow window, Instant now)
    {
        if (window.IsActive) return;
        window.IsActive = true;
        _active.Add(window);
        foreach (ref var view in window.Peers.AsSpan())
            (view.Due, view.Backoff, view.LowAtTick) = (now.PlusMilliseconds(options.RtoMs), 0, view.Low);
        _nextTick ??= now.PlusMilliseconds(options.RtoMs);
    }

    private void SendAll(ReplicaSet to, ushort? source, Effects effects, bool alsoSources = false)
    {
        foreach (var window in streams.Lives)
        {
            if (source is null || window.Life.Stream.Source == source)
                effects.SendStatus(to, alsoSources || source is not null, StatusOf(window));
        }
    }

    private StreamStatus StatusOf(StreamWindow window)
    {
        var have = default(HaveBits);
        for (var offset = 0; offset < options.Window && window.Open > 0; offset++)
            if (window.Find(window.Low + (ulong)offset) is { NeedsInitial: false }) have.Set(offset);
        return new(StartCounter, window.Life, window.Low, window.High, window.Confirmed, have);
    }

    private void Schedule()
    {
        NextDeadline = Earlier(_nextTick, _nextFull);
        foreach (var window in _changed) NextDeadline = Earlier(NextDeadline, window.NextStatus);
    }

    internal static Instant? Earlier(Instant? left, Instant? right) =>
        left is { } l && right is { } r ? (l < r ? l : r) : left ?? right;
}
