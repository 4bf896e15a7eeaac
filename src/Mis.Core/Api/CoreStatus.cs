using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Massif.Mis.Core.Api;

/// <summary>What a replica knows of its own votes (protocols R13).</summary>
public enum VoteLogState : byte
{
    /// <summary>Complete: the replica takes part in everything.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>Lost or damaged: the replica sends no ECHO in this epoch; it still delivers and serves what it has.</summary>
    [JsonStringEnumMemberName("lost")]
    Lost,

    /// <summary>The replica is still asking its peers which of the two it is.</summary>
    [JsonStringEnumMemberName("checking")]
    Checking,
}

/// <summary>What a replica says about itself. Nothing here is voted: it is shown per replica.</summary>
public sealed record CoreStatus
{
    /// <summary>Gets the id of the node in the domain description.</summary>
    public required string NodeId { get; init; }

    /// <summary>Gets the version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Gets the id of the operating-system process.</summary>
    public required int ProcessId { get; init; }

    /// <summary>Gets how often the replica was started with this disk.</summary>
    public required ulong StartCounter { get; init; }

    /// <summary>Gets the epoch.</summary>
    public required uint Epoch { get; init; }

    /// <summary>Gets what the replica knows of its own votes.</summary>
    public required VoteLogState VoteLog { get; init; }

    /// <summary>Gets the SHA-256 of the rule set in hex: replicas with different rules make different alarms.</summary>
    public required string RulesDigest { get; init; }

    /// <summary>Gets how many alarms the replica ever made.</summary>
    public required long Alarms { get; init; }

    /// <summary>Gets the number of events delivered since the process started.</summary>
    public required long EventsDelivered { get; init; }

    /// <summary>Gets the bytes of the journal on disk.</summary>
    public required long JournalBytes { get; init; }

    /// <summary>Gets why the disk takes nothing new at the moment; null while all is well.</summary>
    public string? DiskTrouble { get; init; }

    /// <summary>Gets the streams, in the order of edge, class and incarnation.</summary>
    public required ImmutableArray<StreamStatus> Streams { get; init; }

    /// <summary>Gets the neighbours and whether the link to them is up, in the order of the domain description.</summary>
    public required ImmutableArray<PeerStatus> Peers { get; init; }

    /// <summary>Gets what was refused, dropped or noticed: reason and how often, in the order of the reasons.</summary>
    public required ImmutableArray<ReasonCount> Reasons { get; init; }

    /// <summary>Gets the latest evidence against nodes since the process started, oldest first; at most 32 pieces per node.</summary>
    public ImmutableArray<EvidenceEntry> Evidence { get; init; } = [];

    /// <summary>Gets the batches that this replica went past with a checkpoint since the process started: it has not got them.</summary>
    public ImmutableArray<GapEntry> Gaps { get; init; } = [];
}

/// <summary>Batches of one stream that a replica went past: it has what they did to its state, and not themselves.</summary>
/// <param name="Edge">Id of the edge.</param>
/// <param name="Class">Urgency class.</param>
/// <param name="Incarnation">Life of the edge's spool.</param>
/// <param name="From">First seq.</param>
/// <param name="To">Last seq.</param>
public sealed record GapEntry(string Edge, byte Class, ulong Incarnation, ulong From, ulong To);

/// <summary>One piece of evidence: a node claimed two things of which a correct one claims one.</summary>
/// <param name="Number">Which piece it is since the process started, from 1.</param>
/// <param name="Kind">What it did, such as <c>SourceEquivocation</c>.</param>
/// <param name="Against">Id of the node.</param>
/// <param name="Instance">Edge, incarnation and seq of the batch it is about.</param>
/// <param name="First">The digest claimed first, or decided, in hex.</param>
/// <param name="Second">The other digest in hex.</param>
public sealed record EvidenceEntry(long Number, string Kind, string Against, string Instance, string First, string Second);

/// <summary>The link to one neighbour.</summary>
/// <param name="Id">Id of the neighbour.</param>
/// <param name="Role">edge, relay or core.</param>
/// <param name="Up">Whether the link is established.</param>
public sealed record PeerStatus(string Id, string Role, bool Up);

/// <summary>How often something happened.</summary>
/// <param name="Reason">A stable word, such as <c>bad_mac</c>.</param>
/// <param name="Count">How often since the process started.</param>
public sealed record ReasonCount(string Reason, long Count);

/// <summary>How far one life of a stream has come at this replica.</summary>
public sealed record StreamStatus
{
    /// <summary>Gets the id of the edge.</summary>
    public required string Edge { get; init; }

    /// <summary>Gets the class: 0 bulk, 1 urgent.</summary>
    public required byte Class { get; init; }

    /// <summary>Gets the incarnation; a string in JSON, because it may need all 64 bits.</summary>
    [JsonNumberHandling(JsonNumberHandling.WriteAsString | JsonNumberHandling.AllowReadingFromString)]
    public required ulong Incarnation { get; init; }

    /// <summary>Gets the last seq delivered; everything up to it is delivered.</summary>
    public required ulong Delivered { get; init; }

    /// <summary>Gets the last seq that is delivered and durable.</summary>
    public required ulong Durable { get; init; }

    /// <summary>
    /// Gets the chained digest behind several seqs, ascending and ending with <see cref="Delivered"/>: replicas are
    /// compared at the highest seq that f+1 of them have, so it should reach back a window (256 seqs).
    /// </summary>
    public required ImmutableArray<ChainPoint> Chain { get; init; }
}

/// <summary>The chained digest of a stream's life behind one batch.</summary>
/// <param name="Seq">Seq of the batch.</param>
/// <param name="Digest">The digest in hex.</param>
public sealed record ChainPoint(ulong Seq, string Digest);
