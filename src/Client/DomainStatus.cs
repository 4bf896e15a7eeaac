using System.Text.Json;
using System.Text.Json.Serialization;

namespace Massif.Client;

/// <summary>How a replica stands to what f+1 replicas say.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReplicaState>))]
public enum ReplicaState
{
    /// <summary>It says the same.</summary>
    [JsonStringEnumMemberName("agrees")]
    Agrees,

    /// <summary>It says less, and nothing else.</summary>
    [JsonStringEnumMemberName("behind")]
    Behind,

    /// <summary>It contradicts, or answers nonsense.</summary>
    [JsonStringEnumMemberName("differs")]
    Differs,

    /// <summary>It does not answer.</summary>
    [JsonStringEnumMemberName("silent")]
    Silent,
}

/// <summary>The state of one replica.</summary>
/// <param name="Id">Its id.</param>
/// <param name="State">How it stands to the others.</param>
/// <param name="Note">Why, in one line; null when it agrees.</param>
/// <param name="Report">What it says about itself, unvoted; null when it did not answer.</param>
public sealed record ReplicaStatus(string Id, ReplicaState State, string? Note, ReplicaReport? Report);

/// <summary>How far f+1 replicas agree on one life of a stream.</summary>
/// <param name="Edge">Id of the edge.</param>
/// <param name="Class">0 bulk, 1 urgent.</param>
/// <param name="Incarnation">Life of the edge's spool, as text.</param>
/// <param name="Seq">The highest seq at which f+1 replicas have the same chained digest; 0 when there is none.</param>
/// <param name="Digest">That digest; null when there is none.</param>
/// <param name="Agreeing">Who has it.</param>
public sealed record StreamAgreement(
    string Edge, byte Class, string Incarnation, ulong Seq, string? Digest, IReadOnlyList<string> Agreeing);

/// <summary>The domain as f+1 replicas show it.</summary>
/// <param name="Domain">Name of the domain.</param>
/// <param name="Faults">f.</param>
/// <param name="Agreed">Whether at most f replicas are silent or differ, and every stream that f+1 know has an agreed point.</param>
/// <param name="Replicas">Each replica.</param>
/// <param name="Streams">Each stream that f+1 replicas know.</param>
public sealed record DomainStatus(
    string Domain,
    int Faults,
    bool Agreed,
    IReadOnlyList<ReplicaStatus> Replicas,
    IReadOnlyList<StreamAgreement> Streams)
{
    /// <summary>Returns the status as one JSON object with snake_case names.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ClientJsonContext.Readable.DomainStatus);
}
