namespace Massif.Cli.Demo;

/// <summary>How one replica stands.</summary>
/// <param name="Answers">Whether it answered in time.</param>
/// <param name="Delivered">Events that it has delivered since its disk was made.</param>
/// <param name="Correlated">Events that its correlation engine has seen since its disk was made.</param>
/// <param name="State">What to show: <c>up</c>, <c>behind</c>, <c>differs</c>, <c>catching up</c>, <c>silent</c>.</param>
/// <param name="Position">
/// How far its streams have come, as one comparable text; equal texts mean equal streams. Null when it does not answer.
/// </param>
internal sealed record ReplicaReading(bool Answers, long Delivered, long Correlated, string State, string? Position)
{
    /// <summary>What is known of a replica that says nothing.</summary>
    public static readonly ReplicaReading Silent = new(false, 0, 0, "silent", null);
}

/// <summary>How the whole domain stands at one moment.</summary>
internal sealed record DomainReading
{
    /// <summary>Gets the lines that the edge took from its replay listener.</summary>
    public required long Replayed { get; init; }

    /// <summary>Gets all events that the edge took in or made.</summary>
    public required long TakenIn { get; init; }

    /// <summary>Gets the batches in the edge's spool that the replicas have not released yet.</summary>
    public required long Unreleased { get; init; }

    /// <summary>Gets the replicas by id.</summary>
    public required IReadOnlyDictionary<string, ReplicaReading> Replicas { get; init; }

    /// <summary>Gets the paths from the edge.</summary>
    public required IReadOnlyList<PathLine> Paths { get; init; }

    /// <summary>Gets the alarms that f + 1 replicas agree on, in the order in which they were agreed.</summary>
    public required IReadOnlyList<AgreedAlarm> Alarms { get; init; }

    /// <summary>Gets whether everything that so many lines became is at all replicas.</summary>
    public bool IsComplete(long sent) =>
        Replayed >= sent && Unreleased == 0
        && Replicas.Values.All(replica => replica.Position is not null)
        && Replicas.Values.Select(replica => replica.Position).Distinct().Count() == 1;

    /// <summary>Gets what changes when anything moves on; equal texts for a long time mean that nothing does.</summary>
    public string Progress => string.Join(
        '|',
        Replicas.Values
            .Select(replica => $"{replica.Delivered} {replica.Position}")
            .Append($"{TakenIn} {Unreleased} {Alarms.Count}"));
}

/// <summary>Looks at the domain from outside, as an operator does: over the replicas' API and the nodes' metrics.</summary>
internal interface IDomainObserver : IDisposable
{
    /// <summary>Returns whether the node has started and is healthy.</summary>
    Task<bool> IsReadyAsync(string node, CancellationToken cancel);

    /// <summary>Returns whether the relay misbehaves by now.</summary>
    Task<bool> IsMisbehavingAsync(string relay, CancellationToken cancel);

    /// <summary>Reads how everything stands. Never fails because a node is silent.</summary>
    Task<DomainReading> ReadAsync(CancellationToken cancel);

    /// <summary>Reads back everything that the replica delivered.</summary>
    Task<DeliveryAudit> AuditAsync(string replica, CancellationToken cancel);

    /// <summary>Returns how the replicas differ in chained digests or alarms, in words; empty when they agree.</summary>
    Task<IReadOnlyList<string>> CompareAsync(CancellationToken cancel);
}
