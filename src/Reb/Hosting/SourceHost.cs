using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>What a source host is made of.</summary>
/// <param name="Domain">The domain description.</param>
/// <param name="Self">This node.</param>
/// <param name="Channel">Number of the channel that the stream feeds; it gives the class and the use of paths.</param>
/// <param name="Keys">MAC keys shared with the replicas.</param>
/// <param name="Links">Exit to the network.</param>
/// <param name="Disk">Exit to the spool's directory.</param>
/// <param name="SpoolLimitBytes">The spool counts as full above this size, in bytes.</param>
/// <param name="StopAtFreePercent">The spool counts as full when less of the file system is free, in percent.</param>
/// <param name="BootId">Identity of this boot of the machine.</param>
/// <param name="NextNonce">Random numbers, for the session of envelopes.</param>
/// <param name="Counters">Where counters go.</param>
public sealed record SourceParts(
    Domain Domain,
    NodeIndex Self,
    byte Channel,
    PairwiseKeys Keys,
    ILinks Links,
    IDisk Disk,
    long SpoolLimitBytes,
    int StopAtFreePercent,
    Guid BootId,
    Func<ulong> NextNonce,
    Counters Counters);

/// <summary>The host around the source core of one stream: batch in, spool, envelopes over the paths, release.</summary>
/// <remarks>
/// It decides nothing of the protocol; which paths an attempt uses is its own (calm and paranoid come with another channel).
/// </remarks>
public sealed class SourceHost
{
    private readonly SourceParts _parts;
    private readonly Domain _domain;
    private Spool _spool;
    private BroadcastSource _core;
    private ulong _newestAtOpen;
    private readonly SourceEffects _effects = new();
    private readonly EnvelopeSender _sender;
    private readonly EnvelopeReceiver _receiver;
    private readonly LinkOutput _output;
    private readonly bool _copies;
    private readonly NodeIndex[] _destinations;
    private readonly StreamStatus[] _statuses = new StreamStatus[StatusFrame.MaxStatuses];
    private readonly bool[] _reachable;
    private readonly Counters.Counter _batches;
    private readonly Counters.Counter _synced;
    private readonly Counters.Counter _repeats;
    private readonly Counters.Counter _released;
    private readonly Counters.Counter _malformed;
    private readonly Counters.Counter[] _verdicts;

