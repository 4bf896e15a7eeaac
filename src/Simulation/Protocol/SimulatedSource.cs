using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What a source's host does to its surroundings.</summary>
internal interface ISourcePort
{
    Instant Now { get; }

    /// <summary>Wants to be told when the spool's records up to now are durable.</summary>
    void WantSync(SimulatedSource host, int spool);

    void WantDeadline(SimulatedSource host, Instant when);

    void Send(SimulatedSource host, int to, Frame frame);

    /// <summary>A batch is in the spool for good: it will be sent under this digest.</summary>
    void Accepted(in InstanceId instance, in Digest digest);

    /// <summary>The spool drops everything up to this batch.</summary>
    void Released(StreamLife life, ulong seq);

    /// <summary>The replicas know more than the spool (R0): this life ends.</summary>
    void SpoolLost(SimulatedSource host, int spool);

    /// <summary>A new batch gets its digest; no two are equal.</summary>
    Digest NewDigest();
}

/// <summary>One life of a stream on the disk of its source: the digests of batches, the first of which has seq 1.</summary>
internal sealed class Spool(StreamLife life)
{
    public StreamLife Life { get; } = life;

    public SimulatedJournal<Digest> Batches { get; } = new();

    /// <summary>Highest seq that was dropped; deleting a segment is lazy, so a crash may forget it, which only repeats.</summary>
    public ulong Released { get; set; }
}

/// <summary>A small host around the source cores of one edge: a spool per stream, INITIALs only after its sync (R0).</summary>
internal sealed class SimulatedSource
{
    /// <summary>Every payload has the same length; contents are digests.</summary>
    public const int PayloadBytes = 1_000;

    private readonly ISourcePort _port;
    private readonly Quorums _quorums;
    private readonly SourceEffects _effects = new();
    private readonly List<Message>?[] _sending;
    private readonly BroadcastSource[] _cores;

    /// <summary>Starts over spools that may have lost their end. What was read back and is not durable waits for a sync.</summary>
    public SimulatedSource(ISourcePort port, int node, Quorums quorums, SourceOptions options, List<Spool> spools)
    {
        (_port, Node, _quorums, Spools) = (port, node, quorums, spools);
        _sending = new List<Message>?[quorums.Replicas];
        _cores = [.. spools.Select(spool =>
            new BroadcastSource(spool.Life, quorums, options, spool.Released + 1, (ulong)spool.Batches.Durable))];
    }

    public int Node { get; }

    public List<Spool> Spools { get; }

    /// <summary>After the start: what survived is accepted, and what is not durable yet after its sync.</summary>
    public void Boot()
    {
        for (var i = 0; i < Spools.Count; i++)
        {
            var batches = Spools[i].Batches;
            for (var seq = 1; seq <= batches.Durable; seq++) _port.Accepted(InstanceOf(i, (ulong)seq), batches[seq - 1]);
            if (batches.Count > batches.Durable) _port.WantSync(this, i);
        }
    }

    /// <summary>Writes one batch into a spool; it is sent when the world answers the sync.</summary>
    public void Publish(int spool)
    {
        Spools[spool].Batches.Append(_port.NewDigest());
        _port.WantSync(this, spool);
    }

    /// <summary>The spool is durable up to this batch.</summary>
    public void Synced(int spool, int count)
    {
        var batches = Spools[spool].Batches;
        for (var i = batches.Durable; i < count; i++) _port.Accepted(InstanceOf(spool, (ulong)i + 1), batches[i]);
        batches.MakeDurable(count);
        _cores[spool].OnBatchDurable((ulong)count, _port.Now, _effects);
        FinishTurn(spool);
    }

    public void LinkChanged(int replica, bool up)
    {
        for (var i = 0; i < _cores.Length; i++)
        {
            _cores[i].OnReplicaReachable(new((byte)replica), up, _port.Now, _effects);
            FinishTurn(i);
        }
    }

    public void Receive(int from, Frame frame)
    {
        foreach (ref readonly var message in frame.Messages.AsSpan())
        {
            if (message.Kind != MessageKind.Status) continue; // Nothing else is for a source.
            for (var i = 0; i < _cores.Length; i++)
            {
                if (_cores[i].Life != message.Status!.Value.Life) continue;
                _cores[i].OnStatus(new((byte)from), message.Status.Value, _port.Now, _effects);
                FinishTurn(i);
            }
        }
    }

    public void DeadlinePassed()
    {
        for (var i = 0; i < _cores.Length; i++)
        {
            _cores[i].OnDeadline(_port.Now, _effects);
            FinishTurn(i);
        }
    }

    private InstanceId InstanceOf(int spool, ulong seq) => new(1, Spools[spool].Life.Stream, Spools[spool].Life.Incarnation, seq);

    private void FinishTurn(int spool)
    {
        foreach (ref readonly var effect in _effects.Items)
        {
            switch (effect.Kind)
            {
                case SourceEffectKind.SendInitial: Send(spool, effect); break;
                case SourceEffectKind.Release:
                    Spools[spool].Released = effect.Seq;
                    _port.Released(Spools[spool].Life, effect.Seq);
                    break;
                case SourceEffectKind.SpoolLost:
                    _port.SpoolLost(this, spool);
                    break;
                default: throw new InvariantViolationException($"No rule for {effect.Kind}.");
            }
        }

        _effects.Clear();
        for (var i = 0; i < _sending.Length; i++)
        {
            if (_sending[i] is not { Count: > 0 } messages) continue;
            _port.Send(this, i, new([.. messages]));
            messages.Clear();
        }

        if (_cores[spool].NextDeadline is { } deadline) _port.WantDeadline(this, deadline);
    }

    private void Send(int spool, in SourceEffect effect)
    {
        Invariant.Holds(effect.Seq > Spools[spool].Released && effect.Seq <= (ulong)Spools[spool].Batches.Durable); // The spool holds it.
        var digest = Spools[spool].Batches[(int)effect.Seq - 1];
        var message = new Message(MessageKind.Initial, InstanceOf(spool, effect.Seq), digest, ReplicaSet.FirstOf(_quorums.Replicas));
        foreach (var replica in effect.To) (_sending[replica.Index] ??= []).Add(message);
    }
}
