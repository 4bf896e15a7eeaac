using System.Net.Sockets;
using System.Threading.Channels;

namespace Massif.Reb.Links;

/// <summary>
/// One authenticated connection: a bounded queue with one writer, and one reader that waits for the receiver. It lives
/// until either side closes it; whoever wants another makes a new one.
/// </summary>
internal sealed class Link(AuthenticatedConnection connection, LinkOptions options, LinkCounters counters) : IAsyncDisposable
{
    // Smaller frames are gathered, so that a vote does not become a TLS record of its own; a larger one fills records by itself.
    private const int GatherBelow = 16 * 1024;
    private const int GatherBytes = 64 * 1024;
    private const int ReadBytes = 64 * 1024;

    // A busy socket never makes its loop wait; after so many bytes the loop lets the other links have its thread.
    private const int TurnBytes = 1024 * 1024;

    private static readonly byte[] PingFrame = Frames.Make(Frames.Ping, []);

    // Unbounded as a channel, because the bound is in bytes: TrySend keeps it.
    private readonly Channel<ReadOnlyMemory<byte>> _queue =
        Channel.CreateUnbounded<ReadOnlyMemory<byte>>(new() { SingleReader = true });

    // Never disposed of: it has no timer, and a late Abort may still cancel it.
    private readonly CancellationTokenSource _closed = new();
    private readonly byte[] _gathered = GC.AllocateUninitializedArray<byte>(GatherBytes);
    private int _gatheredBytes;
    private long _queuedBytes;
    private int _queuedFrames;
    private long _heardAt = Environment.TickCount64;
    private long _sentAt = Environment.TickCount64;
    private volatile bool _isWriting;
    private volatile bool _receiverWorks;
    private string? _reason;

    /// <summary>Gets the start nonce of the peer.</summary>
    public ulong PeerStartNonce => connection.PeerStartNonce;

    /// <summary>Gets the address of the other end.</summary>
    public string Remote => connection.Remote;

    /// <summary>Gets how many bytes wait.</summary>
    public long QueuedBytes => Interlocked.Read(ref _queuedBytes);

    /// <summary>Gets whether it has ended, or is about to.</summary>
    public bool IsClosed => _closed.IsCancellationRequested;

    /// <summary>Gets what fires when the link ends.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Gets what was wrong with a frame of the peer; null when the link ended for another reason.</summary>
    public LinkRefusal? Offence { get; private set; }

    /// <summary>Queues a frame; false when the queue is full or the link closed. Never waits.</summary>
    public bool TrySend(ReadOnlyMemory<byte> frame)
    {
        // First take the room, then look whether there was any: two senders cannot both get the last of it.
        var bytes = Interlocked.Add(ref _queuedBytes, frame.Length);
        var frames = Interlocked.Increment(ref _queuedFrames);
        if (bytes <= options.QueueBytesMax && frames <= options.QueueFramesMax && _queue.Writer.TryWrite(frame)) return true;
        Unqueue(frame.Length);
        return false;
    }

    /// <summary>Ends the link; the first reason counts.</summary>
    public void Abort(string reason)
    {
        if (Interlocked.CompareExchange(ref _reason, reason, null) is not null) return;
        _queue.Writer.TryComplete();
        _closed.Cancel();
    }

    /// <summary>Reads and writes until the link ends.</summary>
    /// <returns>Why it ended.</returns>
    public async Task<string> RunAsync(ILinkObserver observer)
    {
        connection.Transport.StartBuffering();
        // Each on a task of its own: as long as reading never has to wait it would not let writing begin.
        await Task.WhenAll(Task.Run(() => EndsLink(() => ReadAsync(observer))), Task.Run(() => EndsLink(WriteAsync)));
        return _reason!;
    }

    /// <summary>Looks after the link now and then: pings an idle one, ends a dead one.</summary>
    /// <param name="now">Milliseconds of <see cref="Environment.TickCount64"/>.</param>
    public void Tick(long now)
    {
        // While our receiver works we do not listen, so silence then says nothing about the peer.
        if (!_receiverWorks && now - Volatile.Read(ref _heardAt) > options.SilenceMax.TotalMilliseconds) Abort("the peer is silent");
        var sinceSent = now - Volatile.Read(ref _sentAt);
        if (_isWriting && sinceSent > options.WriteTimeMax.TotalMilliseconds) Abort("the peer does not read");

        // The Ping does not wait for an answer: each side sends its own, so a side whose receiver is busy still shows life.
        if (!_isWriting && sinceSent >= options.PingInterval.TotalMilliseconds) TrySend(PingFrame);
    }

    /// <summary>Starts the silence anew: this process did not run for a while, so what it did not hear proves nothing.</summary>
    public void Forgive(long now)
    {
        Volatile.Write(ref _heardAt, now);
        Volatile.Write(ref _sentAt, now);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        Abort("closed");
        await connection.Tls.DisposeAsync(); // Also the transport and the socket.
    }

