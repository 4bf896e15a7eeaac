namespace Massif.Reb.Protocol;

/// <summary>All lives that are enrolled here, and the rules by which one is enrolled.</summary>
/// <remarks>
/// An authentic INITIAL enrols a life, <see cref="BroadcastOptions.LivesPerStream"/> (L) of them per stream at most. Beyond that a
/// life that <see cref="Quorums.OneCorrect"/> distinct peers name is enrolled without limit: what one correct replica may
/// deliver, all must be able to. Each such life was enrolled by an INITIAL at a correct replica, so a stream has at most n·L lives,
/// and a correct peer never names more: the last n·L names per peer and stream are remembered. What they may hold is the business of
/// <see cref="HoldingLives"/>.
/// </remarks>
internal sealed class StreamTable(ReplicaId self, Quorums quorums, BroadcastOptions options)
{
    private readonly Dictionary<StreamLife, StreamWindow> _byLife = [];
    private readonly Dictionary<StreamId, StreamState> _byStream = [];
    private readonly List<StreamState> _streams = [];
    private readonly List<StreamWindow> _lives = [];
    private readonly InstancePool _pool = new();
    private StreamWindow? _last;

    /// <summary>Gets the lives in the order of their enrolment.</summary>
    public List<StreamWindow> Lives => _lives; // Not an interface: walking that would allocate.

    /// <summary>Gets what is held at the moment.</summary>
    public Footprint Footprint
    {
        get
        {
            long digests = 0, named = 0, payloads = 0;
            foreach (var stream in _streams)
            {
                digests += stream.Digests.Capacity;
                named += stream.NamedCount;
            }

            foreach (var life in _lives) payloads += life.HeldPayloads;
            return new(_lives.Count, _pool.InUse, digests, named, payloads);
        }
    }

    /// <summary>Returns the most that may be held for so many streams.</summary>
    public Footprint Bound(int streams)
    {
        var lives = (long)streams * LivesMax;
        var digests = (long)streams * (options.DigestMemory + DigestPage.Size);
        var inWindows = (long)streams * Math.Min(options.HoldingLivesPerStream, LivesMax) * options.Window;
        return new(lives, lives * 2 * options.Window, digests, (long)streams * quorums.Replicas * LivesMax, 2 * (inWindows + lives));
    }

    public StreamWindow? Find(StreamLife life)
    {
        if (_last is { } last && last.Life == life) return last;
        return _byLife.TryGetValue(life, out var found) ? _last = found : null;
    }

    /// <summary>Enrols a life because of an authentic INITIAL; null when its stream has its share.</summary>
    public StreamWindow? EnrolByInitial(StreamLife life)
    {
        var stream = StreamOf(life.Stream);
        return stream.ByInitial >= options.LivesPerStream ? null : Enrol(new(life, 0, default, ByInitial: true));
    }

    /// <summary>Remembers that a peer named a life; enrols and returns it when enough peers have.</summary>
    public StreamWindow? EnrolByName(ReplicaId from, StreamLife life)
    {
        var stream = StreamOf(life.Stream);
        stream.Name(from, life.Incarnation, quorums.Replicas, LivesMax);
        if (stream.CountNaming(life.Incarnation) < quorums.OneCorrect) return null;
        stream.Forget(life.Incarnation);
        return Enrol(new(life, 0, default, ByInitial: false));
    }

    public StreamWindow Enrol(in LifeRecord record)
    {
        var stream = StreamOf(record.Life.Stream);
        if (record.ByInitial) stream.ByInitial++;
        var window = new StreamWindow(record, self, quorums.Replicas, options.Window, _pool, stream.Digests, stream.Holding);
        _byLife.Add(record.Life, window);
        _lives.Add(window);
        return window;
    }

    private int LivesMax => options.LivesPerStream * quorums.Replicas;

    private StreamState StreamOf(StreamId id)
    {
        if (_byStream.TryGetValue(id, out var stream)) return stream;
        stream = new(options);
        _byStream.Add(id, stream);
        _streams.Add(stream);
        return stream;
    }

    /// <summary>What the lives of one stream share.</summary>
    private sealed class StreamState(BroadcastOptions options)
    {
        private List<ulong>?[] _named = [];

        public DigestBudget Digests { get; } = new(options.DigestMemory);

        public HoldingLives Holding { get; } = new(options);

        public int ByInitial { get; set; }

        public long NamedCount
        {
            get
            {
                var count = 0;
                foreach (var names in _named) count += names?.Count ?? 0;
                return count;
            }
        }

        public void Name(ReplicaId from, ulong incarnation, int replicas, int limit)
        {
            if (_named.Length == 0) _named = new List<ulong>?[replicas];
            var names = _named[from.Index] ??= [];
            if (names.Contains(incarnation)) return;
            if (names.Count == limit) names.RemoveAt(0);
            names.Add(incarnation);
        }

        public int CountNaming(ulong incarnation)
        {
            var count = 0;
            foreach (var names in _named)
                if (names is not null && names.Contains(incarnation)) count++;
            return count;
        }

        public void Forget(ulong incarnation)
        {
            foreach (var names in _named) names?.Remove(incarnation);
        }
    }
}
