using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Simulation.WholeDomain;

/// <summary>Two batches of one instance that a Byzantine edge has made, for its accomplices among the replicas.</summary>
internal readonly record struct Plot(InstanceId Instance, Digest One, Digest Other);

/// <summary>What a Byzantine replica says: its host is the production one, and this stands between it and the links.</summary>
internal sealed class LyingLinks : ILinks, IFrameOutput
{
    private readonly DomainWorld _world;
    private readonly NodeIndex _self;
    private readonly ILinks _inner;
    private readonly Prng _prng;
    private readonly ReplicaLies _lies;
    private readonly EnvelopeSender _sender;
    private readonly ulong _avoided;
    private readonly Vote[] _votes = new Vote[VotesFrame.MaxVotes];
    private readonly StreamStatus[] _statuses = new StreamStatus[StatusFrame.MaxStatuses];
    private readonly List<ReadOnlyMemory<byte>> _old = [];

    public LyingLinks(DomainWorld world, CoreProcess node, ILinks inner, Prng prng)
    {
        (_world, _self, _inner, _prng, _lies) = (world, node.Node, inner, prng, world.Shape.Lies);
        var paths = new OverlayPaths(world.Domain, node.Node, [.. world.Domain.Edges.Select(edge => edge.Index)]);
        _sender = new(node.Node, prng.Next(), paths, world.Kit.Keys[node.Index], world.Kit.Nodes.Count, new Counters());
        _avoided = _lies.HasFlag(ReplicaLies.Withhold) ? prng.Next() & prng.Next() : 0;
    }

    public bool IsUp(NodeIndex to) => _inner.IsUp(to);

    public void Close(NodeIndex to, string reason) => _inner.Close(to, reason);

