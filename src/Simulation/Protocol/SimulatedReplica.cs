using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What a replica's host does to its surroundings. The world gives it to correct ones, the conspiracy to puppets.</summary>
internal interface IReplicaPort
{
    /// <summary>Time of the node's own monotonic clock.</summary>
    Instant Now { get; }

    /// <summary>Decides what a host leaves open: nonces, which segment a start reads from.</summary>
    Prng Prng { get; }

    /// <summary>Records after which a journal segment is full.</summary>
    int SegmentRecords { get; }

    /// <summary>Whether retention may drop what a life had reached, because all replicas hold it.</summary>
    bool MayForget(LifeRecord life);

    /// <summary>Wants a turn soon, because there is input.</summary>
    void WantTurn(SimulatedReplica host);

    /// <summary>Wants to be told when everything appended so far is durable.</summary>
    void WantSync(SimulatedReplica host, long ticket);

    /// <summary>Wants a turn at this time of its own clock.</summary>
    void WantDeadline(SimulatedReplica host, Instant when);

    /// <summary>Sends a frame over a link.</summary>
    void Send(SimulatedReplica host, int to, Frame frame);

    /// <summary>Whether the signature of a start is one that this replica made.</summary>
    bool IsSigned(ReplicaId replica, StartMark mark);

    /// <summary>An effect is carried out: what the checker looks at.</summary>
    void Observe(SimulatedReplica host, in Effect effect);

    /// <summary>A message leaves, whoever gets it: what it depends on is durable.</summary>
    void Leaving(SimulatedReplica host, in Message message);

    /// <summary>A message was taken in.</summary>
    void Observe(SimulatedReplica host, int from, in Message message, Verdict verdict);
}

/// <summary>A small host around the cores of one replica. It obeys the rules of the real one and decides nothing itself.</summary>
/// <remarks>
/// Inputs wait for a turn; a turn takes at most 64 and ends with one sync; what it sends leaves when what it and earlier
/// turns journalled is durable. A start reads the journal back, syncs it before anything leaves, and begins as R13 says.
/// </remarks>
internal sealed class SimulatedReplica
{
    private const int InputsPerTurn = 64;

    private readonly IReplicaPort _port;
    private readonly Effects _effects = new();
    private readonly Queue<Input> _inbox = [];
    private readonly Queue<Outbox> _outboxes = [];
    private readonly List<Message>?[] _sending;
    private readonly Dictionary<Digest, Digest> _held = [];
    private readonly List<Message> _said = [];
    private readonly List<Digest> _dropped = [];
    private long _ticket;
    private bool _runs;

    public SimulatedReplica(
        IReplicaPort port, ReplicaId self, Quorums quorums, BroadcastOptions options, int nodes, ReplicaJournal journal)
    {
        (_port, Self, Quorums, Journal) = (port, self, quorums, journal);
        _sending = new List<Message>?[nodes];
        Broadcast = new(self, quorums, options);
        Starting = new(self, quorums, options.RtoMs, options.RtoMaxMs);
    }

    public ReplicaId Self { get; }

    public Quorums Quorums { get; }

    public ReplicaJournal Journal { get; }

    public ReliableBroadcast Broadcast { get; }

    public ReplicaStart Starting { get; }

    /// <summary>Gets the payloads in memory: at most those of undelivered instances and of what is not durable yet.</summary>
    public int PayloadsInMemory => _held.Count;

    /// <summary>Reads the journal back and begins this start. Nothing leaves before the journal is durable as it was read.</summary>
    public void Boot()
    {
        Journal.Restore(Broadcast, Starting, _port.Prng, _port.MayForget);
        Starting.Begin(_port.Prng.Next(), _port.Now, _effects);
        FollowStart();
        FinishTurn(mustSync: true);
    }

    public void Receive(int from, Frame frame) => Put(new(InputKind.Frame, from, frame, 0));

    public void LinkChanged(int peer, bool up) => Put(new(up ? InputKind.LinkUp : InputKind.LinkDown, peer, null, 0));

    public void Synced(long ticket) => Put(new(InputKind.Synced, 0, null, ticket));

    public void DeadlinePassed() => Put(new(InputKind.Deadline, 0, null, 0));

    /// <summary>Takes what waits, up to the limit of a burst.</summary>
    public void Turn()
    {
        for (var i = 0; i < InputsPerTurn && _inbox.TryDequeue(out var input); i++) Take(input);
        FinishTurn(mustSync: false);
        if (_inbox.Count > 0) _port.WantTurn(this);
    }

    /// <summary>Returns what the payload under a digest really hashes to; the core may only speak of those its host can read.</summary>
    public Digest ContentOf(in Digest digest)
    {
        if (_held.TryGetValue(digest, out var content)) return content;
        Invariant.Holds(Journal.HoldsDurably(digest));
        return Journal.ContentOf(digest);
    }

