using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Massif.Client;

/// <summary>What one replica says about itself. None of it is voted.</summary>
public sealed record ReplicaReport
{
    /// <summary>Gets the version of its program.</summary>
    public string Version { get; init; } = "";

    /// <summary>Gets its process id.</summary>
    public int ProcessId { get; init; }

    /// <summary>Gets how often it was started with its disk.</summary>
    public ulong StartCounter { get; init; }

    /// <summary>Gets its epoch.</summary>
    public uint Epoch { get; init; }

    /// <summary>Gets <c>ok</c>, <c>lost</c> or <c>checking</c>.</summary>
    public string VoteLog { get; init; } = "";

    /// <summary>Gets the digest of its rules.</summary>
    public string RulesDigest { get; init; } = "";

    /// <summary>Gets how many alarms it ever made.</summary>
    public long Alarms { get; init; }

    /// <summary>Gets how many events it delivered since its process started.</summary>
    public long EventsDelivered { get; init; }

    /// <summary>Gets the bytes of its journal.</summary>
    public long JournalBytes { get; init; }

    /// <summary>Gets why its disk takes nothing new; null while all is well.</summary>
    public string? DiskTrouble { get; init; }

    /// <summary>Gets the streams it knows.</summary>
    public IReadOnlyList<StreamReport> Streams { get; init; } = [];

    /// <summary>Gets its links.</summary>
    public IReadOnlyList<PeerReport> Peers { get; init; } = [];

    /// <summary>Gets what it refused, dropped or noticed.</summary>
    public IReadOnlyList<ReasonReport> Reasons { get; init; } = [];
}

/// <summary>How far one replica says it is in one life of a stream.</summary>
public sealed record StreamReport
{
    /// <summary>Gets the id of the edge.</summary>
    public string Edge { get; init; } = "";

    /// <summary>Gets the class: 0 bulk, 1 urgent.</summary>
    public byte Class { get; init; }

    /// <summary>Gets the incarnation.</summary>
    [JsonNumberHandling(JsonNumberHandling.AllowReadingFromString | JsonNumberHandling.WriteAsString)]
    public ulong Incarnation { get; init; }

    /// <summary>Gets the last seq delivered.</summary>
    public ulong Delivered { get; init; }

    /// <summary>Gets the last seq delivered and durable.</summary>
    public ulong Durable { get; init; }

    /// <summary>Gets the chained digests behind some seqs.</summary>
    public IReadOnlyList<ChainReport> Chain { get; init; } = [];

    internal StreamName Name => new(Edge, Class, Incarnation);
}

/// <summary>One life of a stream.</summary>
/// <param name="Edge">Id of the edge.</param>
/// <param name="Class">0 bulk, 1 urgent.</param>
/// <param name="Incarnation">Life of the edge's spool.</param>
public readonly record struct StreamName(string Edge, byte Class, ulong Incarnation);

/// <summary>The chained digest behind one seq.</summary>
/// <param name="Seq">Seq of the batch.</param>
/// <param name="Digest">The digest in hex.</param>
public sealed record ChainReport(ulong Seq, string Digest);

/// <summary>A link of a replica.</summary>
/// <param name="Id">The neighbour.</param>
/// <param name="Role">edge, relay or core.</param>
/// <param name="Up">Whether it is established.</param>
public sealed record PeerReport(string Id, string Role, bool Up);

/// <summary>How often something happened.</summary>
/// <param name="Reason">A stable word.</param>
/// <param name="Count">How often.</param>
public sealed record ReasonReport(string Reason, long Count);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(ReplicaReport))]
[JsonSerializable(typeof(DomainStatus))]
internal sealed partial class ClientJsonContext : JsonSerializerContext
{
    /// <summary>Gets what writes for terminals and pipes: quotes, signs and letters stay as they are.</summary>
    public static ClientJsonContext Readable => Relaxed.Context;

    /// <summary>Reads a report; null when the document is none. A replica may send anything.</summary>
    public static ReplicaReport? TryRead(JsonDocument document)
    {
        try
        {
            var report = document.Deserialize(Default.ReplicaReport);
            return report is { Streams: not null, Peers: not null, Reasons: not null }
                && report.Streams.All(s => s is { Edge: not null, Chain: not null } && s.Chain.All(c => c is { Digest: not null }))
                && report.Peers.All(p => p is { Id: not null, Role: not null })
                && report.Reasons.All(r => r is { Reason: not null })
                ? report
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Made when it is first used: the order of static fields in a partial class is nobody's promise.</summary>
    private static class Relaxed
    {
        public static readonly ClientJsonContext Context =
            new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