    /// <summary>Opens the spool, or makes one with a new incarnation, and resumes with the oldest batch in it.</summary>
    /// <exception cref="StorageFormatException">The spool is of another version.</exception>
    public SourceHost(SourceParts parts, in Moment now)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_parts, _domain) = (parts, parts.Domain);
        var replicas = _domain.Replicas.Select(replica => replica.Index).ToArray();
        _copies = _domain.Channels[parts.Channel].Paths == ChannelPaths.Copies;
        _spool = OpenSpool(0, now);
        _core = NewCore();
        _newestAtOpen = _spool.Newest;
        var paths = new OverlayPaths(_domain, parts.Self, replicas);
        _sender = new(parts.Self, parts.NextNonce(), paths, parts.Keys, _domain.Nodes.Count, parts.Counters);
        _receiver = new(_domain, parts.Self, parts.Keys, parts.Counters);
        _output = new(parts.Links);
        _destinations = new NodeIndex[replicas.Length];
        _reachable = new bool[replicas.Length];
        _batches = parts.Counters.Of("massif_batches_published_total");
        _synced = parts.Counters.Of("massif_batches_synced_total");
        _repeats = parts.Counters.Of("massif_initial_repeats_total");
        _released = parts.Counters.Of("massif_batches_released_total");
        _malformed = parts.Counters.Of("massif_frames_refused_total{reason=\"malformed_status\"}");
        _verdicts = VerdictCounters.Of(FrameType.Status, parts.Counters);
    }

    /// <summary>Gets the paths of this source.</summary>
    public OverlayPaths Paths => _sender.Paths;

    /// <summary>Gets the stream and the incarnation of its spool.</summary>
    public StreamLife Life => _core.Life;

    /// <summary>Gets the seq that the next batch gets.</summary>
    public ulong NextSeq => _spool.Newest + 1;

    /// <summary>Gets the highest released seq.</summary>
    public ulong Released => _core.Released;

    /// <summary>Gets the trusted time of the last batch in the spool, nanoseconds since 1970 UTC; 0 when there is none.</summary>
    public long LastWallNanoseconds => _spool.LastWallNanoseconds;

    /// <summary>Gets what was wrong with the incarnation before this one; null when nothing was.</summary>
    public string? SpoolDamage => _spool.Damage;

    /// <summary>Gets the size of the spool in bytes.</summary>
    public long SpoolBytes => _spool.Bytes;

    /// <summary>Gets whether nothing more may be published for now: the spool is at its limit, or the disk cannot keep up.</summary>
    public bool IsFull => _spool.IsFull;

    /// <summary>Gets when <see cref="OnDeadline"/> is due.</summary>
    public Instant? NextDeadline => _core.NextDeadline;

    /// <summary>Returns the highest seq that a replica reported delivered and durable.</summary>
    public ulong DurableAt(ReplicaId replica) => _core.DurableAt(replica);

    /// <summary>Adds what the bus side of a source may hold in memory.</summary>
    public void AddTo(MemoryBound bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        var leastBytes = InitialMessage.PrefixLength(_domain.Replicas.Count) + SegmentLog.RecordOverheadBytes;
        bound.Add("batches of the spool in memory", Spool.MemoryBytesMax + Spool.UnsyncedBytesMax + _domain.Protocol.BatchBytesMax);
        bound.Add("index of the spool, by batch of the least size", _parts.SpoolLimitBytes / leastBytes, SpoolIndex.BytesPerBatch + 1);
    }

    /// <summary>
    /// Puts one batch into the spool. It leaves when the spool is synced; the caller ends the turn
    /// with <see cref="EndTurn"/>.
    /// </summary>
    public ulong Publish(ReadOnlySpan<byte> payload, in Moment now)
    {
        Invariant.Holds(payload.Length <= _domain.Protocol.BatchBytesMax);
        var seq = NextSeq;
        var instance = new InstanceId(_domain.Epoch, Life.Stream, Life.Incarnation, seq);
        var header = new BatchHeader(
            instance, _parts.Channel, payload.Length, Digest.Of(payload), now.WallNanoseconds, now.Now.Nanoseconds, _parts.BootId);
        _spool.Append(seq, InitialMessage.Build(header, _domain.Replicas.Count, payload, MacFor), now.WallNanoseconds);
        _batches.Add();
        return seq;
    }

    /// <summary>Ends a burst of inputs: what was published is synced once.</summary>
    public void EndTurn(in Moment now)
    {
        if (_core.SpoolLost) BeginNewLife(now);
        _spool.EndTurn();
    }

    /// <summary>Takes a frame from a neighbour; a source expects statuses of replicas, in envelopes.</summary>
    public void OnFrame(NodeIndex from, ReadOnlySpan<byte> frame, in Moment now)
    {
        if ((FrameType)Frames.TypeOf(frame) != FrameType.Envelope)
        {
            _parts.Links.Close(from, $"frame of type {Frames.TypeOf(frame)} is not for an edge");
            return;
        }

        if (!_receiver.TryOpen(from, frame, out var envelope)) return;
        if (envelope.Content != EnvelopeContent.Status
            || Digest.Of(envelope.Body) != envelope.BodyHash
            || _domain.ReplicaOf(envelope.Source) is not { } replica)
        {
            _receiver.Blame(from, PathFault.BadBody);
            return;
        }

        var count = StatusFrame.Read(envelope.Body, _statuses);
        if (count < 0) _malformed.Add();
        for (var i = 0; i < count; i++)
        {
            if (_statuses[i].Life.Stream != Life.Stream) continue;
            _verdicts[(int)_core.OnStatus(replica, _statuses[i], now.Now, _effects)].Add();
            CarryOut();
        }
    }

    /// <summary>The link to a neighbour came up or went down.</summary>
    public void OnLinkChange(in Moment now)
    {
        for (byte i = 0; i < _reachable.Length; i++)
        {
            var reachable = HasPathTo(_domain.NodeOf(new(i)));
            if (reachable == _reachable[i]) continue;
            _reachable[i] = reachable;
            _core.OnReplicaReachable(new(i), reachable, now.Now, _effects);
        }

        CarryOut();
    }

    /// <summary>The disk finished a sync: what it covers may leave (R0).</summary>
    public void OnSynced(long ticket, in Moment now)
    {
        var newest = _spool.OnSynced(ticket);
        for (var seq = _core.Newest + 1; seq <= newest; seq++)
        {
            _core.OnBatchDurable(seq, now.Now, _effects);
            _synced.Add();
        }

        CarryOut();
    }

    /// <summary>Does what is due.</summary>
    public void OnDeadline(in Moment now)
    {
        _core.OnDeadline(now.Now, _effects);
        CarryOut();
    }

    private Spool OpenSpool(ulong above, in Moment now) => new(
        _parts.Disk,
        _domain.Channels[_parts.Channel].Class == StreamClass.Bulk ? "bulk" : "urgent",
        new(_parts.SpoolLimitBytes, _parts.StopAtFreePercent),
        new(above, (ulong)now.WallNanoseconds, _spool?.LastTicket ?? 0),
        _parts.Counters);

    private BroadcastSource NewCore()
    {
        var constants = _domain.Protocol;
        var options = new SourceOptions
        {
            Window = constants.Window,
            RtoMs = constants.RtoMinMilliseconds,
            RtoMaxMs = constants.RtoMaxMilliseconds,
        };
        var stream = new StreamId(_parts.Self.Value, _domain.Channels[_parts.Channel].Class);
        return new(new(stream, _spool.Incarnation), _domain.Quorums, options, _spool.Oldest, _spool.Newest, _spool.BytesOf);
    }

    /// <summary>
    /// The spool went back in time, a restored snapshot for instance: replicas hold more of this life than it does (R0). What it
    /// held before this run is delivered; what this run published under seqs that were used before is published again, in a new life.
    /// </summary>
    private void BeginNewLife(in Moment now)
    {
        _parts.Counters.Of("massif_spool_lost_total").Add();
        var payloads = new List<ReadOnlyMemory<byte>>();
        for (var seq = Math.Max(_newestAtOpen + 1, _spool.Oldest); seq <= _spool.Newest; seq++)
            payloads.Add(_spool.Read(seq)[InitialMessage.PrefixLength(_domain.Replicas.Count)..]);
        _spool = OpenSpool(_spool.Incarnation, now);
        _core = NewCore();
        _newestAtOpen = 0;
        Array.Clear(_reachable);
        foreach (var payload in payloads) Publish(payload.Span, now);
        OnLinkChange(now);
    }

    private void MacFor(ReplicaId replica, in Digest digest, Span<byte> mac)
    {
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.Write(bytes);
        _parts.Keys.Mac(_domain.NodeOf(replica), MacPurpose.Initial, bytes, mac);
    }

    private bool HasPathTo(NodeIndex replica)
    {
        for (var path = 0; path < Paths.Count; path++)
        {
            if (Paths.FirstHop(path, replica) is { } hop && _parts.Links.IsUp(hop)) return true;
        }

        return false;
    }

    private void CarryOut()
    {
        foreach (ref readonly var effect in _effects.Items)
        {
            switch (effect.Kind)
            {
                case SourceEffectKind.SendInitial: SendInitial(effect); break;
                case SourceEffectKind.Release:
                    _spool.Release(effect.Seq);
                    _released.Value = (long)effect.Seq;
                    break;
                case SourceEffectKind.SpoolLost: break; // The end of the turn begins a new life.
                default: throw new InvariantViolationException($"No rule for effect {effect.Kind}.");
            }
        }

        _effects.Clear();
    }

    private void SendInitial(in SourceEffect effect)
    {
        if (effect.Attempt > 0) _repeats.Add(effect.To.Count);
        var message = _spool.Read(effect.Seq);
        var prefix = InitialMessage.PrefixLength(_domain.Replicas.Count);
        var bodyHash = Digest.Of(message.Span[..prefix]);
        for (var i = 0; i < Paths.Count; i++)
        {
            var path = (effect.Attempt + i) % Paths.Count;
            var destinations = _copies ? All(effect.To) : ThoseWhosePathIs(path, i, effect);
            if (!destinations.IsEmpty)
                _sender.Send(EnvelopeContent.Initial, bodyHash, message.Span, destinations, path, _output);
        }
    }

    private ReadOnlySpan<NodeIndex> All(ReplicaSet replicas)
    {
        var count = 0;
        foreach (var replica in replicas) _destinations[count++] = _domain.NodeOf(replica);
        return _destinations.AsSpan(0, count);
    }

    /// <summary>One path per replica: the first, from the attempt's on, whose first link is up.</summary>
    private ReadOnlySpan<NodeIndex> ThoseWhosePathIs(int path, int turn, in SourceEffect effect)
    {
        var count = 0;
        foreach (var replica in effect.To)
        {
            var node = _domain.NodeOf(replica);
            if (IsUp(path, node) && !AnyUpBefore(turn, effect.Attempt, node)) _destinations[count++] = node;
        }

        return _destinations.AsSpan(0, count);
    }

    private bool AnyUpBefore(int turn, int attempt, NodeIndex node)
    {
        for (var i = 0; i < turn; i++)
        {
            if (IsUp((attempt + i) % Paths.Count, node)) return true;
        }

        return false;
    }

    private bool IsUp(int path, NodeIndex node) => Paths.FirstHop(path, node) is { } hop && _parts.Links.IsUp(hop);

    private sealed class LinkOutput(ILinks links) : IFrameOutput
    {
        public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame) => links.TrySend(to, frame);
    }
}
