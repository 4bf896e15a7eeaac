using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>Counts what became of the peers' claims: one counter per frame type and verdict, one per kind of evidence.</summary>
internal sealed class VerdictCounters
{
    private readonly Counters.Counter[][] _byTypeAndVerdict;
    private readonly Counters.Counter[] _byEvidence;

    public VerdictCounters(Counters counters)
    {
        _byTypeAndVerdict = new Counters.Counter[(int)Enum.GetValues<FrameType>().Max() + 1][];
        foreach (var type in Enum.GetValues<FrameType>()) _byTypeAndVerdict[(int)type] = Of(type, counters);

        _byEvidence = [.. Enum.GetValues<EvidenceKind>()
            .Select(e => counters.Of($"massif_evidence_total{{kind=\"{Snake(e.ToString())}\"}}"))];
    }

    /// <summary>Returns the counters of one type of frame, by verdict.</summary>
    public static Counters.Counter[] Of(FrameType type, Counters counters)
    {
        var name = type == FrameType.Envelope ? "initial" : Snake(type.ToString());
        return [.. Enum.GetValues<Verdict>()
            .Select(v => counters.Of($"massif_verdicts_total{{input=\"{name}\",verdict=\"{Snake(v.ToString())}\"}}"))];
    }

    public void Count(FrameType input, Verdict verdict) => _byTypeAndVerdict[(int)input][(int)verdict].Add();

    public void CountEvidence(EvidenceKind kind) => _byEvidence[(int)kind].Add();

    private static string Snake(string name) =>
        string.Concat(name.Select((c, i) =>
            char.IsUpper(c) && i > 0 ? "_" + char.ToLowerInvariant(c) : char.ToLowerInvariant(c).ToString()));
}
