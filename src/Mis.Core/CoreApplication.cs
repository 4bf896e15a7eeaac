using System.Buffers;
using System.Buffers.Binary;
using Massif.Cep;
using Massif.Mis.Core.Alarms;
using Massif.Mis.Core.Api;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Mis.Core;

/// <summary>What runs above the bus at a replica: correlation, the alarm store, and live feeds for the API.</summary>
/// <remarks>State is a function of the delivered batches alone, so equal streams make equal alarms at all correct replicas.</remarks>
public sealed class CoreApplication : IApplication, ICorrelationOutput
{
    private const byte SnapshotVersion = 2;
    private const byte CheckpointVersion = 1;
    private const int EntryLength = 19 + Digest.Length;

    private readonly Domain _domain;
    private readonly CorrelationEngine _engine;
    private readonly Dictionary<StreamLife, LifeProgress> _lives = [];
    private readonly Counters.Counter _events;
    private readonly Counters.Counter _correlated;
    private readonly Counters.Counter _alarmsMade;
    private readonly Counters.Counter _unreadable;
    private LifeProgress? _applying;

    /// <summary>Makes an application without state.</summary>
    public CoreApplication(Domain domain, RuleSet rules, Counters counters)
    {
        ArgumentNullException.ThrowIfNull(domain);
        ArgumentNullException.ThrowIfNull(counters);
        _domain = domain;
        _engine = new(rules);
        _events = counters.Of("massif_events_delivered_total");
        _correlated = counters.Of("massif_events_correlated_total");
        _alarmsMade = counters.Of("massif_alarms_total");
        _unreadable = counters.Of("massif_batches_unreadable_total");
    }

    /// <summary>Gets the alarms.</summary>
    public AlarmStore Store { get; } = new();

    /// <summary>Gets batches as they are delivered.</summary>
    public LiveFeed<DeliveredBatch> Batches { get; } = new();

    /// <summary>Gets alarms as they are made.</summary>
    public LiveFeed<StoredAlarm> Alarms { get; } = new();

    /// <summary>Gets the number of events applied since the start of the process.</summary>
    public long EventsDelivered => _events.Value;

    /// <inheritdoc />
    public ulong Applied(StreamLife life) => _lives.TryGetValue(life, out var progress) ? progress.Seq : 0;

    /// <inheritdoc />
    public void Apply(in BatchHeader header, in Digest digest, ReadOnlyMemory<byte> payload)
    {
        var instance = header.Instance;
        _applying = ProgressOf(instance.Life);
        _applying.Advance(instance.Seq, digest);
        var stream = StreamOf(instance.Life);
        if (_engine.OnBatch(stream, instance.Seq, payload.Span, this) == BatchOutcome.Unreadable) _unreadable.Add();
        _events.Value = _correlated.Value = _engine.Counters.Events;
        if (Batches.HasListeners) Batches.Publish(new(stream, instance.Seq, payload));
    }

    /// <inheritdoc />
    public void OnAlarm(Alarm alarm)
    {
        ArgumentNullException.ThrowIfNull(alarm);
        _applying?.Add(alarm);
        Publish(alarm);
    }

    /// <summary>Returns the chained digests behind the last batches of a life, ascending; empty when it is unknown.</summary>
    public IReadOnlyCollection<(ulong Seq, Digest Chain)> RecentChain(StreamLife life) =>
        _lives.TryGetValue(life, out var progress) ? progress.Recent : [];

    /// <summary>Returns the name of a stream's life as clients see it.</summary>
    public SourceStream StreamOf(StreamLife life) =>
        new(_domain.Nodes[life.Stream.Source].Id, (byte)life.Stream.Class, life.Incarnation);

