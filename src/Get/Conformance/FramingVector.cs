using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Get.Framing;

namespace Massif.Get.Conformance;

/// <summary>A vector of chunks that arrive on one connection.</summary>
internal static class FramingVector
{
    public static void Run(JsonElement vector, Differences differences)
    {
        var expected = vector.GetProperty("expect");
        var protocol = vector.GetProperty("proto").GetString();
        if (protocol is not ("tcp" or "tls"))
        {
            differences.Unsupported($"protocol {protocol}");
            return;
        }

        if (expected.TryGetProperty("peer", out _))
        {
            differences.Unsupported("the PROXY protocol");
            return;
        }

        var limit = vector.GetProperty("limit").GetInt32();
        if (limit < 1) throw new FormatException("limit is no number of bytes");
        var framing = new SyslogFraming(limit, overTls: protocol == "tls");
        var frames = Receive(framing, vector);
        Compare(expected, frames, differences);
        if (expected.TryGetProperty("flags", out var flags)) differences.CompareFlags(flags, framing.Flags);
    }

    private static List<string> Receive(SyslogFraming framing, JsonElement vector)
    {
        var frames = new List<string>();
        foreach (var chunk in vector.GetProperty("chunks").EnumerateArray())
        {
            framing.Push(Encoding.Latin1.GetBytes(chunk.GetString() ?? ""));
            Drain(framing, frames);
        }

        framing.End();
        Drain(framing, frames);
        return frames;
    }

    private static void Drain(SyslogFraming framing, List<string> frames)
    {
        while (framing.TryRead(out var frame)) frames.Add(Encoding.Latin1.GetString(frame.Bytes));
    }

    private static void Compare(JsonElement expected, List<string> frames, Differences differences)
    {
        var wanted = expected.GetProperty("frames").EnumerateArray().Select(frame => frame.GetString()).ToList();
        for (var i = 0; i < Math.Max(wanted.Count, frames.Count); i++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"frame {i + 1}");
            differences.Compare(name, i < wanted.Count ? wanted[i] : null, i < frames.Count ? frames[i] : null);
        }
    }
}
