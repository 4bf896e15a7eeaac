using System.Buffers;
using System.Runtime.InteropServices;

namespace Massif.Cep;

/// <summary>The whole state of the engine as bytes. Streams are in the order of their names, keys in that of their first event.</summary>
/// <remarks>
/// <code>
/// "MCEP" version:u8 streams:i32 { edge:text class:u8 incarnation:u64 lastSeq:u64 tables:i32 { rule:32 bytes replayed:u8
///   keys:i32 { name:bytes silentUntil:i64 events:i32 { time:i64 seq:u64 index:i32 count:u32 } } } }
/// </code>
/// </remarks>
internal static class EngineSnapshot
{
    private const byte Version = 1;

    private static ReadOnlySpan<byte> Magic => "MCEP"u8;

    public static void Write(
        IBufferWriter<byte> destination, RuleSet rules, Dictionary<SourceStream, StreamState> streams)
    {
        destination.Write(Magic);
        destination.WriteByte(Version);
        destination.WriteInt32(streams.Count);
        foreach (var (stream, state) in streams
            .OrderBy(entry => entry.Key.Edge, StringComparer.Ordinal)
            .ThenBy(entry => entry.Key.Class)
            .ThenBy(entry => entry.Key.Incarnation))
        {
            destination.WriteText(stream.Edge);
            destination.WriteByte(stream.Class);
            destination.WriteUInt64(stream.Incarnation);
            destination.WriteUInt64(state.LastSeq);
            destination.WriteInt32(state.Tables.Count());
            for (var rule = 0; rule < rules.Rules.Length; rule++)
            {
                WriteTable(destination, rules.Rules[rule], false, state.ExistingTableOf(rule, replayed: false));
                WriteTable(destination, rules.Rules[rule], true, state.ExistingTableOf(rule, replayed: true));
            }
        }
    }

    public static Dictionary<SourceStream, StreamState> Read(
        ReadOnlySpan<byte> snapshot, RuleSet rules, CorrelationLimits limits)
    {
        if (snapshot.Length < 5 || !snapshot[..4].SequenceEqual(Magic)) throw new FormatException("This is no snapshot of correlation.");
        if (snapshot[4] != Version)
            throw new FormatException($"Version {snapshot[4]} of the correlation snapshot is not known; this program reads {Version}.");

        var reader = new BinaryFormReader(snapshot[5..]);
        var streams = new Dictionary<SourceStream, StreamState>();
        for (var left = reader.ReadCount(itemBytes: 25); left > 0; left--)
        {
            var stream = new SourceStream(reader.ReadText(), reader.ReadByte(), reader.ReadUInt64());
            var state = new StreamState(stream, rules, limits) { LastSeq = reader.ReadUInt64() };
            for (var tables = reader.ReadCount(itemBytes: 37); tables > 0; tables--) ReadTable(ref reader, rules, state);
            if (!streams.TryAdd(stream, state)) throw new FormatException("A stream is twice in the snapshot.");
        }

        return reader.AtEnd ? streams : throw new FormatException("There is something behind the snapshot.");
    }

    private static void WriteTable(IBufferWriter<byte> destination, Rule rule, bool replayed, KeyTable? table)
    {
        if (table is null) return;
        destination.WriteBytes(rule.Digest.AsSpan());
        destination.WriteByte(replayed ? (byte)1 : (byte)0);
        destination.WriteInt32(table.KeyCount);
        for (var key = 0; key < table.KeyCount; key++)
        {
            ref readonly var window = ref table.WindowOf(key);
            destination.WriteBytes(table.NameOf(key));
            destination.WriteInt64(window.SilentUntil);
            destination.WriteInt32(window.Items.Length);
            foreach (ref readonly var item in window.Items)
            {
                destination.WriteInt64(item.Time);
                destination.WriteUInt64(item.Seq);
                destination.WriteInt32(item.Index);
                destination.WriteInt32((int)item.Count);
            }
        }
    }

    private static void ReadTable(ref BinaryFormReader reader, RuleSet rules, StreamState state)
    {
        var digest = reader.ReadBytes();
        var replayed = reader.ReadByte() != 0;
        var rule = IndexOf(rules, digest);
        var table = rule < 0 ? null : state.TableOf(rule, replayed);
        var items = new List<Occurrence>();
        for (var keys = reader.ReadCount(itemBytes: 16); keys > 0; keys--)
        {
            var name = reader.ReadBytes();
            var silentUntil = reader.ReadInt64();
            items.Clear();
            for (var left = reader.ReadCount(itemBytes: 24); left > 0; left--)
                items.Add(new(reader.ReadInt64(), reader.ReadUInt64(), reader.ReadInt32(), (uint)reader.ReadInt32()));
            table?.Restore(name, silentUntil, CollectionsMarshal.AsSpan(items));
        }
    }

    private static int IndexOf(RuleSet rules, ReadOnlySpan<byte> digest)
    {
        for (var i = 0; i < rules.Rules.Length; i++)
        {
            if (rules.Rules[i].Digest.AsSpan().SequenceEqual(digest)) return i;
        }

        return -1;
    }
}
