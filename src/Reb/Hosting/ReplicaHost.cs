using System.Buffers;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>What a replica host is made of.</summary>
/// <param name="Domain">The domain description.</param>
/// <param name="Self">This replica's node.</param>
/// <param name="Keys">MAC keys shared with the other nodes.</param>
/// <param name="Signer">Signs this replica's starts.</param>
/// <param name="Verifier">Verifies starts.</param>
/// <param name="Links">Exit to the network.</param>
/// <param name="Disk">Exit to the journal's directory.</param>
/// <param name="JournalLimitBytes">Largest journal in bytes.</param>
/// <param name="StopAtFreePercent">New payloads wait when less of the file system is free, in percent.</param>
/// <param name="NextNonce">Random numbers, for start marks and the session of envelopes.</param>
/// <param name="Counters">Where counters go.</param>
public sealed record ReplicaParts(
    Domain Domain,
    NodeIndex Self,
    PairwiseKeys Keys,
    StartSigner Signer,
    StartVerifier Verifier,
    ILinks Links,
    IDisk Disk,
    long JournalLimitBytes,
    int StopAtFreePercent,
    Func<ulong> NextNonce,
    Counters Counters);

/// <summary>The host around the broadcast core of one replica: checks what arrives, carries out effects in order.</summary>
/// <remarks>It decides nothing of the protocol. One reader calls it; production and simulation drive exactly this class.</remarks>
public sealed partial class ReplicaHost
{
    private readonly Domain _domain;
    private readonly ReplicaParts _parts;
    private readonly ReplicaId _self;
    private readonly IApplication _application;
    private readonly Effects _effects = new();
    private readonly ReplicaJournal _journal;
    private readonly ReplicaOutbox _outbox;
    private readonly EnvelopeReceiver _receiver;
    private readonly InitialIntake _intake;
    private readonly StartDesk _start;
    private readonly VerdictCounters _verdicts;
    private readonly Vote[] _votes = new Vote[VotesFrame.MaxVotes];
    private readonly StreamStatus[] _statuses = new StreamStatus[StatusFrame.MaxStatuses];
    private readonly Counters.Counter _delivered;
    private readonly Counters.Counter _refusedFrames;
    private readonly Counters.Counter _unserved;
    private readonly Counters.Counter _busy;
    private readonly Counters.Counter _transfers;
    private readonly Counters.Counter _notUnderstood;
    private readonly Counters.Counter _skipped;
    private readonly Dictionary<StreamLife, ArrayBufferWriter<byte>> _incoming = [];
    private readonly Queue<StreamGap> _gaps = [];

