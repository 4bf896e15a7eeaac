namespace Massif.Reb.Protocol;

/// <summary>Limits what FETCH costs this replica: one reply per (peer, instance) and RTO, and a byte rate per peer (R7).</summary>
internal sealed class FetchServer
{
    private const int Remembered = 1_024;

    private readonly BroadcastOptions _options;
    private readonly Reply[][] _replies;
    private readonly long[] _credit;
    private readonly Instant[] _creditAt;

    public FetchServer(int replicas, BroadcastOptions options)
    {
        _options = options;
        _replies = new Reply[replicas][];
        _credit = new long[replicas];
        _creditAt = new Instant[replicas];
        Array.Fill(_credit, options.FetchBytesPerSecond);
    }

    /// <summary>Returns whether a reply of so many bytes may be sent now, and if so counts it.</summary>
    public bool Allow(ReplicaId to, in InstanceId instance, int bytes, Instant now)
    {
        Refill(to.Index, now);
        ref var last = ref SlotOf(to.Index, instance);
        if (last.Instance == instance && now < last.Until) return false;
        if (_credit[to.Index] < bytes) return false;
        _credit[to.Index] -= bytes;
        last = new(instance, now.PlusMilliseconds(_options.RtoMs));
        return true;
    }

    /// <summary>Counts bytes that a reply had and that were not known before: the next ones wait until the rate has made up for them.</summary>
    public void Charge(ReplicaId to, int bytes) => _credit[to.Index] -= bytes;

    private void Refill(int peer, Instant now)
    {
        var milliseconds = (now.Nanoseconds - _creditAt[peer].Nanoseconds) / 1_000_000;
        if (milliseconds <= 0) return;
        var more = Math.Min(milliseconds, 1_000) * _options.FetchBytesPerSecond / 1_000;
        _credit[peer] = Math.Min(_credit[peer] + more, _options.FetchBytesPerSecond); // At most one second's worth at once.
        _creditAt[peer] = now;
    }

    /// <summary>A fixed table: a collision forgets the older reply, which costs at most one reply more.</summary>
    private ref Reply SlotOf(int peer, in InstanceId instance)
    {
        var table = _replies[peer] ??= new Reply[Remembered];
        var stream = ((ulong)instance.Stream.Source << 1) | (ulong)instance.Stream.Class;
        var hash = (instance.Seq + (instance.Incarnation * 31) + (stream * 977)) * 0x9E3779B97F4A7C15;
        return ref table[(int)(hash >> 54)];
    }

    private readonly record struct Reply(InstanceId Instance, Instant Until);
}
