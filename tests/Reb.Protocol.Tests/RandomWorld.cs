namespace Massif.Reb.Protocol.Tests;

/// <summary>
/// A small group with one true and one lying source, everything chosen by one seed: enough to see the rules work together.
/// </summary>
/// <remarks>
/// Links are FIFO, lose single messages and, at a reset, everything in flight. A replica's turn leaves only after its sync; a crash
/// keeps a prefix of the journal that is at least what is durable. f replicas are Byzantine, or lose their journal once.
/// </remarks>
internal sealed class RandomWorld
{
    public const int Batches = 40;
    public static readonly StreamLife True = new(new(100, StreamClass.Bulk), 1);
    public static readonly StreamLife Lying = new(new(101, StreamClass.Urgent), 1);

    private readonly ulong _seed;
    private readonly Queue<Action>[,] _links; // [from, to]; index n is the true source.
    private readonly WorldReplica?[] _replicas;
    private readonly SourceEffects _sourceEffects = new();
    private readonly int _wiped = -1;
    private BroadcastSource _source;
    private bool _healing;
    private ulong _prng;

    public RandomWorld(ulong seed, int replicas)
    {
        (_seed, _prng, Quorums) = (seed, seed, Quorums.ForGroupOf(replicas));
        _links = new Queue<Action>[replicas + 1, replicas + 1];
        for (var i = 0; i <= replicas; i++)
            for (var j = 0; j <= replicas; j++) _links[i, j] = new();
        _source = new(True, Quorums, new() { Window = 16 }, 1, 0);
        _replicas = new WorldReplica?[replicas];
        var byzantine = Below(Quorums.Faults + 1);
        var order = Enumerable.Range(0, replicas).OrderBy(_ => Next()).ToList();
        foreach (var i in order.Skip(byzantine)) _replicas[i] = new(this, new((byte)i));
        if (byzantine < Quorums.Faults) _wiped = order[^1];
    }

    public Quorums Quorums { get; }

    public Instant Now { get; private set; }

    public ulong Trace { get; private set; }

    private int Size => _replicas.Length;

    public static Digest DigestOf(StreamLife life, ulong seq, int variant = 0) => new(life.Stream.Source, seq, (ulong)variant, 1);

    public void Run()
    {
        foreach (var replica in Correct()) replica.Boot(wiped: false);
        for (var i = 0; i < Size; i++) Reset(i, Size);
        var wipeAt = Below(3_000);
        for (var step = 0; step < 4_000; step++)
        {
            Step();
            if (Chance(8)) Misbehave();
            if (Chance(1)) Reset(Below(Size), Below(Size + 1));
            if (Chance(1) && Chance(30) && _replicas[Below(Size)] is { } victim) victim.Crash(wiped: false);
            if (Chance(1) && _replicas[Below(Size)] is { } full) full.Roll();
            if (step == wipeAt && _wiped >= 0) _replicas[_wiped]!.Crash(wiped: true);
            if (Chance(3) && _source.Newest < Batches) Source(s => s.OnBatchDurable(s.Newest + 1, Now, _sourceEffects));
            if (Chance(1) && Chance(10)) RestartSource();
        }

        Heal();
        CheckEnd();
    }

    public void Send(ReplicaId from, ReplicaSet to, Action<WorldReplica> message)
    {
        foreach (var member in to)
        {
            var target = _replicas[member.Index];
            if (target is not null && !Lost()) _links[from.Index, member.Index].Enqueue(() => target.Take(message));
        }
    }

    public void SendToSource(ReplicaId from, StreamStatus status)
    {
        if (status.Life == True && !Lost())
            _links[from.Index, Size].Enqueue(() => Source(s => s.OnStatus(from, status, Now, _sourceEffects)));
    }

    public ulong Next()
    {
        _prng += 0x9E3779B97F4A7C15;
        var z = _prng;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int limit) => (int)(Next() % (ulong)limit);

    public bool Chance(int percent) => Below(100) < percent;

    public void Note(ulong what) => Trace = (Trace ^ what) * 0x100000001B3;

    public void Fail(string property) => throw new InvalidOperationException($"{property} (seed {_seed}, {Size} replicas)");

    private bool Lost() => !_healing && Chance(3);

    private IEnumerable<WorldReplica> Correct() => _replicas.OfType<WorldReplica>();

    /// <summary>Delivers a few messages from random links, finishes syncs, and lets time pass up to the next deadline.</summary>
    private void Step()
    {
        var busy = false;
        for (var i = 0; i < 4; i++)
        {
            var (from, to) = (Below(Size + 1), Below(Size + 1));
            if (!_links[from, to].TryDequeue(out var message)) continue;
            message();
            busy = true;
        }

        foreach (var replica in Correct())
            if (Chance(50)) replica.Sync();
        if (busy && !Chance(20)) return;
        Now = Now.PlusMilliseconds(1 + Below(10));
        foreach (var replica in Correct()) replica.Wake();
        Source(s => s.OnDeadline(Now, _sourceEffects));
    }

