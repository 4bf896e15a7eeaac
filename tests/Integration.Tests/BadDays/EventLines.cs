using System.Text;
using Massif.Events;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Integration.Tests.BadDays;

/// <summary>Reads events back from where they are kept.</summary>
internal static class EventLines
{
    private const byte SpooledBatch = 1;

    /// <summary>Returns the raw lines of a batch.</summary>
    public static List<string> Of(ReadOnlySpan<byte> payload)
    {
        Assert.True(BatchReader.TryOpen(payload, out var reader, out var reason), reason);
        var lines = new List<string>(reader.Count);
        foreach (var view in reader) lines.Add(Encoding.UTF8.GetString(view.Raw));
        return lines;
    }

    /// <summary>Hands over the payload of each batch that an edge's spool holds, read as a restart would read it.</summary>
    public static void ReadSpool(IDisk disk, Action<ReadOnlyMemory<byte>> take)
    {
        var names = disk.Files
            .Where(file => file.StartsWith("spool_", StringComparison.Ordinal))
            .Select(file => file[..file.LastIndexOf('-')])
            .Distinct();
        foreach (var name in names)
        {
            SegmentLog.Open(disk, name).Scan((_, kind, body) =>
            {
                if (kind != SpooledBatch) return;
                Assert.True(InitialMessage.TryRead(body, out var message));
                take(message.Payload.ToArray());
            });
        }
    }

    /// <summary>Returns the lines in a copy of an edge's spool: what a process that was killed has left.</summary>
    public static List<string> InSpool(string directory, string marker)
    {
        var copy = Directory.CreateTempSubdirectory("massif-spool-").FullName;
        try
        {
            DirectoryCopy.Make(directory, copy);
            using var disk = FileDisk.Open(copy, new() { Durability = Durability.Process }, _ => { });
            var lines = new List<string>();
            ReadSpool(disk, payload => lines.AddRange(Of(payload.Span).Where(line => line.Contains(marker, StringComparison.Ordinal))));
            return lines;
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }
}

/// <summary>Copies data directories, as a backup does.</summary>
internal static class DirectoryCopy
{
    public static void Make(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from).Where(file => !Path.GetFileName(file).StartsWith('.')))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