    bool IFrameOutput.TrySend(NodeIndex to, ReadOnlyMemory<byte> frame) => _inner.TrySend(to, frame);

    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (_lies.HasFlag(ReplicaLies.Silent) && _prng.Chance(90)) return true;
        if ((_avoided >> to.Value & 1) != 0 && _prng.Chance(80)) return true;
        SpeakOutOfTurn(to);
        return (FrameType)Frames.TypeOf(frame.Span) switch
        {
            FrameType.Votes when _lies.HasFlag(ReplicaLies.Votes) => _inner.TrySend(to, Votes(to, frame)),
            FrameType.Status when _lies.HasFlag(ReplicaLies.Status) => _inner.TrySend(to, Status(frame)),
            FrameType.Payload or FrameType.CheckpointOffer or FrameType.CheckpointPart when _lies.HasFlag(ReplicaLies.Payloads) =>
                _inner.TrySend(to, WithOneByteChanged(frame)),
            FrameType.Envelope when _lies.HasFlag(ReplicaLies.SourceStatus) => SourceStatus(to, frame),
            _ => _inner.TrySend(to, frame),
        };
    }

    /// <summary>Old frames, rubbish, and what the plots of a Byzantine edge want to hear.</summary>
    private void SpeakOutOfTurn(NodeIndex to)
    {
        if (_lies.HasFlag(ReplicaLies.Replay) && _old.Count > 0 && _prng.OneIn(8)) _inner.TrySend(to, _prng.Pick(_old));
        if (_lies.HasFlag(ReplicaLies.Garbage) && _prng.OneIn(50)) _inner.TrySend(to, Garbage());
        if (to.Value >= _world.Kit.Replicas || _world.Plots.Count == 0 || !_prng.OneIn(4)) return;
        var plot = _world.Plots[^(1 + _prng.Below(Math.Min(4, _world.Plots.Count)))];
        var digest = to.Value % 2 == 0 ? plot.One : plot.Other;
        var echo = new Vote(VoteKind.Echo, plot.Instance, digest);
        _inner.TrySend(to, VotesFrame.Build([echo, new((VoteKind)_prng.Between(1, 2), plot.Instance, digest)]));
    }

    private ReadOnlyMemory<byte> Votes(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        var count = VotesFrame.Read(Frames.BodyOf(frame.Span), _votes);
        if (_old.Count < 32) _old.Add(frame);
        foreach (ref var vote in _votes.AsSpan(0, count))
        {
            if (_prng.Chance(60)) continue;
            vote = _prng.Below(4) switch
            {
                0 => vote with { Digest = vote.Digest with { A = vote.Digest.A ^ (ulong)(to.Value % 2) } },
                1 => vote with { Kind = (VoteKind)_prng.Below(3) },
                2 => vote with { Instance = vote.Instance with { Seq = vote.Instance.Seq + (ulong)_prng.Below(20) } },
                _ => vote with { Digest = new(_prng.Next(), 0, 0, 0) },
            };
        }

        return VotesFrame.Build(_votes.AsSpan(0, count));
    }

    private ReadOnlyMemory<byte> Status(ReadOnlyMemory<byte> frame)
    {
        if (_old.Count < 32) _old.Add(frame);
        var count = StatusFrame.Read(Frames.BodyOf(frame.Span), _statuses);
        foreach (ref var status in _statuses.AsSpan(0, count)) status = Forged(status);
        return StatusFrame.Build(_statuses.AsSpan(0, count));
    }

    private bool SourceStatus(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (!Envelope.TryOpen(frame.Span, out var envelope)) return _inner.TrySend(to, frame);
        var count = StatusFrame.Read(envelope.Body, _statuses);
        if (count < 1 || _prng.Chance(50)) return _inner.TrySend(to, frame);
        if (_prng.Chance(50)) SpeakForAnother(envelope.Destination(0), _statuses[0]);
        foreach (ref var status in _statuses.AsSpan(0, count)) status = Forged(status);
        var body = StatusFrame.BuildBody(_statuses.AsSpan(0, count));
        var path = _prng.Below(_sender.Paths.Count);
        return _sender.Send(EnvelopeContent.Status, Digest.Of(body), body, [envelope.Destination(0)], path, this);
    }

    /// <summary>STATUS in the name of another replica, as if it had come along here: only its MAC shows that it did not (R1).</summary>
    private void SpeakForAnother(NodeIndex edge, in StreamStatus status)
    {
        var (counter, low) = (status.StartCounter + 1_000, status.Low + 8);
        var body = StatusFrame.BuildBody([status with { StartCounter = counter, Low = low, Durable = low - 1, High = low + 1 }]);
        var another = new NodeIndex((ushort)_prng.Below(_world.Kit.Replicas));
        var address = new EnvelopeAddress(another, _prng.Next(), 1, EnvelopeContent.Status, 0, new[] { _self });
        var frame = Envelope.Build(address, [edge], Digest.Of(body), body, _world.Kit.Keys[_self.Value]);
        Envelope.CountHop(frame);
        _inner.TrySend(edge, frame);
    }

    private StreamStatus Forged(in StreamStatus status) => _prng.Below(6) switch
    {
        0 => status with { Low = status.Low + (ulong)_prng.Below(40), Durable = status.Durable + (ulong)_prng.Below(40) },
        1 => status with { Durable = long.MaxValue, Low = long.MaxValue },
        2 => status with { Low = 1, High = 2, Durable = 0 },
        3 => status with { High = ulong.MaxValue },
        4 => status with { StartCounter = status.StartCounter + (ulong)_prng.Below(3) },
        _ => status with { Life = status.Life with { Incarnation = status.Life.Incarnation + (ulong)_prng.Below(2) } },
    };

    private byte[] Garbage()
    {
        var body = new byte[_prng.Below(300)];
        for (var i = 0; i < body.Length; i++) body[i] = (byte)_prng.Next();
        return Frames.Make((byte)_prng.Between(Frames.FirstOpaque, 30), body);
    }

    private byte[] WithOneByteChanged(ReadOnlyMemory<byte> frame)
    {
        var copy = frame.ToArray();
        copy[_prng.Between(Frames.HeaderLength, copy.Length - 1)] ^= 0x55;
        return copy;
    }
}

/// <summary>A Byzantine edge: two batches for one instance, some of the MACs wrong, some of the seqs far away, old ones again.</summary>
internal sealed class LyingEdge : SimulatedNode
{
    private const int PairsMax = 16;

    private readonly Prng _prng;
    private readonly Queue<(byte[] One, byte[] Other)> _pairs = new();
    private NodeLinks? _links;
    private ulong _seq;
    private ulong _number;

