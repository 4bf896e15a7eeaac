using System.Buffers;
using System.Collections.Immutable;
using Massif.Events;

namespace Massif.Cep;

/// <summary>One field of an alarm's key.</summary>
/// <param name="Field">ECS name of the field.</param>
/// <param name="Value">Its value; bytes that are not UTF-8 appear as U+FFFD.</param>
public readonly record struct AlarmKeyField(string Field, string Value);

/// <summary>An alarm: what one rule found in one window of one key. It never changes after it was made.</summary>
public sealed class Alarm
{
    private const byte Version = 1;
    private readonly byte[] _key;
    private readonly ImmutableArray<string> _keyFields;

    internal Alarm(RuleDefinition rule, SourceStream stream, ReadOnlySpan<byte> key)
        : this([.. rule.Key], key.ToArray())
    {
        RuleId = rule.Id;
        RuleVersion = rule.Version;
        Title = rule.Title;
        Severity = rule.Severity;
        Stream = stream;
    }

    private Alarm(ImmutableArray<string> keyFields, byte[] key)
    {
        _keyFields = keyFields;
        _key = key;
        Key = Decode(keyFields, key);
        RuleId = Title = "";
    }

    /// <summary>Gets the identity.</summary>
    public AlarmId Id { get; internal init; }

    /// <summary>Gets the id of the rule.</summary>
    public string RuleId { get; private init; }

    /// <summary>Gets the version of the rule.</summary>
    public int RuleVersion { get; private init; }

    /// <summary>Gets the rule's text for people.</summary>
    public string Title { get; private init; }

    /// <summary>Gets how bad it is.</summary>
    public AlarmSeverity Severity { get; private init; }

    /// <summary>Gets the life of the stream whose events these are.</summary>
    public SourceStream Stream { get; private init; }

    /// <summary>Gets whether the events are of an input that was declared a replay.</summary>
    public bool Replayed { get; internal init; }

    /// <summary>Gets the key, in the order of the rule.</summary>
    public ImmutableArray<AlarmKeyField> Key { get; }

    /// <summary>Gets the event time of the first event of the window, nanoseconds since 1970 UTC.</summary>
    public long First { get; internal init; }

    /// <summary>Gets the event time of the last event of the window, nanoseconds since 1970 UTC.</summary>
    public long Last { get; internal init; }

    /// <summary>Gets the sum of the counts of the window's events.</summary>
    public long Count { get; internal init; }

    /// <summary>
    /// Gets where the window's events are in the stream, in the order of event time; the first ones when there are
    /// very many.
    /// </summary>
    public ImmutableArray<BatchPosition> Events { get; internal init; }

    /// <summary>Gets how many later events of the window <see cref="Events"/> leaves out; the id covers them.</summary>
    public int EventsOmitted { get; internal init; }

    /// <summary>Gets about how much memory the alarm takes, in bytes: what it lists, its key twice, and the objects around them.</summary>
    public long MemoryBytes => 512 + (16L * Events.Length) + (4L * _key.Length);

    /// <summary>Returns the id of one of the window's events.</summary>
    public EventId EventIdOf(BatchPosition position) =>
        new(Stream.Edge, Stream.Incarnation, position.Seq, position.Index);

    /// <summary>Writes the binary form; equal alarms give equal bytes.</summary>
    public void Write(IBufferWriter<byte> destination)
    {
        Span<byte> id = stackalloc byte[AlarmId.Length];
        Id.Write(id);
        destination.WriteByte(Version);
        destination.Write(id);
        destination.WriteText(RuleId);
        destination.WriteInt32(RuleVersion);
        destination.WriteText(Title);
        destination.WriteByte((byte)Severity);
        destination.WriteText(Stream.Edge);
        destination.WriteByte(Stream.Class);
        destination.WriteUInt64(Stream.Incarnation);
        destination.WriteByte(Replayed ? (byte)1 : (byte)0);
        destination.WriteInt32(_keyFields.Length);
        foreach (var field in _keyFields) destination.WriteText(field);
        destination.WriteBytes(_key);
        destination.WriteInt64(First);
        destination.WriteInt64(Last);
        destination.WriteInt64(Count);
        destination.WriteInt32(EventsOmitted);
        destination.WriteInt32(Events.Length);
        foreach (var position in Events)
        {
            destination.WriteUInt64(position.Seq);
            destination.WriteInt32(position.Index);
        }
    }

    /// <summary>Returns the binary form.</summary>
    public byte[] ToBytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        Write(bytes);
        return bytes.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Write"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are no alarm of this version.</exception>
    public static Alarm Read(ReadOnlySpan<byte> bytes)
    {
        var reader = new BinaryFormReader(bytes);
        var version = reader.ReadByte();
        if (version != Version) throw new FormatException($"Version {version} of an alarm is not known; this program reads {Version}.");
        var id = new UInt128(0, 0);
        for (var i = 0; i < AlarmId.Length; i++) id = (id << 8) | reader.ReadByte();
        var (rule, ruleVersion, title, severity) =
            (reader.ReadText(), reader.ReadInt32(), reader.ReadText(), (AlarmSeverity)reader.ReadByte());
        var stream = new SourceStream(reader.ReadText(), reader.ReadByte(), reader.ReadUInt64());
        var replayed = reader.ReadByte() != 0;
        var fields = ImmutableArray.CreateBuilder<string>();
        for (var left = reader.ReadCount(sizeof(int)); left > 0; left--) fields.Add(reader.ReadText());
        var alarm = new Alarm(fields.ToImmutable(), reader.ReadBytes().ToArray())
        {
            Id = new(id),
            RuleId = rule,
            RuleVersion = ruleVersion,
            Title = title,
            Severity = severity,
            Stream = stream,
            Replayed = replayed,
            First = reader.ReadInt64(),
            Last = reader.ReadInt64(),
            Count = reader.ReadInt64(),
            EventsOmitted = reader.ReadInt32(),
            Events = ReadEvents(ref reader),
        };
        return reader.AtEnd ? alarm : throw new FormatException("There is something behind the alarm.");
    }

    private static ImmutableArray<BatchPosition> ReadEvents(ref BinaryFormReader reader)
    {
        var count = reader.ReadCount(sizeof(ulong) + sizeof(int));
        var events = ImmutableArray.CreateBuilder<BatchPosition>(count);
        for (; count > 0; count--) events.Add(new(reader.ReadUInt64(), reader.ReadInt32()));
        return events.MoveToImmutable();
    }

    private static ImmutableArray<AlarmKeyField> Decode(ImmutableArray<string> fields, ReadOnlySpan<byte> key)
    {
        var decoded = ImmutableArray.CreateBuilder<AlarmKeyField>(fields.Length);
        foreach (var field in fields)
        {
            if (key.IsEmpty || key.Length <= key[0]) throw new FormatException("The key of an alarm ends too early.");
            decoded.Add(new(field, EventText.Decode(key.Slice(1, key[0]))));
            key = key[(1 + key[0])..];
        }

        return decoded.MoveToImmutable();
    }
}
