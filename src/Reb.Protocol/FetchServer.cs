namespace Massif.Reb.Protocol;

/// <summary>
/// Limits what a peer can make this replica read and send: for FETCH one reply per (peer, instance) and RTO, and a byte rate (R7); for
/// announcements of what is delivered a number of digests a second (R9).
/// </summary>
internal sealed class FetchServer
{
    private const int Remembered = 1_024;

    private readonly BroadcastOptions _options;
    private readonly Reply[][] _replies;
    private readonly Credit[] _bytes;
    private readonly Credit[] _digests;

    public FetchServer(int replicas, BroadcastOptions options)
    {
        _options = options;
        _replies = new Reply[replicas][];
        _bytes = new Credit[replicas];
        _digests = new Credit[replicas];
        Array.Fill(_bytes, new(options.FetchBytesPerSecond));
        Array.Fill(_digests, new(options.DigestsPerSecond));
    }

    /// <summary>
    /// Returns whether a reply that costs so many bytes may be sent now, and if so counts it. More than a second's worth counts as that.
    /// </summary>
    public bool Allow(ReplicaId to, in InstanceId instance, int bytes, Instant now)
    {
        bytes = Math.Min(bytes, _options.FetchBytesPerSecond);
        ref var credit = ref _bytes[to.Index];
        credit.Refill(now);
        ref var last = ref SlotOf(to.Index, instance);
        if (last.Instance == instance && now < last.Until) return false;
        if (credit.Left < bytes) return false;
        credit.Left -= bytes;
        last = new(instance, now.PlusMilliseconds(_options.RtoMs));
        return true;
    }

    /// <summary>
    /// Counts bytes that a reply had and that were not known before: the next ones wait until the rate has made up for them.
    /// </summary>
    public void Charge(ReplicaId to, int bytes) => _bytes[to.Index].Left -= bytes;

    /// <summary>Returns how many of so many delivered digests may be announced to a peer now, and counts those.</summary>
    public int AllowDigests(ReplicaId to, int wanted, Instant now)
    {
        ref var credit = ref _digests[to.Index];
        credit.Refill(now);
        var allowed = (int)Math.Min(wanted, credit.Left);
        credit.Left -= allowed;
        return allowed;
    }

    /// <summary>A fixed table: a collision forgets the older reply, which costs at most one reply more.</summary>
    private ref Reply SlotOf(int peer, in InstanceId instance)
    {
        var table = _replies[peer] ??= new Reply[Remembered];
        var stream = ((ulong)instance.Stream.Source << 1) | (ulong)instance.Stream.Class;
        var hash = (instance.Seq + (instance.Incarnation * 31) + (stream * 977)) * 0x9E3779B97F4A7C15;
        return ref table[(int)(hash >> 54)];
    }

    /// <summary>What may be spent: so much a second, and at most one second's worth at once.</summary>
    private struct Credit
    {
        /// <summary>What is left; below 0 when more was spent than was known before.</summary>
        public long Left;

        private readonly long _perSecond;
        private Instant _at;

        public Credit(long perSecond) => Left = _perSecond = perSecond;

        public void Refill(Instant now)
        {
            var milliseconds = (now.Nanoseconds - _at.Nanoseconds) / 1_000_000;
            if (milliseconds <= 0) return;
            Left = Math.Min(Left + (Math.Min(milliseconds, 1_000) * _perSecond / 1_000), _perSecond);
            _at = _at.PlusMilliseconds(milliseconds); // Not to now: asked often, the parts of a millisecond would be lost.
        }
    }

    private readonly record struct Reply(InstanceId Instance, Instant Until);
}
