using System.Net;
using Massif.Events;
using Massif.Get.Framing;
using Massif.Get.Recognition;
using Massif.Mis.Edge.Collectors;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Mis.Edge;

/// <summary>The edge node between sockets and bus: framing, translation, trusted time, batches, spool (design section 7).</summary>
/// <remarks>
/// Synchronous and deterministic: production and simulation drive exactly this class. Its only exits are the links, the disk
/// and the clock of <see cref="SourceParts"/>. A batch closes at its limits or <see cref="EdgeOptions.BatchDelayMilliseconds"/>
/// after its first event. While <see cref="Accepts"/> is false its callers hold input back, so that TCP senders wait.
/// </remarks>
public sealed class EdgeHost
{
    private const int ConnectionBytes = 4 * 1024; // Socket, tasks and framing without a buffer; measured, rounded up.

    private readonly EdgeOptions _options;
    private readonly SourceHost _source;
    private readonly EventDraft _draft = new();
    private readonly BatchBuilder _batch = new();
    private readonly byte[] _payload = new byte[BatchBuilder.SingleEventBytesMax];
    private readonly SenderConnections _connections;
    private readonly Queue<long> _toClose = [];
    private readonly ListenerState[] _listeners;
    private readonly TrustedClock _clock;
    private readonly InternalEvents _internal;
    private readonly Counters.Counter _events;
    private readonly Counters.Counter _internalEvents;
    private readonly Counters.Counter _openConnections;
    private Instant? _batchDue;
    private TrustedTime _trusted;