    /// <inheritdoc />
    public void Snapshot(IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var head = destination.GetSpan(1 + sizeof(int));
        head[0] = SnapshotVersion;
        BinaryPrimitives.WriteInt32LittleEndian(head[1..], _lives.Count);
        destination.Advance(1 + sizeof(int));
        foreach (var (life, progress) in _lives.OrderBy(pair => (pair.Key.Stream.Source, pair.Key.Stream.Class, pair.Key.Incarnation)))
        {
            var entry = destination.GetSpan(EntryLength);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, life.Stream.Source);
            entry[2] = (byte)life.Stream.Class;
            BinaryPrimitives.WriteUInt64LittleEndian(entry[3..], life.Incarnation);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[11..], progress.Seq);
            progress.Chain.Write(entry[19..]);
            destination.Advance(EntryLength);
            WritePart(destination, progress.WriteAlarms);
        }

        WritePart(destination, _engine.Snapshot);
        WritePart(destination, Store.Snapshot);
    }

    /// <inheritdoc />
    public void Restore(ReadOnlySpan<byte> state)
    {
        if (state.Length < 1 + sizeof(int) || state[0] != SnapshotVersion)
            throw new InvalidDataException("The state in the journal was written by another version of this program.");
        var count = BinaryPrimitives.ReadInt32LittleEndian(state[1..]);
        state = state[(1 + sizeof(int))..];
        _lives.Clear();
        for (var i = 0; i < count; i++)
        {
            var stream = new StreamId(BinaryPrimitives.ReadUInt16LittleEndian(state), (StreamClass)state[2]);
            var life = new StreamLife(stream, BinaryPrimitives.ReadUInt64LittleEndian(state[3..]));
            var progress = new LifeProgress(BinaryPrimitives.ReadUInt64LittleEndian(state[11..]), Digest.Read(state[19..]));
            state = state[EntryLength..];
            foreach (var alarm in LifeProgress.ReadAlarms(TakePart(ref state))) progress.Add(alarm);
            _lives.Add(life, progress);
        }

        _engine.Restore(TakePart(ref state));
        Store.Restore(TakePart(ref state));
    }

    /// <inheritdoc />
    public void Checkpoint(StreamLife life, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        destination.GetSpan(1)[0] = CheckpointVersion;
        destination.Advance(1);
        WritePart(destination, part => _engine.Snapshot(StreamOf(life), part));
        WritePart(destination, ProgressOf(life).WriteAlarms);
    }

    /// <inheritdoc />
    public bool TryJump(StreamLife life, ulong seq, in Digest chain, ReadOnlySpan<byte> state)
    {
        if (seq <= Applied(life)) return true;
        if (state.Length < 1 || state[0] != CheckpointVersion) return false;
        state = state[1..];
        try
        {
            var engine = TakePart(ref state);
            var alarms = LifeProgress.ReadAlarms(TakePart(ref state));
            _engine.Restore(StreamOf(life), engine);
            ProgressOf(life).Jump(seq, chain, alarms);
            foreach (var alarm in alarms) Publish(alarm);
            return true;
        }
        catch (Exception e) when (e is FormatException or ArgumentOutOfRangeException)
        {
            return false; // Enough replicas named these bytes, so they run another version.
        }
    }

    private void Publish(Alarm alarm)
    {
        if (!Store.Add(alarm)) return;
        _alarmsMade.Add();
        Alarms.Publish(new(Store.Last, alarm));
    }

    private LifeProgress ProgressOf(StreamLife life)
    {
        if (!_lives.TryGetValue(life, out var progress)) _lives.Add(life, progress = new(0, default));
        return progress;
    }

    private static void WritePart(IBufferWriter<byte> destination, Action<IBufferWriter<byte>> write)
    {
        var part = new ArrayBufferWriter<byte>();
        write(part);
        BinaryPrimitives.WriteInt32LittleEndian(destination.GetSpan(sizeof(int)), part.WrittenCount);
        destination.Advance(sizeof(int));
        destination.Write(part.WrittenSpan);
    }

    private static ReadOnlySpan<byte> TakePart(ref ReadOnlySpan<byte> state)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(state);
        var part = state.Slice(sizeof(int), length);
        state = state[(sizeof(int) + length)..];
        return part;
    }
}