    private void Put(in Input input)
    {
        if (_inbox.Count == 0) _port.WantTurn(this);
        _inbox.Enqueue(input);
    }

    private void Take(in Input input)
    {
        var now = _port.Now;
        switch (input.Kind)
        {
            case InputKind.Frame:
                foreach (ref readonly var message in input.Frame!.Messages.AsSpan()) TakeWithPayload(input.From, message, now);
                break;
            case InputKind.Synced: TakeSynced(input.Ticket, now); break;
            case InputKind.LinkUp: TakeLinkUp(input.From, now); break;
            case InputKind.LinkDown:
                if (input.From < Quorums.Replicas) Broadcast.OnPeerDisconnected(new((byte)input.From));
                break;
            default:
                Starting.OnDeadline(now, _effects);
                Broadcast.OnDeadline(now, _effects);
                break;
        }

        FollowStart();
    }

    /// <summary>What a step stores is the payload that came with its input, whatever the core takes it for.</summary>
    private void TakeWithPayload(int from, in Message message, Instant now)
    {
        var before = _effects.Items.Length;
        _port.Observe(this, from, message, TakeMessage(from, message, now));
        foreach (ref readonly var effect in _effects.Items[before..])
            if (effect.Kind == EffectKind.StorePayload) _held.TryAdd(effect.Digest, message.Digest);
    }

    private Verdict TakeMessage(int sender, in Message message, Instant now)
    {
        if (message.Kind == MessageKind.Initial) // May come over any path: only the MAC entry counts.
        {
            return Broadcast.OnInitial(
                message.Instance, message.Digest, SimulatedSource.PayloadBytes, message.Entries.Contains(Self), now, _effects);
        }

        if (sender >= Quorums.Replicas) return Verdict.NotEntitled;
        var from = new ReplicaId((byte)sender);
        switch (message.Kind)
        {
            case MessageKind.Echo or MessageKind.Ready or MessageKind.Done:
                return Broadcast.OnVote(from, message.Vote, now, _effects);
            case MessageKind.Status:
                return Broadcast.OnStatus(from, message.Status!.Value, now, _effects);
            case MessageKind.Gone:
                return Broadcast.OnGone(from, message.Instance.Life, message.Instance.Seq, now, _effects);
            case MessageKind.Fetch:
                return Broadcast.OnFetch(from, message.Instance, message.Digest, now, _effects);
            case MessageKind.Payload:
                return Broadcast.OnPayload(from, message.Instance, message.Digest, SimulatedSource.PayloadBytes, now, _effects);
            case MessageKind.Start:
                return Starting.OnAnnouncement(from, new(from, message.Mark), _port.IsSigned(from, message.Mark), _effects);
            case MessageKind.StartAnswer:
                var earlier = message.Earlier;
                var signed = earlier.IsNone || _port.IsSigned(Self, earlier);
                return Starting.OnAnswer(from, new(new(Self, message.Mark), earlier), signed, _port.Prng.Next(), now, _effects);
            default:
                throw new InvariantViolationException($"No rule for {message.Kind}.");
        }
    }

    private void TakeLinkUp(int peer, Instant now)
    {
        if (peer >= Quorums.Replicas)
        {
            Broadcast.OnSourceConnected((ushort)peer, now, _effects);
            return;
        }

        Starting.OnPeerConnected(new((byte)peer), _effects);
        Broadcast.OnPeerConnected(new((byte)peer), now, _effects);
    }

    /// <summary>What waited for the sync leaves, then the cores hear of it.</summary>
    private void TakeSynced(long ticket, Instant now)
    {
        while (_outboxes.TryPeek(out var outbox) && outbox.Ticket <= ticket)
        {
            _outboxes.Dequeue();
            Leave(outbox);
            Journal.OnDurable(outbox.LastRecord);
            if (outbox.LastRecord > 0) Broadcast.OnDurable(outbox.LastRecord, now, _effects);
        }

        // Unsynced payloads stay in memory: a disk is read only where a sync has answered for it.
        for (var i = _dropped.Count - 1; i >= 0; i--)
        {
            if (!Journal.HoldsDurably(_dropped[i])) continue;
            _held.Remove(_dropped[i]);
            _dropped.RemoveAt(i);
        }
    }

    /// <summary>The broadcast runs while the start is settled (R13).</summary>
    private void FollowStart()
    {
        if (Starting.IsSettled == _runs) return;
        _runs = Starting.IsSettled;
        if (_runs) Broadcast.Start(Starting.Mark.Counter, Starting.EchoForbidden, _port.Now, _effects);
        else Broadcast.Suspend();
    }

