using System.Runtime.InteropServices;
using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What all liars of a run know and do together. They see everything that reaches one of them, and forget little.</summary>
internal sealed class Conspiracy(ProtocolWorld world, Prng prng)
{
    private const int MemoryMax = 256;

    private readonly Dictionary<InstanceId, List<Digest>> _digests = [];
    private readonly Dictionary<InstanceId, Plot> _plots = [];
    private readonly List<InstanceId> _instances = [];
    private readonly List<Message> _memory = [];
    private readonly List<LyingReplica> _replicas = [];
    private readonly bool _neverServes = prng.Chance(50);
    private ReplicaSet _half;

    private RunPlan Shape => world.Shape;

    public Actor NewReplica(int node)
    {
        if (_half.IsEmpty) _half = new(prng.Next() | 1);
        var replica = new LyingReplica(world, this, node, prng.Fork());
        _replicas.Add(replica);
        return replica;
    }

    public Actor NewSource(int node) => new LyingSource(world, this, node, prng.Fork());

    public bool Uses(Tactics tactic) => (Shape.Tactics & tactic) != 0;

    /// <summary>Returns to which half of the nodes this one belongs, for twins and equivocation.</summary>
    public bool InHalf(int node) => (_half.Bits >> node & 1) != 0;

    /// <summary>A Byzantine source begins an instance: everybody gets a part to play.</summary>
    public Plot Begin(InstanceId instance)
    {
        var plot = Plot.Draw(instance, world.NewDigest(), world.NewDigest(), Shape, world.Quorums, prng);
        Know(instance, plot.Digests[0]);
        Know(instance, plot.Digests[1]);
        if (!Uses(Tactics.Split)) return plot;
        _plots[instance] = plot;
        foreach (var replica in _replicas) replica.Play(plot);
        return plot;
    }

    /// <summary>Learns from what reaches one of the liars.</summary>
    public void Overhear(Frame frame)
    {
        foreach (ref readonly var message in frame.Messages.AsSpan())
        {
            if (message.IsVote || message.Kind == MessageKind.Initial) Know(message.Instance, message.Digest);
            if (_memory.Count < MemoryMax) _memory.Add(message);
            else if (prng.OneIn(4)) _memory[prng.Below(MemoryMax)] = message;
        }
    }

    /// <summary>Turns what a puppet would honestly say to a node into what is said; null when nothing is.</summary>
    public Frame? Twist(int to, Frame honest)
    {
        if (Uses(Tactics.Silent)) return null;
        if (Uses(Tactics.Selective) && !InHalf(to) && prng.Chance(70)) return null;
        var said = new List<Message>(honest.Messages.Length);
        foreach (ref readonly var message in honest.Messages.AsSpan())
        {
            if (message.IsVote && _plots.ContainsKey(message.Instance)) continue; // The plot says what is said.
            if (Uses(Tactics.Selective) && prng.Chance(25)) continue;
            Twist(to, message, said);
        }

        return said.Count == 0 ? null : new([.. said]);
    }

    /// <summary>Invents a message; null when there is nothing to say.</summary>
    public Message? Invent(int to)
    {
        Span<Tactics> choices =
        [
            Tactics.Replay, Tactics.StatusLies, Tactics.GoneLies, Tactics.StartLies,
            Tactics.FarSpam, Tactics.EarlyVotes, Tactics.DoneLies, Tactics.Forge,
        ];
        prng.Shuffle(choices);
        foreach (var choice in choices)
            if (Uses(choice)) return Invent(choice, to);
        return null;
    }

    private Message? Invent(Tactics tactic, int to)
    {
        var instance = AnyInstance();
        switch (tactic)
        {
            case Tactics.Replay: return _memory.Count == 0 ? null : prng.Pick(_memory);
            case Tactics.StatusLies: return ForgeStatus(instance);
            case Tactics.GoneLies: return new(MessageKind.Gone, instance with { Seq = instance.Seq + (ulong)prng.Below(40) }, default);
            case Tactics.StartLies: return ForgeStart(to);
            case Tactics.FarSpam: return new(AnyVote(), Far(instance), world.NewDigest());
            case Tactics.EarlyVotes:
                return new(AnyVote(), instance with { Seq = instance.Seq + (ulong)prng.Below(Shape.Window) }, AnyDigest(instance));
            case Tactics.Forge:
                return new(MessageKind.Initial, instance with { Seq = instance.Seq + (ulong)prng.Below(3) }, AnyDigest(instance));
            default: return new(MessageKind.Done, instance, AnyDigest(instance));
        }
    }

