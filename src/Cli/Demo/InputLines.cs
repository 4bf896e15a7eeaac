namespace Massif.Cli.Demo;

/// <summary>
/// The lines of files, one file after another, as bytes. A line ends at LF or CR LF; empty lines and a file's byte order
/// mark are left out.
/// </summary>
internal static class InputLines
{
    private const int ChunkBytes = 256 * 1024;

    /// <summary>Longest line accepted, in bytes; a longer one is no log line. The edge cuts far earlier.</summary>
    public const int LineBytesMax = 16 * 1024 * 1024;

    /// <summary>Returns the lines. Each is valid until the next one is asked for.</summary>
    /// <exception cref="InvalidDataException">A line is longer than <see cref="LineBytesMax"/>.</exception>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static IEnumerable<ReadOnlyMemory<byte>> Read(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            foreach (var line in ReadFile(file)) yield return line;
        }
    }

    /// <summary>Counts the lines that <see cref="Read"/> returns.</summary>
    public static long Count(IEnumerable<string> files)
    {
        var count = 0L;
        foreach (var _ in Read(files)) count++;
        return count;
    }

    private static IEnumerable<ReadOnlyMemory<byte>> ReadFile(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        var buffer = new byte[ChunkBytes];
        var (start, end) = (0, 0);
        var isFirst = true;
        ReadOnlyMemory<byte> Text(ReadOnlyMemory<byte> line)
        {
            if (isFirst && line.Span.StartsWith("\uFEFF"u8)) line = line[3..]; // It is the file's, not the line's.
            isFirst = false;
            return line.Span.EndsWith("\r"u8) ? line[..^1] : line;
        }

        while (true)
        {
            var newline = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            if (newline >= 0)
            {
                var line = Text(buffer.AsMemory(start, newline));
                start += newline + 1;
                if (!line.IsEmpty) yield return line;
                continue;
            }

            if (start > 0)
            {
                buffer.AsSpan(start, end - start).CopyTo(buffer);
                (start, end) = (0, end - start);
            }

            if (end == buffer.Length)
            {
                if (buffer.Length >= LineBytesMax) throw new InvalidDataException($"{file} has a line of more than {LineBytesMax} bytes.");
                Array.Resize(ref buffer, 2 * buffer.Length);
            }

            var read = stream.Read(buffer, end, buffer.Length - end);
            if (read == 0) break;
            end += read;
        }

        var last = Text(buffer.AsMemory(start, end - start));
        if (!last.IsEmpty) yield return last;
    }
}