    /// <summary>Opens the spool and resumes where the last run ended.</summary>
    /// <exception cref="Reb.Storage.StorageFormatException">The spool is of another version.</exception>
    public EdgeHost(EdgeOptions options, SourceParts parts, in Moment now)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(parts);
        _options = options;
        _connections = new(options.PartialFrameBytesMax);
        _source = new(parts, now);
        _clock = new(_source.LastWallNanoseconds);
        _listeners = [.. options.Syslog.Select(listener => new ListenerState(listener, parts.Counters))];
        _internal = new(parts.Domain[parts.Self].Id);
        _events = parts.Counters.Of("massif_events_received_total");
        _internalEvents = parts.Counters.Of("massif_internal_events_total");
        _openConnections = parts.Counters.Of("massif_syslog_connections");
        _trusted = Read(now);
        Report(EventAction.Started, _source.SpoolDamage ?? "edge started", now);
        EndTurn(now);
    }

    /// <summary>Gets the bus side, to be looked at between turns.</summary>
    public SourceHost Source => _source;

    /// <summary>Gets whether more input may be given: the spool has room and the disk keeps up.</summary>
    public bool Accepts { get; private set; }

    /// <summary>Gets the memory in which connections hold what is no frame yet, in bytes.</summary>
    public long PartialFrameBytes => _connections.Bytes;

    /// <summary>Gets when <see cref="OnDeadline"/> is due.</summary>
    public Instant? NextDeadline => _source.NextDeadline is { } source && _batchDue is { } batch
        ? (source < batch ? source : batch)
        : _source.NextDeadline ?? _batchDue;

    /// <summary>Adds what senders and the bus can make the edge hold in memory.</summary>
    public void AddTo(MemoryBound bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        var largest = _options.Syslog.Max(listener => listener.MaxMessageBytes);
        var partial = _options.PartialFrameBytesMax + (4L * (largest + TcpConnection.ChunkBytes));
        bound.Add("messages without an end yet (partial_frames_mib)", partial);
        var connections = _options.Syslog.Sum(listener => (long)listener.MaxConnections);
        bound.Add("connections of senders (max_connections)", connections, ConnectionBytes);
        var udp = _options.Syslog.Count(l => l.Protocol == SyslogProtocol.Udp);
        bound.Add("buffers and known senders of UDP listeners", udp, UdpCollector.MemoryBytes);
        bound.Add("the batch under way", 2, BatchBuilder.SingleEventBytesMax);
        _source.AddTo(bound);
    }

    /// <summary>Takes one input.</summary>
    public void Step(in EdgeInput input, in Moment now)
    {
        switch (input.Kind)
        {
            case EdgeInputKind.Bus: OnBus(input.Bus, now); break;
            case EdgeInputKind.Opened: Open(input); break;
            case EdgeInputKind.Chunk: Take(input, now); break;
            case EdgeInputKind.Closed: Close(input.Connection, now); break;
            case EdgeInputKind.Datagram: TakeDatagram(input, now); break;
            case EdgeInputKind.Lost: OnLost(input, now); break;
            default: throw new InvariantViolationException($"No rule for input {input.Kind}.");
        }
    }

    /// <summary>Does what is due: closes a batch that has waited long enough, repeats what is not confirmed.</summary>
    public void OnDeadline(in Moment now)
    {
        if (_batchDue <= now.Now) CloseBatch(now);
        _source.OnDeadline(now);
    }

    /// <summary>Ends a burst of inputs: what was published is synced once.</summary>
    public void EndTurn(in Moment now)
    {
        if (_batchDue <= now.Now) CloseBatch(now);
        _source.EndTurn(now);
        Accepts = !_source.IsFull;
    }

    /// <summary>
    /// Returns a connection that the host has given up because it holds memory for a frame that does not end: the node closes it.
    /// </summary>
    public bool TryTakeClosed(out long connection) => _toClose.TryDequeue(out connection);

    /// <summary>Closes the batch under way, so that nothing waits when the node stops.</summary>
    public void Flush(in Moment now)
    {
        foreach (var connection in _connections.Numbers) Close(connection, now);
        Report(EventAction.Stopped, "edge stopped", now);
        CloseBatch(now);
        EndTurn(now);
    }

    private void OnBus(in HostInput input, in Moment now)
    {
        switch (input.Kind)
        {
            case HostInputKind.Frame: _source.OnFrame(input.Node, input.Frame.Span, now); break;
            case HostInputKind.LinkUp or HostInputKind.LinkDown: _source.OnLinkChange(now); break;
            case HostInputKind.DiskSynced: _source.OnSynced(input.Ticket, now); break;
            case HostInputKind.Request: input.Request!.Answer(this); break;
            default: throw new InvariantViolationException($"No rule for input {input.Kind}.");
        }
    }

    private void Open(in EdgeInput input)
    {
        var listener = _listeners[input.Listener];
        var framing = new SyslogFraming(listener.Options.MaxMessageBytes, overTls: false);
        _connections.Add(new(input.Connection, listener, framing, ContextOf(listener, input.Peer, EventTransport.Tcp)));
        _openConnections.Value = _connections.Count;
    }

    private void Take(in EdgeInput input, in Moment now)
    {
        if (!_connections.TryGet(input.Connection, out var connection)) return;
        _trusted = Read(now);
        var frames = connection.Framing.Frames;
        connection.Framing.Push(input.Bytes.Span);
        TakeFrames(connection, now);
        _connections.Note(connection, frames);
        while (_connections.Overflowing() is { } oldest)
        {
            Close(oldest.Number, now);
            _toClose.Enqueue(oldest.Number);
        }
    }

    private void Close(long number, in Moment now)
    {
        if (!_connections.Remove(number, out var connection)) return;
        _openConnections.Value = _connections.Count;
        _trusted = Read(now);
        connection.Framing.End();
        TakeFrames(connection, now);
    }

    private void TakeFrames(SenderConnection connection, in Moment now)
    {
        var discarded = connection.Framing.DiscardedBytes;
        var context = connection.Context with { Trusted = _trusted, ReceivedWallNanoseconds = now.WallNanoseconds };
        while (connection.Framing.TryRead(out var frame))
        {
            EventTranslator.Translate(frame.Bytes, context, _draft, frame.Flags);
            connection.Listener.Events.Add();
            if ((frame.Flags & EventFlags.Truncated) != 0) connection.Listener.Truncated.Add();
            _events.Add();
            Add(now);
        }

        connection.Listener.Discarded.Add(connection.Framing.DiscardedBytes - discarded);
    }

    private void TakeDatagram(in EdgeInput input, in Moment now)
    {
        var listener = _listeners[input.Listener];
        _trusted = Read(now);
        var bytes = input.Bytes.Span;
        var flags = EventFlags.None;
        if (bytes.Length > listener.Options.MaxMessageBytes)
        {
            listener.Discarded.Add(bytes.Length - listener.Options.MaxMessageBytes);
            listener.Truncated.Add();
            bytes = bytes[..listener.Options.MaxMessageBytes];
            flags = EventFlags.Truncated;
        }

        var context = ContextOf(listener, input.Peer, EventTransport.Udp) with
        {
            Trusted = _trusted,
            ReceivedWallNanoseconds = now.WallNanoseconds,
        };
        EventTranslator.Translate(bytes, context, _draft, flags);
        listener.Events.Add();
        _events.Add();
        Add(now);
    }

    private void OnLost(in EdgeInput input, in Moment now)
    {
        var listener = _listeners[input.Listener];
        listener.Lost.Add(input.Count);
        Report(EventAction.Loss, $"listener {listener.Options.Name} lost {input.Count} datagrams before they could be read", now);
    }

    private void Report(EventAction action, string message, in Moment now)
    {
        _internal.Fill(_draft, action, message, _trusted);
        _internalEvents.Add();
        Add(now);
    }

    private void Add(in Moment now)
    {
        if (!_batch.TryAdd(_draft))
        {
            CloseBatch(now);
            var added = _batch.TryAdd(_draft);
            Invariant.Holds(added); // No draft is longer than an empty batch takes.
        }

        _batchDue ??= now.Now.PlusMilliseconds(_options.BatchDelayMilliseconds);
    }

    private void CloseBatch(in Moment now)
    {
        _batchDue = null;
        if (_batch.Count == 0) return;
        _batch.Write(_payload);
        _source.Publish(_payload.AsSpan(0, _batch.Bytes), now with { WallNanoseconds = _trusted.Nanoseconds });
        _batch.Reset();
    }

    private TrustedTime Read(in Moment now)
    {
        var stepped = _trusted.ClockStep;
        _trusted = _clock.Read(now.WallNanoseconds, now.Now.Nanoseconds, (TimeQuality)now.Quality, now.ErrorMicroseconds);
        if (_trusted.ClockStep && !stepped) Report(EventAction.ClockStepped, "the wall clock stepped; trusted time never goes back", now);
        return _trusted;
    }

    private static ReceiveContext ContextOf(ListenerState listener, IPEndPoint? peer, EventTransport transport) => new()
    {
        DefaultOffsetMinutes = (short)listener.Options.DefaultTimezoneMinutes,
        PeerAddress = AddressOf(peer),
        PeerPort = (ushort)(peer?.Port ?? 0),
        Transport = transport,
        Replay = listener.Options.Mode == ListenerMode.Replay,
    };

    private static IpAddress? AddressOf(IPEndPoint? peer)
    {
        if (peer is null) return null;
        Span<byte> bytes = stackalloc byte[16];
        return peer.Address.MapToIPv6().TryWriteBytes(bytes, out _) && IpAddress.TryRead(bytes, out var address) ? address : null;
    }
}
