using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Massif.Cli.Demo;

/// <summary>Sends input lines to the edge's replay listener over one TCP connection, as fast as it takes them or at a rate.</summary>
internal sealed class DemoFeeder(IPEndPoint listener, int? rate, int lineBytesMax) : IDisposable
{
    private const int FlushBytes = 64 * 1024;
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    private readonly LineDigest _digest = new(lineBytesMax);
    private readonly ArrayBufferWriter<byte> _buffer = new(2 * FlushBytes);
    private long _sent;

    /// <summary>Gets how many lines were sent.</summary>
    public long Sent => Interlocked.Read(ref _sent);

    /// <summary>Returns the digest over the lines sent, in order.</summary>
    public string Digest() => _digest.Current();

    /// <summary>Sends the lines, then closes the connection's sending half and waits until the edge has read everything.</summary>
    /// <param name="lines">The lines, without line ends.</param>
    /// <param name="limit">For how long to send; null for all lines.</param>
    /// <param name="beforeLine">Called before a line is sent, with the number of lines sent so far; everything before it has left.</param>
    /// <param name="checkpoints">The numbers of lines at which <paramref name="beforeLine"/> is called, ascending.</param>
    /// <param name="cancel">Ends sending at once.</param>
    /// <exception cref="IOException">The edge closed the connection.</exception>
    public async Task RunAsync(
        IEnumerable<ReadOnlyMemory<byte>> lines,
        TimeSpan? limit,
        Func<long, Task> beforeLine,
        IReadOnlyList<long> checkpoints,
        CancellationToken cancel)
    {
        using var socket = new Socket(listener.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(listener, cancel);
        await using var stream = new NetworkStream(socket);
        var watch = Stopwatch.StartNew();
        var pause = TimeSpan.Zero; // What checkpoints took does not count against the rate.
        var next = 0;
        foreach (var line in lines)
        {
            if (limit is { } most && watch.Elapsed >= most) break;
            while (next < checkpoints.Count && checkpoints[next] <= _sent)
            {
                await FlushAsync(stream, cancel);
                var began = watch.Elapsed;
                await beforeLine(checkpoints[next++]);
                pause += watch.Elapsed - began;
            }

            if (rate is { } perSecond) await KeepToRateAsync(stream, watch, pause, perSecond, cancel);
            Append(line.Span);
            if (_buffer.WrittenCount >= FlushBytes) await FlushAsync(stream, cancel);
        }

        await FlushAsync(stream, cancel);
        socket.Shutdown(SocketShutdown.Send);
        await WaitForCloseAsync(stream, cancel);
        for (; next < checkpoints.Count; next++) await beforeLine(checkpoints[next]); // Sending ended early: the story still does.
    }

    /// <inheritdoc />
    public void Dispose() => _digest.Dispose();

    /// <summary>
    /// Octet counting (RFC 6587 section 3.4.1) keeps every byte, but a receiver that decides per frame only takes it for a line
    /// with a priority. Others go with LF; one that looks like an octet count or a PROXY header itself gets a space before it.
    /// </summary>
    private void Append(ReadOnlySpan<byte> line)
    {
        _digest.Add(line);
        if (line[0] == '<')
        {
            var space = _buffer.GetSpan(12);
            Utf8Formatter.TryFormat(line.Length, space, out var digits);
            space[digits] = (byte)' ';
            _buffer.Advance(digits + 1);
            _buffer.Write(line);
        }
        else
        {
            if (LooksLikeFraming(line)) _buffer.Write(" "u8);
            _buffer.Write(line);
            _buffer.Write("\n"u8);
        }

        Interlocked.Increment(ref _sent);
    }

    private static bool LooksLikeFraming(ReadOnlySpan<byte> line)
    {
        if (line.StartsWith("PROXY "u8)) return true;
        var digits = line.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return digits > 0 && line[digits..].StartsWith(" <"u8);
    }

    private async ValueTask KeepToRateAsync(NetworkStream stream, Stopwatch watch, TimeSpan pause, int perSecond, CancellationToken cancel)
    {
        while (_sent >= (watch.Elapsed - pause).TotalSeconds * perSecond)
        {
            await FlushAsync(stream, cancel);
            await Task.Delay(Tick, cancel);
        }
    }

    private async ValueTask FlushAsync(NetworkStream stream, CancellationToken cancel)
    {
        if (_buffer.WrittenCount == 0) return;
        await stream.WriteAsync(_buffer.WrittenMemory, cancel);
        _buffer.ResetWrittenCount();
    }

    private static async Task WaitForCloseAsync(NetworkStream stream, CancellationToken cancel)
    {
        var scrap = new byte[256];
        while (await stream.ReadAsync(scrap, cancel) > 0)
        {
            // A syslog receiver says nothing; if one does, it does not concern us.
        }
    }
}
