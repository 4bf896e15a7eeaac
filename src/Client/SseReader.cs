using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text;

namespace Massif.Client;

/// <summary>One server-sent event.</summary>
internal readonly record struct SseMessage(string Id, string Kind, string Data);

/// <summary>Reads server-sent events (WHATWG HTML section 9.2) from a replica that may send anything.</summary>
internal static class SseReader
{
    // An event of 256 kB whose every byte is escaped has 1.5 MB.
    private const int LineBytesMax = 4 * 1024 * 1024;

    /// <summary>Reads until the stream ends.</summary>
    /// <param name="body">The stream.</param>
    /// <param name="silence">After how much silence the stream counts as dead; a comment breaks it.</param>
    /// <param name="cancel">Ends the reading.</param>
    /// <exception cref="IOException">The stream broke, was silent for too long, or has a line that is too long.</exception>
    public static async IAsyncEnumerable<SseMessage> ReadAsync(
        Stream body, TimeSpan silence, [EnumeratorCancellation] CancellationToken cancel)
    {
        var pipe = PipeReader.Create(body);
        var (id, kind, data) = ("", "", "");
        while (true)
        {
            var read = await ReadSomeAsync(pipe, silence, cancel);
            var rest = read.Buffer;
            while (TryReadLine(ref rest, out var line))
            {
                if (line.Length == 0)
                {
                    if (data.Length > 0) yield return new(id, kind, data);
                    (id, kind, data) = ("", "", "");
                }
                else if (line.StartsWith("id: ", StringComparison.Ordinal)) id = line[4..];
                else if (line.StartsWith("event: ", StringComparison.Ordinal)) kind = line[7..];
                else if (line.StartsWith("data: ", StringComparison.Ordinal)) data = line[6..];
            }

            if (rest.Length > LineBytesMax) throw new IOException("a line is too long");
            pipe.AdvanceTo(rest.Start, rest.End);
            if (read.IsCompleted) yield break;
        }
    }

    private static async ValueTask<ReadResult> ReadSomeAsync(PipeReader pipe, TimeSpan silence, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(silence);
        try
        {
            return await pipe.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new IOException($"no sign of life for {silence.TotalSeconds} s");
        }
    }

    private static bool TryReadLine(ref ReadOnlySequence<byte> rest, out string line)
    {
        line = "";
        if (rest.PositionOf((byte)'\n') is not { } end) return false;
        line = Encoding.UTF8.GetString(rest.Slice(0, end)).TrimEnd('\r');
        rest = rest.Slice(rest.GetPosition(1, end));
        return true;
    }
}