    private void Twist(int to, in Message message, List<Message> said)
    {
        var twisted = message;
        if (message.IsVote && Uses(Tactics.Equivocate) && InHalf(to)) twisted = twisted with { Digest = AnyDigest(message.Instance) };
        if (message.Kind == MessageKind.Payload && Uses(Tactics.FetchLies))
        {
            if (_neverServes || prng.Chance(40)) return;
            twisted = twisted with { Digest = prng.Chance(50) ? world.NewDigest() : AnyDigest(message.Instance) };
        }

        if (message.Kind == MessageKind.Status && Uses(Tactics.StatusLies) && prng.Chance(50)) twisted = ForgeStatus(message.Instance);
        if (message.Kind == MessageKind.StartAnswer && Uses(Tactics.StartLies))
        {
            if (prng.Chance(30)) return;
            twisted = Message.OfStart(
                MessageKind.StartAnswer,
                message.Mark,
                prng.Chance(50) ? default : new((ulong)prng.Below(9), prng.Next()),
                signed: true);
        }

        if (message.IsVote && Uses(Tactics.Mutate) && prng.Chance(20)) twisted = Mutate(twisted);
        said.Add(twisted);
        if (message.IsVote && Uses(Tactics.Equivocate) && prng.Chance(10)) said.Add(twisted with { Digest = AnyDigest(message.Instance) });
    }

    private Message Mutate(in Message vote) => prng.Below(6) switch
    {
        0 => vote with { Instance = vote.Instance with { Seq = vote.Instance.Seq + 1 } },
        1 => vote with { Instance = vote.Instance with { Seq = Math.Max(1, vote.Instance.Seq - 1) } },
        2 => vote with { Instance = vote.Instance with { Incarnation = vote.Instance.Incarnation + 1 } },
        3 => vote with { Instance = vote.Instance with { Epoch = 2 } },
        4 => vote with { Kind = AnyVote() },
        _ => vote with { Digest = vote.Digest with { D = 1 } },
    };

    private Message ForgeStatus(in InstanceId instance)
    {
        var low = (ulong)Math.Max(1, (long)instance.Seq + prng.Between(-20, 20));
        var have = default(HaveBits);
        for (var i = 0; i < Shape.Window; i++)
            if (prng.Chance(50)) have.Set(i);
        var high = low + (ulong)prng.Below(3 * Shape.Window); // An empty window, too: the upper end may be anything.
        var durable = prng.Chance(50) ? low - 1 : low + (ulong)prng.Below(50);
        return Message.Of(new StreamStatus((ulong)prng.Below(6), instance.Life, low, prng.OneIn(8) ? ulong.MaxValue : high, durable, have));
    }

    private Message ForgeStart(int to) => prng.Chance(50)
        ? Message.OfStart(MessageKind.Start, new((ulong)prng.Below(20), prng.Next()), default, signed: true)
        : Message.OfStart(
            MessageKind.StartAnswer,
            new((ulong)prng.Below(5), prng.Next()),
            new((ulong)prng.Below(9) + (ulong)to, prng.Next()),
            signed: false);

    private InstanceId Far(in InstanceId instance) => prng.Below(5) switch
    {
        0 => instance with { Seq = instance.Seq + (ulong)prng.Between(Shape.Window, 1 << 20) },
        1 => instance with { Seq = ulong.MaxValue - (ulong)prng.Below(3) },
        2 => instance with { Incarnation = instance.Incarnation + prng.Next() % 1_000 },
        3 => instance with { Stream = instance.Stream with { Source = (ushort)prng.Below(ushort.MaxValue + 1) } },
        _ => instance with { Seq = 0 },
    };

    private MessageKind AnyVote() => MessageKind.Echo + (byte)prng.Below(3);

    private Digest AnyDigest(in InstanceId instance)
    {
        if (prng.OneIn(3) || !_digests.TryGetValue(instance, out var known)) return world.NewDigest();
        return prng.Pick(known);
    }

    private InstanceId AnyInstance()
    {
        if (_instances.Count == 0) return new(1, new((ushort)Shape.Replicas, StreamClass.Bulk), 1, 1);
        var recent = Math.Min(_instances.Count, 24);
        return _instances[_instances.Count - 1 - prng.Below(recent)];
    }

    private void Know(in InstanceId instance, in Digest digest)
    {
        ref var known = ref CollectionsMarshal.GetValueRefOrAddDefault(_digests, instance, out var exists);
        known ??= [];
        if (!exists) _instances.Add(instance);
        if (known.Count < 4 && !known.Contains(digest)) known.Add(digest);
    }
}
