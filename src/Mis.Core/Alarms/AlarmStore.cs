using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Massif.Cep;

namespace Massif.Mis.Core.Alarms;

/// <summary>An alarm and its place in this replica's list.</summary>
/// <param name="Ordinal">Place, from 1 without holes. It is this replica's own: others took the alarms in another order.</param>
/// <param name="Alarm">The alarm, which is the same everywhere.</param>
public readonly record struct StoredAlarm(long Ordinal, Alarm Alarm);

/// <summary>Some alarms in the order of their ordinals.</summary>
/// <param name="Alarms">The alarms.</param>
/// <param name="Next">What to ask for after this page.</param>
/// <param name="Oldest">Smallest ordinal that is still kept; what is below it is forgotten.</param>
public sealed record AlarmPage(ImmutableArray<StoredAlarm> Alarms, long Next, long Oldest);

/// <summary>The latest alarms of a replica. Belongs to the host's thread; what it returns is immutable.</summary>
/// <remarks>Adding is idempotent by id: a batch that is correlated again after a restart changes nothing.</remarks>
public sealed class AlarmStore
{
    /// <summary>Alarms kept when nothing else is said; beyond it the oldest go. About 3 MB at a dozen events each.</summary>
    public const int CapacityDefault = 10_000;

    /// <summary>Most bytes of alarms, the newest always: 16 MiB, or a thousand of those that list a thousand events.</summary>
    public const long BytesDefault = 16 * 1024 * 1024;

    /// <summary>Most alarms of one page.</summary>
    public const int PageMax = 1_000;

    /// <summary>Most events that the alarms of one page list, unless a single alarm lists more: some 2 MB of JSON.</summary>
    public const int PageEventsMax = 32_768;

    private const byte SnapshotVersion = 1;
    private readonly Dictionary<AlarmId, StoredAlarm> _byId = [];
    private readonly Alarm?[] _ring;
    private readonly long _bytesMax;

    /// <summary>Makes an empty store.</summary>
    public AlarmStore(int capacity = CapacityDefault, long bytesMax = BytesDefault)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        (_ring, _bytesMax) = (new Alarm[capacity], bytesMax);
    }

    /// <summary>Gets the memory of the alarms that are kept, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the ordinal of the last alarm: how many there ever were.</summary>
    public long Last { get; private set; }

    /// <summary>Gets the smallest ordinal that is kept.</summary>
    public long Oldest => Last - Count + 1;

    /// <summary>Gets how many alarms are kept.</summary>
    public int Count => _byId.Count;

    /// <summary>Adds an alarm; false when it is there already.</summary>
    public bool Add(Alarm alarm)
    {
        ArgumentNullException.ThrowIfNull(alarm);
        if (!_byId.TryAdd(alarm.Id, new(Last + 1, alarm))) return false;

        Last++;
        if (Count > _ring.Length) Drop(Last - _ring.Length);
        _ring[Last % _ring.Length] = alarm;
        Bytes += alarm.MemoryBytes;
        while (Bytes > _bytesMax && Count > 1) Drop(Oldest);
        return true;
    }

    /// <summary>Returns an alarm; null when it is not (or no longer) here.</summary>
    public Alarm? Find(AlarmId id) => _byId.TryGetValue(id, out var stored) ? stored.Alarm : null;

    /// <summary>Returns the alarms behind an ordinal, oldest first; 0 asks for all.</summary>
    /// <param name="after">The last ordinal that the caller has.</param>
    /// <param name="limit">Most alarms, 1 to <see cref="PageMax"/>; other values are brought into that range.</param>
    public AlarmPage After(long after, int limit)
    {
        var first = Math.Max(after + 1, Oldest);
        var count = (int)Math.Clamp(Last - first + 1, 0, Math.Clamp(limit, 1, PageMax));
        var alarms = ImmutableArray.CreateBuilder<StoredAlarm>(count);
        var events = 0;
        for (var ordinal = first; ordinal < first + count; ordinal++)
        {
            var alarm = At(ordinal);
            events += alarm.Events.Length;
            if (events > PageEventsMax && alarms.Count > 0) break;
            alarms.Add(new(ordinal, alarm));
        }

        return new(alarms.ToImmutable(), Math.Clamp(first + alarms.Count - 1, 0, Last), Oldest);
    }

    /// <summary>Writes the store: version, last ordinal, and the alarms, each behind its length.</summary>
    public void Snapshot(IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        var head = destination.GetSpan(1 + sizeof(long) + sizeof(int));
        head[0] = SnapshotVersion;
        BinaryPrimitives.WriteInt64LittleEndian(head[1..], Last);
        BinaryPrimitives.WriteInt32LittleEndian(head[9..], Count);
        destination.Advance(13);
        for (var ordinal = Oldest; ordinal <= Last; ordinal++) WriteOne(destination, At(ordinal).ToBytes());
    }

    /// <summary>Replaces the contents by what <see cref="Snapshot"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are no snapshot of this version; the store is unchanged.</exception>
    public void Restore(ReadOnlySpan<byte> snapshot)
    {
        if (snapshot.Length < 13) throw new FormatException("The snapshot of the alarms ends too early.");
        if (snapshot[0] != SnapshotVersion)
            throw new FormatException($"Version {snapshot[0]} of the alarm snapshot is not known; this program reads {SnapshotVersion}.");
        var last = BinaryPrimitives.ReadInt64LittleEndian(snapshot[1..]);
        var count = BinaryPrimitives.ReadInt32LittleEndian(snapshot[9..]);
        var alarms = new List<Alarm>();
        snapshot = snapshot[13..];
        for (var i = 0; i < count; i++) alarms.Add(ReadOne(ref snapshot));
        if (!snapshot.IsEmpty || last < count) throw new FormatException("The snapshot of the alarms contradicts itself.");

        _byId.Clear();
        Array.Clear(_ring);
        (Last, Bytes) = (last - count, 0);
        foreach (var alarm in alarms) Add(alarm);
    }

    private Alarm At(long ordinal) => _ring[ordinal % _ring.Length]!;

    private void Drop(long ordinal)
    {
        var alarm = At(ordinal);
        _ring[ordinal % _ring.Length] = null;
        _byId.Remove(alarm.Id);
        Bytes -= alarm.MemoryBytes;
    }

    /// <summary>Writes one encoded alarm behind its length.</summary>
    internal static void WriteOne(IBufferWriter<byte> destination, ReadOnlySpan<byte> alarm)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination.GetSpan(sizeof(int)), alarm.Length);
        destination.Advance(sizeof(int));
        destination.Write(alarm);
    }

    /// <summary>Reads what <see cref="WriteOne"/> wrote, and leaves the rest.</summary>
    internal static Alarm ReadOne(ref ReadOnlySpan<byte> rest)
    {
        if (rest.Length < sizeof(int)) throw new FormatException("The snapshot of the alarms ends too early.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length < 0 || length > rest.Length - sizeof(int)) throw new FormatException("An alarm goes beyond the end of the snapshot.");
        var alarm = Alarm.Read(rest.Slice(sizeof(int), length));
        rest = rest[(sizeof(int) + length)..];
        return alarm;
    }
}
