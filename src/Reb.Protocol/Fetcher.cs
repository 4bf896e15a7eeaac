namespace Massif.Reb.Protocol;

/// <summary>Gets the payloads that were decided and are not here: DONE senders first, then ECHO senders, one at a time (R7).</summary>
/// <remarks>
/// At most <see cref="BroadcastOptions.FetchesInFlight"/> are under way over all streams; the others wait in order, and one that
/// timed out queues again behind them. What is decided while nobody is known to hold it waits for the next ECHO or DONE.
/// </remarks>
internal sealed class Fetcher(ReplicaId self, PeerTable peers, BroadcastOptions options)
{
    private readonly Queue<(StreamWindow Window, ulong Seq)> _waiting = [];
    private readonly List<Instance> _inFlight = [];
    private RoundTrip _roundTrip = new(options.RtoMs, options.RtoMaxMs);

    public Instant? NextDeadline { get; private set; }

    /// <summary>A decided payload is missing, or a new sender of it appeared.</summary>
    public void Want(Instance instance, Instant now, Effects effects)
    {
        if (instance.Fetch.Waiting || instance.Fetch.InFlight) return;
        if (Holders(instance).IsEmpty) return;
        instance.Fetch.Waiting = true;
        _waiting.Enqueue((instance.Window, instance.Seq));
        Pump(now, effects);
    }

    /// <summary>Returns whether this peer's answer is awaited.</summary>
    public static bool Awaits(Instance instance, ReplicaId from) => instance.Fetch.InFlight && instance.Fetch.Target == from;

    /// <summary>The payload came, as an answer or on another way.</summary>
    public void Arrived(Instance instance, bool asAnswer, Instant now, Effects effects)
    {
        if (!instance.Fetch.InFlight) return;
        if (asAnswer && instance.Fetch.Attempt == 0) _roundTrip.Measure(now.Nanoseconds - instance.Fetch.AskedAt.Nanoseconds);
        instance.Fetch.InFlight = false;
        _inFlight.Remove(instance);
        Pump(now, effects);
    }

    /// <summary>The one asked cannot or will not answer: the next one is asked.</summary>
    public void Rotate(Instance instance, Instant now, Effects effects)
    {
        GiveUp(instance);
        _inFlight.Remove(instance);
        Want(instance, now, effects);
    }

    /// <summary>A peer has forgotten a life below a seq: what it was asked for there is asked of the next.</summary>
    public void Gone(ReplicaId from, StreamWindow window, ulong below, Instant now, Effects effects)
    {
        for (var i = _inFlight.Count - 1; i >= 0; i--)
        {
            var instance = _inFlight[i];
            if (instance.Window == window && instance.Seq < below && instance.Fetch.Target == from) Rotate(instance, now, effects);
        }
    }

    /// <summary>A life went past a seq by itself: nothing up to it is wanted any more.</summary>
    public void Forget(StreamWindow window, ulong upTo) =>
        _inFlight.RemoveAll(instance => instance.Window == window && instance.Seq <= upTo);

    public void OnDeadline(Instant now, Effects effects)
    {
        if (NextDeadline is not { } due || now < due) return;
        var kept = 0;
        for (var i = 0; i < _inFlight.Count; i++)
        {
            var instance = _inFlight[i];
            if (now < instance.Fetch.Due)
            {
                _inFlight[kept++] = instance;
                continue;
            }

            GiveUp(instance);
            instance.Fetch.Waiting = true;
            _waiting.Enqueue((instance.Window, instance.Seq));
        }

        _inFlight.RemoveRange(kept, _inFlight.Count - kept);
        Pump(now, effects);
    }

    private static void GiveUp(Instance instance)
    {
        instance.Fetch.InFlight = false;
        instance.Fetch.Attempt++;
    }

    private void Pump(Instant now, Effects effects)
    {
        while (_inFlight.Count < options.FetchesInFlight && _waiting.TryDequeue(out var next))
        {
            if (next.Window.Find(next.Seq) is not { Fetch.Waiting: true } instance) continue;
            instance.Fetch.Waiting = false;
            if (instance.IsDecided && !instance.IsComplete) Ask(instance, now, effects);
        }

        NextDeadline = null;
        foreach (var instance in _inFlight) NextDeadline = Announcer.Earlier(NextDeadline, instance.Fetch.Due);
    }

    private void Ask(Instance instance, Instant now, Effects effects)
    {
        ref var fetch = ref instance.Fetch;
        if (Next(instance) is not { } target)
        {
            fetch.Asked = default; // Everybody was asked: another round.
            target = Next(instance) ?? throw new InvariantViolationException("Only what somebody holds is queued.");
        }

        fetch.Asked = fetch.Asked.With(target);
        fetch.Target = target;
        fetch.InFlight = true;
        fetch.AskedAt = now;
        fetch.Due = new(now.Nanoseconds + _roundTrip.TimeOut(fetch.Attempt));
        _inFlight.Add(instance);
        effects.Send(EffectKind.SendFetch, ReplicaSet.Of(target), instance.Id(options.Epoch), instance.Decided.Digest);
    }

    /// <summary>DONE senders, then ECHO senders, those with a link before those without; spread over the peers by seq.</summary>
    private ReplicaId? Next(Instance instance)
    {
        var dones = instance.Decided.Dones.Bits & ~instance.Fetch.Asked.Bits;
        var echoes = instance.Decided.Echoes.Without(self).Bits & ~instance.Fetch.Asked.Bits;
        var connected = peers.Connected.Bits;
        var start = (int)(instance.Seq % (ulong)(peers.Others.Count + 1));
        return From(dones & connected, start) ?? From(echoes & connected, start) ?? From(dones, start) ?? From(echoes, start);
    }

    private ReplicaSet Holders(Instance instance) =>
        new ReplicaSet(instance.Decided.Dones.Bits | instance.Decided.Echoes.Bits).Without(self);

    private static ReplicaId? From(ulong set, int start)
    {
        if (set == 0) return null;
        var later = set & (ulong.MaxValue << start);
        foreach (var member in new ReplicaSet(later != 0 ? later : set)) return member;
        return null;
    }
}
