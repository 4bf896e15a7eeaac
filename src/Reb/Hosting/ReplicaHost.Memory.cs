using Massif.Reb.Links;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <content>What the bus can be made to hold in memory at a replica.</content>
public sealed partial class ReplicaHost
{
    private const int AddressBytes = 192; // An entry of the payload store and its place in a dictionary.
    private const int PageBytes = 96;
    private const int CheckpointBytes = 512;

    /// <summary>Gets how many streams the edges have among them: one of each class that a channel uses.</summary>
    public int Streams => _domain.Edges.Count * _domain.Channels.Select(channel => channel.Class).Distinct().Count();

    /// <summary>Gets the most lives that all streams together may have here.</summary>
    public long LivesMax => Core.Bound(Streams).Lives;

    /// <summary>Gets how many bytes of payloads are in memory.</summary>
    internal long PayloadBytesInMemory => _journal.PayloadBytesInMemory;

    /// <summary>Adds what the bus may hold.</summary>
    public void AddTo(MemoryBound bound)
    {
        ArgumentNullException.ThrowIfNull(bound);
        var (options, constants, replicas) = (OptionsOf(_domain), _domain.Protocol, _domain.Replicas.Count);
        bound.Add("windows, votes and digests of the lives of streams", BroadcastMemory.BytesOf(Core.Bound(Streams), options, replicas));
        bound.Add("payloads kept in memory (payload_memory_mib)", constants.PayloadMemoryMebibytes, 1024 * 1024);
        bound.Add("what the journal has not confirmed yet", ReplicaJournal.UnsyncedBytesMax + Frames.MaxLength);
        bound.Add("undecided payloads that move to a new segment", _journal.SegmentBytes + constants.BatchBytesMax);
        bound.Add("frames that wait for the journal", ReplicaOutbox.MaxBytes);
        bound.Add("addresses of payloads, by life", LivesMax, AddressBytes * (constants.CheckpointInterval + (2L * constants.Window)));
        var pages = _parts.JournalLimitBytes / (constants.CheckpointInterval * (long)LeastBatchBytes);
        bound.Add("pages of delivered batches", pages, PageBytes);
        bound.Add("checkpoints that are kept, by life", LivesMax * CheckpointLadder.Most, CheckpointBytes);
    }

    /// <summary>Bytes that the smallest batch takes in the journal: header, a payload, and the record of its delivery.</summary>
    private static int LeastBatchBytes => (2 * BatchHeader.Length) + (2 * Storage.SegmentLog.RecordOverheadBytes);
}