    private void Heal()
    {
        _healing = true;
        for (var i = 0; i < Size; i++)
            for (var j = i + 1; j <= Size; j++) Reset(i, j);
        while (_source.Newest < Batches) Source(s => s.OnBatchDurable(s.Newest + 1, Now, _sourceEffects));
        for (var step = 0; step < 60_000 && !Done(); step++) Step();
    }

    private bool Done() =>
        _source.Released == Batches && Correct().All(r => r.Delivered(True).Count == Batches)
        && Correct().Select(r => r.Delivered(Lying).Count).Distinct().Count() == 1;

    private void CheckEnd()
    {
        foreach (var replica in Correct())
        {
            var (held, bound) = (replica.Core.Footprint, replica.Core.Bound(streams: 2));
            if (held.Lives > bound.Lives || held.Instances > bound.Instances
                || held.Digests > bound.Digests || held.Payloads > bound.Payloads)
            {
                Fail("bounded memory");
            }

            if (replica.Delivered(True).Count != Batches) Fail($"validity: {replica.Id} has {replica.Delivered(True).Count} batches");
            for (var i = 0; i < Batches; i++)
                if (replica.Delivered(True)[i] != DigestOf(True, (ulong)i + 1)) Fail("integrity");
            if (!replica.Delivered(Lying).SequenceEqual(Correct().First().Delivered(Lying))) Fail("agreement or totality");
        }

        if (_source.Released != Batches) Fail($"release: {_source.Released}");
    }

    /// <summary>The link is replaced: what was in flight is gone, and both ends are told.</summary>
    private void Reset(int a, int b)
    {
        if (a == b) return;
        _links[a, b].Clear();
        _links[b, a].Clear();
        if (b == Size)
        {
            _replicas[a]?.Take(r => r.SourceConnected(True.Stream.Source));
            Source(s => s.OnReplicaReachable(new((byte)a), false, Now, _sourceEffects));
            Source(s => s.OnReplicaReachable(new((byte)a), true, Now, _sourceEffects));
            return;
        }

        _replicas[a]?.Take(r => r.Connected(new((byte)b)));
        _replicas[b]?.Take(r => r.Connected(new((byte)a)));
    }

    private void RestartSource()
    {
        _source = new(True, Quorums, new() { Window = 16 }, _source.Released + 1, _source.Newest);
        for (var i = 0; i < Size; i++) Reset(i, Size);
    }

    private void Source(Action<BroadcastSource> input)
    {
        _sourceEffects.Clear();
        input(_source);
        foreach (var effect in _sourceEffects.Items)
        {
            if (effect.Kind == SourceEffectKind.SpoolLost) Fail("no loss: the spool is whole");
            if (effect.Kind == SourceEffectKind.Release) CheckRelease(effect.Seq);
            if (effect.Kind != SourceEffectKind.SendInitial) continue;
            var id = new InstanceId(1, True.Stream, True.Incarnation, effect.Seq);
            foreach (var to in effect.To)
            {
                var target = _replicas[to.Index];
                if (target is null || Lost()) continue;
                _links[Size, to.Index].Enqueue(() => target.Take(r => r.Initial(id, DigestOf(True, id.Seq), true)));
            }
        }
    }

    /// <summary>What the spool drops, f + 1 correct replicas hold durably; one that was wiped afterwards is a fault among f.</summary>
    private void CheckRelease(ulong seq)
    {
        var holders = Correct().Count(r => r.DurablyDelivered(True) >= seq) + (_wiped >= 0 ? 1 : 0);
        if (holders < Quorums.OneCorrect) Fail("no loss: released too early");
    }

    /// <summary>Byzantine replicas and the lying source say anything to anybody.</summary>
    private void Misbehave()
    {
        var life = Chance(50) ? True : Lying;
        var (seq, variant) = ((ulong)Below(life == True ? Batches : 6) + 1, Below(2));
        var id = new InstanceId(1, life.Stream, life.Incarnation, seq);
        var digest = DigestOf(life, seq, variant);
        if (_replicas[Below(Size)] is { } shown && life == Lying && !_healing) shown.Take(r => r.Initial(id, digest, Chance(90)));
        var liar = new ReplicaId((byte)Below(Size));
        if (_replicas[liar.Index] is not null) return;
        var to = new ReplicaSet(Next());
        var what = Below(10);
        for (byte i = 0; i < Size; i++)
        {
            if (!to.Contains(new(i)) || _replicas[i] is not { } target) continue;
            if (what < 8) target.Take(r => r.Core.OnVote(liar, new((VoteKind)(what % 3), id, digest), Now, r.Effects));
            else if (what == 8) target.Take(r => r.Core.OnGone(liar, life, seq, Now, r.Effects));
            else target.Take(r => r.Core.OnStatus(liar, new((ulong)Below(4), life, seq, seq + 16, seq - 1, default), Now, r.Effects));
        }
    }
}
