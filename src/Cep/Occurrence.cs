using Massif.Events;

namespace Massif.Cep;

/// <summary>Where an event is in its stream: with the stream this is the event's id.</summary>
/// <param name="Seq">Seq of its batch.</param>
/// <param name="Index">Index in the batch.</param>
public readonly record struct BatchPosition(ulong Seq, int Index);

/// <summary>What a window remembers of one event, 24 bytes.</summary>
/// <param name="Time">Event time, nanoseconds since 1970 UTC, inside <see cref="EventTime"/>'s range.</param>
/// <param name="Seq">Seq of its batch.</param>
/// <param name="Index">Index in the batch.</param>
/// <param name="Count">How many events it stands for, at least 1.</param>
internal readonly record struct Occurrence(long Time, ulong Seq, int Index, uint Count)
{
    public BatchPosition Position => new(Seq, Index);
}

/// <summary>The time that the engine calculates with.</summary>
internal static class EventTime
{
    /// <summary>Latest time, in the year 2116; later claims count as this, so that adding a window cannot overflow.</summary>
    public const long Max = 1L << 62;

    /// <summary>Earliest time, in the year 1823.</summary>
    public const long Min = -Max;

    /// <summary>Before every event, by more than any window.</summary>
    public const long Never = Min - (1L << 61);

    /// <summary>Returns the event time of an event, brought into range.</summary>
    public static long Of(in EventView view) => Math.Clamp(view.EventTime, Min, Max);
}
