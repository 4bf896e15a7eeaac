using System.Buffers;
using System.Net;
using System.Net.Sockets;

namespace Massif.Cli.Demo;

/// <summary>Sends input lines to the edge's replay listener over one TCP connection, as fast as it takes them or at a rate.</summary>
internal sealed class DemoFeeder(IPEndPoint listener, int? rate, int lineBytesMax, TimeProvider? time = null) : IDisposable
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
        var (clock, start) = (time ?? TimeProvider.System, (time ?? TimeProvider.System).GetTimestamp());
        TimeSpan Elapsed() => clock.GetElapsedTime(start);

        var pause = TimeSpan.Zero; // What checkpoints took counts neither against the rate nor against the limit.
        var next = 0;
        foreach (var line in lines)
        {
            if (limit is { } most && Elapsed() - pause >= most) break;
            while (next < checkpoints.Count && checkpoints[next] <= _sent)
            {
                await FlushAsync(stream, cancel);
                var began = Elapsed();
                await beforeLine(checkpoints[next++]);
                pause += Elapsed() - began;
            }

            if (rate is { } perSecond) await KeepToRateAsync(stream, () => Elapsed() - pause, perSecond, cancel);
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
    /// Every line goes with LF (RFC 6587 section 3.4.2). Octet counting would keep more bytes, but a log mixes lines with and
    /// without a priority, and a receiver that has seen counts takes the next line without one for a framing error.
    /// </summary>
    private void Append(ReadOnlySpan<byte> line)
    {
        line = WithoutEnds(WithoutDelimiters(line));
        var guard = NeedsGuard(line) ? 1 : 0;
        var message = _buffer.GetSpan(guard + line.Length + 1)[..(guard + line.Length + 1)];
        message[0] = (byte)' ';
        line.CopyTo(message[guard..]);
        message[^1] = (byte)'\n';
        _digest.Add(message[..^1]);
        _buffer.Advance(message.Length);
        Interlocked.Increment(ref _sent);
    }

    /// <summary>Leaves out what a receiver takes for delimiters, not for text: CR and NUL at the end, spaces before a priority.</summary>
    private static ReadOnlySpan<byte> WithoutDelimiters(ReadOnlySpan<byte> line)
    {
        line = line.TrimEnd("\r\0"u8);
        var text = line.TrimStart((byte)' ');
        return text.StartsWith("<"u8) ? text : line;
    }

    /// <summary>A NUL in front of a priority ends a line as LF does; with a space between them the line stays one.</summary>
    private static ReadOnlySpan<byte> WithoutEnds(ReadOnlySpan<byte> line)
    {
        if (line.IndexOf("\0<"u8) < 0) return line;
        var kept = new List<byte>(line.Length + 16);
        for (var i = 0; i < line.Length; i++)
        {
            kept.Add(line[i]);
            if (line[i..].StartsWith("\0<"u8)) kept.Add((byte)' ');
        }

        return kept.ToArray();
    }

    /// <summary>
    /// A line that begins as a frame's length, a delimiter or a byte order mark does would not arrive as it is: a space
    /// goes before it.
    /// </summary>
    private bool NeedsGuard(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[0] is 0 or (byte)'\r') return true;
        if (_sent == 0 && line.StartsWith("\uFEFF"u8)) return true;
        var digits = line.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        return digits > 0 && line[digits..].StartsWith(" <"u8);
    }

    private async ValueTask KeepToRateAsync(NetworkStream stream, Func<TimeSpan> elapsed, int perSecond, CancellationToken cancel)
    {
        while (_sent >= elapsed().TotalSeconds * perSecond)
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