    private async Task EndsLink(Func<Task> loop)
    {
        try
        {
            await loop();
            Abort("the peer closed the connection");
        }
        catch (OperationCanceledException) when (IsClosed)
        {
            // Abort has said why.
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            Abort(e.InnerException is SocketException inner ? inner.Message : e.Message);
        }
        catch (Exception e)
        {
            // A receiver that fails ends its link and not the process; the host behind it decides about itself.
            Abort($"the receiver failed: {e.Message}");
        }
    }

    private async Task WriteAsync()
    {
        while (await _queue.Reader.WaitToReadAsync(_closed.Token))
        {
            _isWriting = true;
            Volatile.Write(ref _sentAt, Environment.TickCount64);
            var turn = 0;
            while (_queue.Reader.TryRead(out var frame))
            {
                await PutAsync(frame);
                Unqueue(frame.Length);
                counters.FramesOut++;
                counters.BytesOut += frame.Length;
                if ((turn += frame.Length) < TurnBytes) continue;
                turn = 0;
                await Task.Yield();
            }

            await WriteGatheredAsync();
            await connection.Tls.FlushAsync(_closed.Token);
            Volatile.Write(ref _sentAt, Environment.TickCount64);
            _isWriting = false;
        }
    }

    private async ValueTask PutAsync(ReadOnlyMemory<byte> frame)
    {
        if (frame.Length > GatherBytes - _gatheredBytes || frame.Length >= GatherBelow) await WriteGatheredAsync();
        if (frame.Length >= GatherBelow)
        {
            await connection.Tls.WriteAsync(frame, _closed.Token);
            Volatile.Write(ref _sentAt, Environment.TickCount64);
            return;
        }

        frame.Span.CopyTo(_gathered.AsSpan(_gatheredBytes));
        _gatheredBytes += frame.Length;
    }

    private async ValueTask WriteGatheredAsync()
    {
        if (_gatheredBytes == 0) return;
        var count = _gatheredBytes;
        _gatheredBytes = 0;
        await connection.Tls.WriteAsync(_gathered.AsMemory(0, count), _closed.Token);
        Volatile.Write(ref _sentAt, Environment.TickCount64);
    }

    private void Unqueue(int bytes)
    {
        Interlocked.Add(ref _queuedBytes, -bytes);
        Interlocked.Decrement(ref _queuedFrames);
    }

    private async Task ReadAsync(ILinkObserver observer)
    {
        var buffer = GC.AllocateUninitializedArray<byte>(ReadBytes);
        var (start, end, turn) = (0, 0, 0);
        while (true)
        {
            while (end - start < Frames.HeaderLength)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
                var count = await ReceiveAsync(buffer.AsMemory(end));
                if (count == 0 && end > 0) throw new IOException("the connection ended inside a frame");
                if (count == 0) return;
                end += count;
            }

            if (!TryReadHeader(buffer.AsSpan(start), out var header)) return;
            if (header.Type == Frames.Ping)
            {
                start += Frames.HeaderLength;
                continue;
            }

            // The frame gets its own array, filled straight from TLS: payloads live on long after this.
            var frame = GC.AllocateUninitializedArray<byte>(header.TotalLength);
            var have = Math.Min(frame.Length, end - start);
            buffer.AsSpan(start, have).CopyTo(frame);
            start += have;
            while (have < frame.Length)
            {
                var count = await ReceiveAsync(frame.AsMemory(have));
                if (count == 0) throw new IOException("the connection ended inside a frame");
                have += count;
            }

            counters.FramesIn++;
            counters.BytesIn += frame.Length;
            _receiverWorks = true;
            await observer.OnFrameAsync(connection.Peer.Index, frame, _closed.Token);
            Volatile.Write(ref _heardAt, Environment.TickCount64);
            _receiverWorks = false;
            if ((turn += frame.Length) < TurnBytes) continue;
            turn = 0;
            await Task.Yield();
        }
    }

    private async ValueTask<int> ReceiveAsync(Memory<byte> into)
    {
        var count = await connection.Tls.ReadAsync(into, _closed.Token);
        Volatile.Write(ref _heardAt, Environment.TickCount64);
        return count;
    }

    private bool TryReadHeader(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        Offence = Frames.TryReadHeader(bytes, out header);
        var isLinksOwn = header.Type < Frames.FirstOpaque;
        if (Offence is null && isLinksOwn && (header.Type != Frames.Ping || header.TotalLength != Frames.HeaderLength))
            Offence = LinkRefusal.FrameType;
        if (Offence is { } offence) Abort(offence.Text());
        return Offence is null;
    }
}
