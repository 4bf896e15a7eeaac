using Massif.Reb.Links;
using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>Packs the stream statuses of one turn (protocols R9), for peers and for sources.</summary>
public static class StatusFrame
{
    /// <summary>Most statuses in one frame: 64 of at most 172 bytes.</summary>
    public const int MaxStatuses = 64;

    private const int FixedLength = 8 + 11 + 8 + 8 + 8 + 1;
    private const int MaxLength = FixedLength + (HaveBits.Words * 8);

    /// <summary>Returns the body for up to <see cref="MaxStatuses"/> statuses.</summary>
    public static byte[] BuildBody(ReadOnlySpan<StreamStatus> statuses)
    {
        Invariant.Holds(statuses.Length is > 0 and <= MaxStatuses);
        var bytes = new byte[1 + (statuses.Length * MaxLength)];
        var writer = new WireWriter(bytes);
        writer.Byte((byte)statuses.Length);
        foreach (ref readonly var status in statuses) Write(ref writer, status);
        return bytes[..writer.Written];
    }

    /// <summary>Returns a whole frame for peers.</summary>
    public static byte[] Build(ReadOnlySpan<StreamStatus> statuses) => Frames.Make((byte)FrameType.Status, BuildBody(statuses));

    /// <summary>Reads a body into <paramref name="statuses"/>, which holds <see cref="MaxStatuses"/>; −1 when it is malformed.</summary>
    public static int Read(ReadOnlySpan<byte> body, Span<StreamStatus> statuses)
    {
        var reader = new WireReader(body);
        var count = reader.Byte();
        if (count is 0 or > MaxStatuses) return -1;
        for (var i = 0; i < count; i++)
        {
            if (!TryRead(ref reader, out statuses[i])) return -1;
        }

        return reader.OkAndEmpty ? count : -1;
    }

    private static void Write(ref WireWriter writer, in StreamStatus status)
    {
        writer.UInt64(status.StartCounter);
        writer.Life(status.Life);
        writer.UInt64(status.Low);
        writer.UInt64(status.High);
        writer.UInt64(status.Durable);
        var have = status.Have;
        var words = HaveBits.Words;
        while (words > 0 && have[words - 1] == 0) words--;
        writer.Byte((byte)words);
        for (var i = 0; i < words; i++) writer.UInt64(have[i]);
    }

    private static bool TryRead(ref WireReader reader, out StreamStatus status)
    {
        var counter = reader.UInt64();
        var life = reader.Life();
        var low = reader.UInt64();
        var high = reader.UInt64();
        var durable = reader.UInt64();
        var words = reader.Byte();
        var have = default(HaveBits);
        status = default;
        if (words > HaveBits.Words) return false;
        for (var i = 0; i < words; i++) have[i] = reader.UInt64();
        status = new(counter, life, low, high, durable, have);
        return reader.Ok;
    }
}
