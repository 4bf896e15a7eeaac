using System.Buffers;
using Massif.Cep;
using Massif.Mis.Core.Alarms;
using Massif.Reb.Protocol;

namespace Massif.Mis.Core;

/// <summary>How far one life was applied, with the chained digests that clients compare replicas by, and its latest alarms.</summary>
internal sealed class LifeProgress(ulong seq, Digest chain)
{
    /// <summary>
    /// Alarms of a life that go along with a checkpoint: a function of its batches alone, unlike the store, whose oldest alarms
    /// go when other streams make new ones.
    /// </summary>
    public const int AlarmsMax = 256;

    /// <summary>Most bytes of those alarms, the newest always; an alarm with a thousand events has 20 kB.</summary>
    public const int AlarmBytesMax = 256 * 1024;

    // Two windows: a replica that is a window behind is still compared at a seq that both have.
    public const int RecentMax = 512;

    private readonly Queue<(ulong Seq, Digest Chain)> _recent = new();
    private readonly Queue<byte[]> _alarms = new(); // Encoded.
    private int _alarmBytes;

    public ulong Seq { get; private set; } = seq;

    public Digest Chain { get; private set; } = chain;

    public IReadOnlyCollection<(ulong Seq, Digest Chain)> Recent => _recent;

    public void Advance(ulong to, in Digest digest)
    {
        Invariant.Holds(to == Seq + 1); // FIFO without a gap: the bus delivers nothing else (R10).
        Reach(to, Chain.Chain(digest));
    }

    /// <summary>Goes to a seq whose state came with a checkpoint.</summary>
    public void Jump(ulong to, in Digest chain, IEnumerable<Alarm> alarms)
    {
        _recent.Clear();
        _alarms.Clear();
        _alarmBytes = 0;
        foreach (var alarm in alarms) Add(alarm);
        Reach(to, chain);
    }

    public void Add(Alarm alarm)
    {
        var bytes = alarm.ToBytes();
        _alarms.Enqueue(bytes);
        _alarmBytes += bytes.Length;
        while (_alarms.Count > AlarmsMax || (_alarmBytes > AlarmBytesMax && _alarms.Count > 1)) _alarmBytes -= _alarms.Dequeue().Length;
    }

    /// <summary>Writes the alarms, each behind its length.</summary>
    public void WriteAlarms(IBufferWriter<byte> destination)
    {
        foreach (var alarm in _alarms) AlarmStore.WriteOne(destination, alarm);
    }

    /// <summary>Reads what <see cref="WriteAlarms"/> wrote.</summary>
    /// <exception cref="FormatException">The bytes are something else.</exception>
    public static List<Alarm> ReadAlarms(ReadOnlySpan<byte> bytes)
    {
        var alarms = new List<Alarm>();
        while (!bytes.IsEmpty) alarms.Add(AlarmStore.ReadOne(ref bytes));
        return alarms;
    }

    private void Reach(ulong to, in Digest chain)
    {
        (Seq, Chain) = (to, chain);
        if (_recent.Count == RecentMax) _recent.Dequeue();
        _recent.Enqueue((Seq, Chain));
    }
}
