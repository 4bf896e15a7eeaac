using System.Net.Sockets;

namespace Massif.Reb.Links;

/// <summary>
/// The stream between TLS and the socket. TLS reads and writes single records of 16 KiB; here many of them become one
/// system call. Before <see cref="StartBuffering"/> it passes everything through and holds no memory, because whoever is at
/// the other end is not known yet.
/// </summary>
/// <remarks>One reader and one writer at a time, as for a socket.</remarks>
internal sealed class TransportStream(Socket socket) : Stream
{
    private const int BufferBytes = 256 * 1024;

    private byte[] _in = [];
    private byte[] _out = [];
    private int _inStart;
    private int _inEnd;
    private int _outEnd;

    /// <inheritdoc />
    public override bool CanRead => true;

    /// <inheritdoc />
    public override bool CanSeek => false;

    /// <inheritdoc />
    public override bool CanWrite => true;

    /// <inheritdoc />
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc />
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Starts to gather; from now on the writer flushes.</summary>
    public void StartBuffering()
    {
        _in = GC.AllocateUninitializedArray<byte>(BufferBytes);
        _out = GC.AllocateUninitializedArray<byte>(BufferBytes);
    }

    /// <inheritdoc />
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_inStart == _inEnd)
        {
            // An empty read asks whether something is there; it must reach the socket.
            if (buffer.Length >= _in.Length || buffer.IsEmpty) return await socket.ReceiveAsync(buffer, cancellationToken);
            _inStart = 0;
            _inEnd = await socket.ReceiveAsync(_in, cancellationToken);
        }

        var count = Math.Min(buffer.Length, _inEnd - _inStart);
        _in.AsSpan(_inStart, count).CopyTo(buffer.Span);
        _inStart += count;
        return count;
    }

    /// <inheritdoc />
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length > _out.Length - _outEnd) await FlushAsync(cancellationToken);
        if (buffer.Length > _out.Length)
        {
            await SendAllAsync(buffer, cancellationToken);
            return;
        }

        buffer.Span.CopyTo(_out.AsSpan(_outEnd));
        _outEnd += buffer.Length;
    }

    /// <inheritdoc />
    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (_outEnd == 0) return;
        var count = _outEnd;
        _outEnd = 0;
        await SendAllAsync(_out.AsMemory(0, count), cancellationToken);
    }

    /// <inheritdoc />
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc />
    public override void Flush() => throw new NotSupportedException("Links are asynchronous.");

    /// <inheritdoc />
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Links are asynchronous.");

    /// <inheritdoc />
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException("Links are asynchronous.");

    /// <inheritdoc />
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc />
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc />
    protected override void Dispose(bool disposing)
    {
        if (disposing) socket.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask SendAllAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (!bytes.IsEmpty) bytes = bytes[await socket.SendAsync(bytes, cancel)..];
    }
}
