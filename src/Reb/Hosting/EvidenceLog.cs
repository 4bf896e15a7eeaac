using Massif.Reb.Configuration;
using Massif.Reb.Protocol;

namespace Massif.Reb.Hosting;

/// <summary>One piece of evidence: somebody claimed two things of which a correct node claims one.</summary>
/// <param name="Number">Which piece it is since the start of this replica, from 1.</param>
/// <param name="Kind">What was done.</param>
/// <param name="Against">Id of the node.</param>
/// <param name="Instance">The instance it is about.</param>
/// <param name="First">The digest claimed first, or decided.</param>
/// <param name="Second">The other digest.</param>
public readonly record struct EvidenceRecord(
    long Number, EvidenceKind Kind, string Against, InstanceId Instance, Digest First, Digest Second);

/// <summary>The latest evidence (promise G8), a few pieces per node: a liar makes it forget its own lies, and no other's.</summary>
/// <remarks>
/// The pieces before are counted in <c>massif_evidence_total</c>. They are this replica's word, not proof for a third party.
/// </remarks>
public sealed class EvidenceLog
{
    /// <summary>Most pieces kept per node, about 120 bytes each.</summary>
    public const int PerNode = 32;

    private readonly SortedDictionary<string, Queue<EvidenceRecord>> _byNode = new(StringComparer.Ordinal);

    /// <summary>Gets how many pieces there ever were.</summary>
    public long Count { get; private set; }

    /// <summary>Returns the latest pieces, oldest first.</summary>
    public IReadOnlyList<EvidenceRecord> Latest() => [.. _byNode.Values.SelectMany(pieces => pieces).OrderBy(piece => piece.Number)];

    /// <summary>Keeps the evidence of an effect.</summary>
    internal void Add(in Effect effect, Domain domain)
    {
        var against = Accused(effect, domain);
        if (!_byNode.TryGetValue(against, out var pieces)) _byNode.Add(against, pieces = new(PerNode));
        if (pieces.Count == PerNode) pieces.Dequeue();
        pieces.Enqueue(new(++Count, effect.Evidence, against, effect.Instance, effect.Digest, effect.Other));
    }

    private static string Accused(in Effect effect, Domain domain)
    {
        foreach (var replica in effect.To) return domain.Replicas[replica.Index].Id;
        return domain.Nodes[effect.Instance.Stream.Source].Id;
    }
}
