namespace Massif.Reb.Protocol;

/// <summary>What a life of a stream has reached durably.</summary>
/// <param name="Life">Stream and incarnation.</param>
/// <param name="Durable">Everything up to this seq is delivered and durable.</param>
/// <param name="Chain">The chained digest up to <paramref name="Durable"/>.</param>
/// <param name="ByInitial">Whether an INITIAL enrolled it, so that it counts against the limit per stream.</param>
public readonly record struct LifeRecord(StreamLife Life, ulong Durable, Digest Chain, bool ByInitial);

/// <summary>Receives the live state of a core: the first records of a new journal segment.</summary>
/// <remarks>
/// Every call becomes one record; at the next start the host hands it back through the Restore method of the same name. Older
/// segments are needed for payloads and remembered digests, and the last one for deliveries that were not durable yet; a payload in
/// a segment that retention drops must be copied if it is named here.
/// </remarks>
public interface IStateSink
{
    /// <summary>A life and what it has reached.</summary>
    void Life(in LifeRecord life);

    /// <summary>A payload that is held for an instance above what is durable.</summary>
    void Payload(in InstanceId instance, in Digest digest, int length);

    /// <summary>A vote of this replica for an instance above what is durable (R11).</summary>
    void Vote(in Vote vote);
}

/// <summary>Counts of what a core holds, or may hold at most: its memory is bounded by construction.</summary>
/// <param name="Lives">Enrolled lives of streams.</param>
/// <param name="Instances">Instances above what is durable.</param>
/// <param name="Digests">Remembered decided digests.</param>
/// <param name="NamedLives">Lives that peers named and that are not enrolled.</param>
/// <param name="Payloads">Payloads held that are not delivered, each of at most B bytes.</param>
public readonly record struct Footprint(long Lives, long Instances, long Digests, long NamedLives, long Payloads);

/// <summary>Where a life of a stream stands at this replica; compared between replicas.</summary>
/// <param name="Life">Stream and incarnation.</param>
/// <param name="Delivered">The highest delivered seq; 0 when none is.</param>
/// <param name="Durable">The highest delivered seq that is durable here.</param>
/// <param name="Chain">The chained digest up to <paramref name="Delivered"/>.</param>
/// <param name="Undecided">Instances above it that are known here and not delivered.</param>
public readonly record struct StreamTip(StreamLife Life, ulong Delivered, ulong Durable, Digest Chain, int Undecided);