    /// <summary>Restores the replica from its journal and starts it.</summary>
    /// <exception cref="StorageFormatException">The journal is damaged in the middle or of another version.</exception>
    public ReplicaHost(ReplicaParts parts, IApplication application, in Moment now)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_parts, _domain, _application) = (parts, parts.Domain, application);
        _self = _domain.ReplicaOf(parts.Self) ?? throw new ArgumentException("The node is no replica.", nameof(parts));
        var constants = _domain.Protocol;
        Core = new(_self, _domain.Quorums, OptionsOf(_domain));
        _start = new(parts, _self, new(_self, _domain.Quorums, constants.RtoMinMilliseconds, constants.RtoMaxMilliseconds));
        var paths = new OverlayPaths(_domain, parts.Self, [.. _domain.Edges.Select(edge => edge.Index)]);
        var sender = new EnvelopeSender(parts.Self, parts.NextNonce(), paths, parts.Keys, _domain.Nodes.Count, parts.Counters);
        _outbox = new(_domain, parts.Links, sender, parts.Counters);
        _receiver = new(_domain, parts.Self, parts.Keys, parts.Counters);
        _verdicts = new(parts.Counters);
        _journal = new(parts.Disk, parts.JournalLimitBytes, parts.StopAtFreePercent, constants, parts.Counters);
        _intake = new(_domain, parts.Self, _self, parts.Keys, _receiver, _journal, parts.Counters);
        _delivered = parts.Counters.Of("massif_batches_delivered_total");
        _refusedFrames = parts.Counters.Of("massif_frames_refused_total{reason=\"malformed_or_not_entitled\"}");
        _transfers = parts.Counters.Of("massif_state_transfers_total");
        _notUnderstood = parts.Counters.Of("massif_state_transfers_refused_total{reason=\"not_understood\"}");
        _skipped = parts.Counters.Of("massif_batches_skipped_total{reason=\"state_transfer\"}");
        _busy = parts.Counters.Of("massif_payloads_refused_total{reason=\"journal_behind\"}");
        _unserved = parts.Counters.Of("massif_fetches_unserved_total{reason=\"unreadable\"}");
        _journal.Restore(new(Core, _start, application));
        _start.Begin(now.Now, _effects);
        CarryOut();
        EndTurn(now);
    }

    /// <summary>Gets the broadcast core, to be looked at between turns.</summary>
    public ReliableBroadcast Core { get; }

    /// <summary>Gets the evidence against peers and sources since this start, the latest of it.</summary>
    public EvidenceLog Evidence { get; } = new();

    /// <summary>Gets whether votes may leave (R13).</summary>
    public bool IsSettled => _start.IsSettled;

    /// <summary>Gets whether this replica has lost its vote log and sends no ECHO in this epoch (R13).</summary>
    public bool EchoForbidden => _start.EchoForbidden;

    /// <summary>Gets this start's counter.</summary>
    public ulong StartCounter => _start.Counter;

    /// <summary>Gets why the disk takes no new batches, in words for the operator; null when it does.</summary>
    public string? DiskTrouble => _journal.Trouble;

    /// <summary>Gets the size of the journal in bytes.</summary>
    public long JournalBytes => _journal.TotalBytes;

    /// <summary>Gets when <see cref="OnDeadline"/> is due.</summary>
    public Instant? NextDeadline => Earliest(Core.NextDeadline, _start.NextDeadline);

    /// <summary>Reads a batch from the journal; false when it never came or retention has dropped it.</summary>
    public bool TryRead(StreamLife life, ulong seq, out StoredBatch batch) => _journal.TryRead(life, seq, out batch);

    /// <summary>Reads a batch that this replica holds, delivered or not; false when it never came or retention has dropped it.</summary>
    public bool TryRead(in InstanceId instance, in Digest digest, out StoredBatch batch) => _journal.TryRead(instance, digest, out batch);

    /// <summary>Takes one input.</summary>
    public void Step(in HostInput input, in Moment now)
    {
        switch (input.Kind)
        {
            case HostInputKind.Frame: OnFrame(input.Node, input.Frame, now); break;
            case HostInputKind.LinkUp: OnLink(input.Node, true, now); break;
            case HostInputKind.LinkDown: OnLink(input.Node, false, now); break;
            case HostInputKind.DiskSynced: OnSynced(input.Ticket, now); break;
            case HostInputKind.Request: throw new ArgumentException("Requests are answered by the node above.", nameof(input));
            default: throw new InvariantViolationException($"No rule for input {input.Kind}.");
        }

        CarryOut();
    }

    /// <summary>Does what is due.</summary>
    public void OnDeadline(in Moment now)
    {
        _start.OnDeadline(now.Now, _effects);
        if (_start.IsSettled) Core.OnDeadline(now.Now, _effects);
        CarryOut();
    }

    /// <summary>Ends a burst of inputs: what it logged is synced once, what it sends leaves after that.</summary>
    public void EndTurn(in Moment now)
    {
        if (_start.JustSettled()) Core.Start(_start.Counter, _start.EchoForbidden, now.Now, _effects);
        CarryOut();
        if (_start.IsSettled) Core.EndTurn(now.Now, _effects);
        CarryOut();
        _journal.RollIfDue(Core, _start, _application);
        _journal.KeepToLimit(Core);
        _outbox.EndTurn(_journal.EndTurn(_effects.LastRecord));
    }

    private static BroadcastOptions OptionsOf(Domain domain) => new()
    {
        Epoch = domain.Epoch,
        Nodes = domain.Nodes.Count,
        Window = domain.Protocol.Window,
        PayloadBytesMax = domain.Protocol.BatchBytesMax,
        DigestMemory = domain.Protocol.DigestMemory,
        HoldingLivesPerStream = domain.Protocol.HoldingLivesPerStream,
        RtoMs = domain.Protocol.RtoMinMilliseconds,
        RtoMaxMs = domain.Protocol.RtoMaxMilliseconds,
        StatusPeriodMs = domain.Protocol.StatusIntervalMilliseconds,
        CheckpointInterval = domain.Protocol.CheckpointInterval,
        FetchBytesPerSecond = (int)Math.Min(int.MaxValue, domain.Protocol.FetchMebibytesPerSecond * 1024L * 1024),
    };

    private static Instant? Earliest(Instant? left, Instant? right) =>
        left is { } l && right is { } r ? (l < r ? l : r) : left ?? right;

    private void OnLink(NodeIndex node, bool up, in Moment now)
    {
        if (_domain.ReplicaOf(node) is { } peer)
        {
            if (up)
            {
                _start.OnPeerConnected(peer, _effects);
                Core.OnPeerConnected(peer, now.Now, _effects);
            }
            else
            {
                Core.OnPeerDisconnected(peer);
            }

            return;
        }

        // Behind a relay is every edge, and the edge itself is its own path.
        if (!up || !_start.IsSettled) return;
        foreach (var edge in _domain.Edges)
        {
            if (edge.Index == node || _domain[node].Role == NodeRole.Relay) Core.OnSourceConnected(edge.Index.Value, now.Now, _effects);
        }
    }

    private void OnSynced(long ticket, in Moment now)
    {
        var record = _journal.OnSynced(ticket);
        Core.OnDurable(record, now.Now, _effects);
        _outbox.OnSynced(ticket);
    }

    private void OnFrame(NodeIndex from, ReadOnlyMemory<byte> frame, in Moment now)
    {
        var type = (FrameType)Frames.TypeOf(frame.Span);
        if (type == FrameType.Envelope)
        {
            if (_intake.TryTake(from, frame, out var initial)) TakeInitial(initial, now);
            return;
        }

        if (_domain.ReplicaOf(from) is { } peer && TakeFromPeer(peer, type, frame, now)) return;
        _refusedFrames.Add();
        _parts.Links.Close(from, $"frame of type {type} is malformed or not this node's to send");
    }

    private void TakeInitial(in AcceptedInitial initial, in Moment now)
    {
        var header = initial.Header;
        var verdict = Core.OnInitial(header.Instance, initial.Digest, header.PayloadLength, initial.Authentic, now.Now, _effects);
        _verdicts.Count(FrameType.Envelope, verdict);
        CarryOut();
        _journal.ForgetInput();
    }

    private bool TakeFromPeer(ReplicaId peer, FrameType type, ReadOnlyMemory<byte> frame, in Moment now)
    {
        var body = Frames.BodyOf(frame.Span);
        switch (type)
        {
            case FrameType.Votes: return TakeVotes(peer, body, now);
            case FrameType.Status: return TakeStatuses(peer, body, now);
            case FrameType.Fetch when ReplicaFrames.TryReadFetch(body, out var wanted, out var digest):
                _verdicts.Count(type, Core.OnFetch(peer, wanted, digest, now.Now, _effects));
                return true;
            case FrameType.Gone when ReplicaFrames.TryReadGone(body, out var low):
                _verdicts.Count(type, Core.OnGone(peer, low.Life, low.Seq, now.Now, _effects));
                return true;
            case FrameType.Payload when ReplicaFrames.TryReadPayload(body, out var header):
                TakePayload(peer, header, frame, now);
                return true;
            case FrameType.Start when ReplicaFrames.TryReadStart(body, out var mark, out var signature):
                _verdicts.Count(type, _start.OnAnnouncement(peer, mark, signature, _effects));
                return true;
            case FrameType.StartAnswer when ReplicaFrames.TryReadStartAnswer(body, out var mine, out var earlier, out var proof):
                _verdicts.Count(type, _start.OnAnswer(peer, mine, earlier, proof, now.Now, _effects));
                if (_start.JustReopened()) Core.Suspend(); // At once: the rest of this burst must not bring an ECHO about.
                return true;
            default: return TakeTransfer(peer, type, body, now);
        }
    }

    private bool TakeVotes(ReplicaId peer, ReadOnlySpan<byte> body, in Moment now)
    {
        var count = VotesFrame.Read(body, _votes);
        for (var i = 0; i < count; i++)
        {
            _verdicts.Count(FrameType.Votes, Core.OnVote(peer, _votes[i], now.Now, _effects));
            CarryOut();
        }

        return count > 0;
    }

    private bool TakeStatuses(ReplicaId peer, ReadOnlySpan<byte> body, in Moment now)
    {
        var count = StatusFrame.Read(body, _statuses);
        for (var i = 0; i < count; i++)
        {
            _verdicts.Count(FrameType.Status, Core.OnStatus(peer, _statuses[i], now.Now, _effects));
            CarryOut();
        }

        return count > 0;
    }

    private void TakePayload(ReplicaId peer, in BatchHeader header, ReadOnlyMemory<byte> frame, in Moment now)
    {
        if (_journal.IsBehind)
        {
            _busy.Add(); // It would wait in memory for the disk, as an INITIAL would. It is asked for again.
            return;
        }

        var headerBytes = frame.Slice(Frames.HeaderLength, BatchHeader.Length);
        var payload = frame[(Frames.HeaderLength + BatchHeader.Length)..];
        // A payload that is not what its own header says has no digest that could have been decided.
        var digest = Digest.Of(payload.Span) == header.PayloadHash ? Digest.Of(headerBytes.Span) : default;
        _journal.HoldInput(header.Instance, digest, headerBytes, payload);
        _verdicts.Count(FrameType.Payload, Core.OnPayload(peer, header.Instance, digest, header.PayloadLength, now.Now, _effects));
        CarryOut();
        _journal.ForgetInput();
    }

    private void CarryOut()
    {
        foreach (ref readonly var effect in _effects.Items)
        {
            switch (effect.Kind)
            {
                case EffectKind.SendVote: _outbox.AddVote(effect.To, effect.Vote); break;
                case EffectKind.SendStatus: _outbox.AddStatus(effect.To, effect.ToSource, _effects.StatusOf(effect)); break;
                case EffectKind.SendGone: SendToEach(effect.To, ReplicaFrames.BuildGone(effect.Instance)); break;
                case EffectKind.SendFetch: SendToEach(effect.To, ReplicaFrames.BuildFetch(effect.Instance, effect.Digest)); break;
                case EffectKind.SendPayload: ServePayload(effect); break;
                case EffectKind.SendDones: SendDones(effect); break;
                case EffectKind.StorePayload: _journal.StoreInput(effect); break;
                case EffectKind.LogVote: _journal.LogVote(effect); break;
                case EffectKind.LogDelivered: _journal.LogDelivered(effect); break;
                case EffectKind.Deliver: Deliver(effect); break;
                case EffectKind.DropPayload: _journal.Drop(effect.Instance); break;
                case EffectKind.SendCheckpointQuery or EffectKind.SendCheckpointOffers or EffectKind.SendCheckpointFetch
                    or EffectKind.SendCheckpointPart or EffectKind.MakeCheckpoint or EffectKind.LogJump:
                    CarryOutTransfer(effect);
                    break;
                case EffectKind.Evidence:
                    _verdicts.CountEvidence(effect.Evidence);
                    Evidence.Add(effect, _domain);
                    break;
                default: _start.CarryOut(effect, _outbox, _journal); break;
            }
        }

        _effects.Clear();
    }

    private void SendToEach(ReplicaSet to, byte[] frame)
    {
        foreach (var peer in to) _outbox.AddFrame(peer, frame);
    }

    private void ServePayload(in Effect effect)
    {
        if (!_journal.TryRead(effect.Instance, effect.Digest, out var batch))
        {
            _unserved.Add(); // The disk lost it, or it never was this one; the peer asks the next one when its time is up.
            return;
        }

        SendToEach(effect.To, ReplicaFrames.BuildPayload(batch.Header.Span, batch.Payload.Span));
        if (effect.Number > 0) return;
        foreach (var peer in effect.To) Core.OnServed(peer, batch.Payload.Length);
    }

    private void SendDones(in Effect effect)
    {
        for (var i = 0; i < effect.Number; i++)
        {
            var instance = effect.Instance with { Seq = effect.Instance.Seq + (ulong)i };
            if (_journal.TryGetDigest(instance.Life, instance.Seq, out var digest))
                _outbox.AddVote(effect.To, new(VoteKind.Done, instance, digest));
            else
                _unserved.Add();
        }
    }

    private void Deliver(in Effect effect)
    {
        _delivered.Add();
        if (effect.Instance.Seq <= _application.Applied(effect.Instance.Life)) return;
        var found = _journal.TryRead(effect.Instance, effect.Digest, out var batch);
        if (!found && _journal.Damage is [.., var newest]) throw DiskFailedException.Changed(newest);
        Invariant.Holds(found); // Decided and held: the core delivers nothing that it did not store.
        var read = BatchHeader.TryRead(batch.Header.Span, out var header);
        Invariant.Holds(read);
        _application.Apply(header, effect.Digest, batch.Payload);
    }
}