    public LyingEdge(DomainWorld world, int index)
        : base(world, index) => _prng = world.Prng.Fork();

    protected override Instant? NextDeadline => null;

    /// <summary>Publishes something bad, and plans the next.</summary>
    public void Next()
    {
        if (World.Healed) return;
        World.Plan(_prng.Between(1, 60 * VirtualTime.Millisecond), new(HappeningKind.Lie, Index, 0, 0, default));
        if (!Alive) return;
        if (_prng.OneIn(4) && _pairs.Count > 0)
        {
            var (one, other) = _prng.Pick([.. _pairs]);
            SendSplit(one, other); // Whoever has forgotten its vote meanwhile gives it to the other batch.
            return;
        }

        MakePair();
    }

    private void MakePair()
    {
        var seq = _prng.OneIn(3) && _seq > 0 ? _seq : ++_seq;
        if (_prng.OneIn(20)) seq += (ulong)_prng.Below(100);
        var incarnation = _prng.OneIn(10) ? 8UL : 7UL;
        var payload = NewPayload();
        var one = Make(incarnation, seq, payload, World.Time.Now);
        var other = _prng.Below(10) switch
        {
            < 4 => one,
            < 7 => Make(incarnation, seq, payload, World.Time.Now + 1), // Nothing but the header differs.
            _ => Make(incarnation, seq, NewPayload(), World.Time.Now),
        };
        SendSplit(one.Message, other.Message);
        if (_pairs.Count == PairsMax) _pairs.Dequeue();
        _pairs.Enqueue((one.Message, other.Message));
        World.Plots.Add(new(one.Instance, one.Digest, other.Digest));
    }

    private void SendSplit(byte[] one, byte[] other)
    {
        var split = _prng.Next();
        for (var replica = 0; replica < World.Kit.Replicas; replica++)
        {
            if (_prng.OneIn(6)) continue;
            Send(replica, (split >> replica & 1) == 0 ? one : other);
        }
    }

    protected override void Open(in Moment now) => _links = new(World, this);

    protected override void Drop() => _links = null;

    protected override void Step(in Mis.Edge.EdgeInput input, in Moment now)
    {
    }

    protected override void OnDeadline(in Moment now)
    {
    }

    protected override void EndTurn(in Moment now)
    {
    }

    private byte[] NewPayload()
    {
        var payload = new byte[_prng.Between(1, 400)];
        for (var i = 0; i < payload.Length; i++) payload[i] = (byte)_prng.Next();
        return payload;
    }

    private (InstanceId Instance, Digest Digest, byte[] Message) Make(ulong incarnation, ulong seq, byte[] payload, long wall)
    {
        var instance = new InstanceId(World.Domain.Epoch, new((ushort)Index, StreamClass.Bulk), incarnation, seq);
        var header = new BatchHeader(instance, 0, payload.Length, Digest.Of(payload), wall, World.Time.Now, Guid.Empty);
        var wrong = _prng.Next() & _prng.Next();
        var message = InitialMessage.Build(header, World.Kit.Replicas, payload, (ReplicaId replica, in Digest digest, Span<byte> mac) =>
        {
            Span<byte> bytes = stackalloc byte[Digest.Length];
            digest.Write(bytes);
            World.Kit.Keys[Index].Mac(new(replica.Index), Reb.Crypto.MacPurpose.Initial, bytes, mac);
            if ((wrong >> replica.Index & 1) != 0) mac[0] ^= 1;
        });
        var made = Digest.Of(message.AsSpan(0, BatchHeader.Length));
        World.Checker.MadeWithWrongMacs(made, new(wrong));
        return (instance, made, message);
    }

    private void Send(int replica, byte[] message)
    {
        var prefix = message.AsSpan(0, InitialMessage.PrefixLength(World.Kit.Replicas));
        var address = new EnvelopeAddress(Node, 99, ++_number, EnvelopeContent.Initial, 0, default);
        var frame = Envelope.Build(address, [new((ushort)replica)], Digest.Of(prefix), message, World.Kit.Keys[Index]);
        _links!.TrySend(new((ushort)replica), frame);
    }
}