    private void FinishTurn(bool mustSync)
    {
        Broadcast.EndTurn(_port.Now, _effects);
        var records = Journal.Records.Count;
        foreach (ref readonly var effect in _effects.Items) CarryOut(effect);
        Journal.RollAt(_port.SegmentRecords, Broadcast, Starting);
        var outbox = new Outbox(_ticket, _effects.LastRecord, [.. _said], TakeFrames());
        _said.Clear();
        _effects.Clear();
        if (mustSync || Journal.Records.Count > records)
        {
            outbox = outbox with { Ticket = ++_ticket };
            _outboxes.Enqueue(outbox);
            _port.WantSync(this, _ticket);
        }
        else if (_outboxes.Count > 0)
        {
            _outboxes.Enqueue(outbox); // Behind what earlier turns still wait for.
        }
        else
        {
            Leave(outbox);
        }

        if (Earlier(Starting.NextDeadline, Broadcast.NextDeadline) is { } deadline) _port.WantDeadline(this, deadline);
    }

    private void CarryOut(in Effect effect)
    {
        if (effect.IsRecord) Journal.Append(effect, effect.Kind == EffectKind.StorePayload ? _held[effect.Digest] : default);
        _port.Observe(this, effect);
        switch (effect.Kind)
        {
            case EffectKind.SendVote: SendTo(effect.To, Message.Of(effect.Vote)); break;
            case EffectKind.SendGone: SendTo(effect.To, new(MessageKind.Gone, effect.Instance, default)); break;
            case EffectKind.SendFetch: SendTo(effect.To, new(MessageKind.Fetch, effect.Instance, effect.Digest)); break;
            case EffectKind.SendStart: SendTo(effect.To, Message.OfStart(MessageKind.Start, effect.Start, default, signed: true)); break;
            case EffectKind.SendStartAnswer:
                SendTo(effect.To, Message.OfStart(MessageKind.StartAnswer, effect.Start, effect.Earlier, signed: true));
                break;
            case EffectKind.SendStatus: SendStatus(effect); break;
            case EffectKind.SendPayload: SendPayload(effect); break;
            case EffectKind.SendDones: SendDones(effect); break;
            case EffectKind.DropPayload:
                _dropped.Add(effect.Digest);
                break;
        }
    }

    private void SendPayload(in Effect effect)
    {
        if (effect.Number == 0) // The core does not know whether it is in the journal.
        {
            if (!Journal.TryGetDelivered(effect.Instance, out var delivered) || delivered != effect.Digest) return;
            foreach (var peer in effect.To) Broadcast.OnServed(peer, SimulatedSource.PayloadBytes);
        }

        SendTo(effect.To, new(MessageKind.Payload, effect.Instance, ContentOf(effect.Digest)));
    }

    private void SendDones(in Effect effect)
    {
        for (var i = 0; i < effect.Number; i++)
        {
            var instance = effect.Instance with { Seq = effect.Instance.Seq + (ulong)i };
            Invariant.Holds(Journal.TryGetDelivered(instance, out var digest)); // The core says that it is there.
            SendTo(effect.To, Message.Of(new Vote(VoteKind.Done, instance, digest)));
        }
    }

    private void SendStatus(in Effect effect)
    {
        var message = Message.Of(_effects.StatusOf(effect));
        SendTo(effect.To, message);
        if (effect.ToSource && message.Instance.Stream.Source < _sending.Length) Add(message.Instance.Stream.Source, message);
    }

    private void SendTo(ReplicaSet to, in Message message)
    {
        _said.Add(message);
        foreach (var peer in to) Add(peer.Index, message);
    }

    private void Add(int node, in Message message) => (_sending[node] ??= []).Add(message);

    private Frame?[] TakeFrames()
    {
        var frames = new Frame?[_sending.Length];
        for (var i = 0; i < frames.Length; i++)
        {
            if (_sending[i] is not { Count: > 0 } messages) continue;
            frames[i] = new([.. messages]);
            messages.Clear();
        }

        return frames;
    }

    private void Leave(in Outbox outbox)
    {
        foreach (ref readonly var message in outbox.Said.AsSpan()) _port.Leaving(this, message);
        for (var i = 0; i < outbox.Frames.Length; i++)
            if (outbox.Frames[i] is { } frame) _port.Send(this, i, frame);
    }

    private static Instant? Earlier(Instant? one, Instant? other) =>
        one is null || (other is { } second && second < one) ? other : one;

    private enum InputKind : byte
    {
        Frame,
        Synced,
        LinkUp,
        LinkDown,
        Deadline,
    }

    private readonly record struct Input(InputKind Kind, int From, Frame? Frame, long Ticket);

    private readonly record struct Outbox(long Ticket, long LastRecord, Message[] Said, Frame?[] Frames);
}
