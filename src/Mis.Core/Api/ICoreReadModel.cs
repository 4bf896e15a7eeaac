using Massif.Cep;
using Massif.Mis.Core.Alarms;

namespace Massif.Mis.Core.Api;

/// <summary>One delivered batch: names and bytes.</summary>
/// <param name="Stream">The life of its stream.</param>
/// <param name="Seq">Its seq there.</param>
/// <param name="Payload">The batch in its binary form; never changes.</param>
public sealed record DeliveredBatch(SourceStream Stream, ulong Seq, ReadOnlyMemory<byte> Payload);

/// <summary>What the read API may ask of a replica.</summary>
/// <remarks>
/// The host has one thread: an implementation posts each question to the host's inbox and answers with immutable
/// objects, so that the API never touches state that is in use. A full inbox makes the question wait, not the host.
/// </remarks>
public interface ICoreReadModel
{
    /// <summary>Gets the batches as they are delivered; the host publishes, the API listens.</summary>
    LiveFeed<DeliveredBatch> Batches { get; }

    /// <summary>Gets the alarms as they are added to the store.</summary>
    LiveFeed<StoredAlarm> Alarms { get; }

    /// <summary>Returns what the replica says about itself.</summary>
    Task<CoreStatus> GetStatusAsync(CancellationToken cancel);

    /// <summary>Returns a page of alarms (<see cref="AlarmStore.After"/>).</summary>
    Task<AlarmPage> GetAlarmsAsync(long after, int limit, CancellationToken cancel);

    /// <summary>Returns one alarm; null when it is not here.</summary>
    Task<Alarm?> FindAlarmAsync(AlarmId id, CancellationToken cancel);

    /// <summary>
    /// Returns the payload of a delivered batch by the names that an event id carries; null when it was never delivered
    /// here or retention has removed it. Read from memory or from the segment log.
    /// </summary>
    Task<DeliveredBatch?> FindBatchAsync(string edge, ulong incarnation, ulong seq, CancellationToken cancel);
}
