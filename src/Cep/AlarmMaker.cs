using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;

namespace Massif.Cep;

/// <summary>Makes the alarm of a window.</summary>
internal static class AlarmMaker
{
    public static Alarm Make(
        Rule rule,
        in SourceStream stream,
        bool replayed,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<Occurrence> window,
        int eventsMax)
    {
        var listed = window[..Math.Min(window.Length, eventsMax)];
        var events = ImmutableArray.CreateBuilder<BatchPosition>(listed.Length);
        foreach (ref readonly var item in listed) events.Add(item.Position);
        long count = 0;
        foreach (ref readonly var item in window) count += item.Count;

        return new(rule.Definition, stream, key)
        {
            Id = IdOf(rule.Definition, stream, replayed, key, window),
            Replayed = replayed,
            First = window[0].Time,
            Last = window[^1].Time,
            Count = count,
            Events = events.MoveToImmutable(),
            EventsOmitted = window.Length - listed.Length,
        };
    }

    // The id covers every event of the window, also those that the alarm only counts.
    private static AlarmId IdOf(
        RuleDefinition rule,
        in SourceStream stream,
        bool replayed,
        ReadOnlySpan<byte> key,
        ReadOnlySpan<Occurrence> window)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.WriteText(rule.Id);
        bytes.WriteInt32(rule.Version);
        bytes.WriteText(stream.Edge);
        bytes.WriteByte(stream.Class);
        bytes.WriteUInt64(stream.Incarnation);
        bytes.WriteByte(replayed ? (byte)1 : (byte)0);
        bytes.WriteBytes(key);
        bytes.WriteInt32(window.Length);
        foreach (ref readonly var item in window)
        {
            bytes.WriteUInt64(item.Seq);
            bytes.WriteInt32(item.Index);
        }

        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes.WrittenSpan, hash);
        return AlarmId.Read(hash);
    }
}
