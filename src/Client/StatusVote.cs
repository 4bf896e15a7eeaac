using System.Globalization;

namespace Massif.Client;

/// <summary>Compares what replicas report; pure, so that every case can be tested without a network.</summary>
/// <remarks>
/// Replicas are never at the same seq while events flow. So a stream is compared at the highest seq at which f+1 show
/// the same chained digest: at least one of them is correct, and the digest covers everything before.
/// </remarks>
internal static class StatusVote
{
    /// <summary>Judges the reports; one that is null is of a replica that did not answer, for the reason beside it.</summary>
    public static DomainStatus Count(
        ClientOptions options, IReadOnlyList<(ReplicaReport? Report, ReplicaState State, string? Trouble)> answers)
    {
        var judged = answers
            .Select((answer, i) => new ReplicaStatus(options.Replicas[i].Id, answer.State, answer.Trouble, answer.Report))
            .ToArray();
        var streams = new List<StreamAgreement>();
        foreach (var name in StreamsOf(judged, options.OneCorrect))
        {
            var agreement = Agree(name, judged, options.OneCorrect, out var agreed);
            streams.Add(agreement);
            for (var i = 0; i < judged.Length; i++) judged[i] = Judge(judged[i], name, agreement, agreed);
        }

        CompareRules(judged, options.OneCorrect);
        var wrong = judged.Count(replica => replica.State is ReplicaState.Silent or ReplicaState.Differs);
        return new(options.Domain, options.Faults, wrong <= options.Faults && streams.All(s => s.Seq > 0), judged, streams);
    }

    // A stream that fewer than f+1 know may be an invention.
    private static StreamName[] StreamsOf(ReplicaStatus[] replicas, int oneCorrect) =>
        [.. replicas
            .SelectMany(replica => replica.Report?.Streams.Where(s => s.Delivered > 0).Select(s => s.Name).Distinct() ?? [])
            .GroupBy(name => name)
            .Where(known => known.Count() >= oneCorrect)
            .Select(known => known.Key)
            .OrderBy(name => name.Edge, StringComparer.Ordinal).ThenBy(name => name.Class).ThenBy(name => name.Incarnation)];

    private static StreamAgreement Agree(
        StreamName name, ReplicaStatus[] replicas, int oneCorrect, out Dictionary<ulong, string> agreed)
    {
        var points = replicas
            .SelectMany(replica => ChainOf(replica, name).Select(point => (replica.Id, point.Key, point.Value)))
            .GroupBy(point => (Seq: point.Key, Digest: point.Value))
            .Where(voters => voters.Count() >= oneCorrect)
            .ToArray();
        agreed = [];
        foreach (var point in points) agreed.TryAdd(point.Key.Seq, point.Key.Digest);
        var best = points.MaxBy(point => point.Key.Seq);
        var incarnation = name.Incarnation.ToString(CultureInfo.InvariantCulture);
        return new(
            name.Edge, name.Class, incarnation, best?.Key.Seq ?? 0, best?.Key.Digest, [.. best?.Select(point => point.Id) ?? []]);
    }

    // A replica has one voice per seq: the first point that it lists.
    private static Dictionary<ulong, string> ChainOf(ReplicaStatus replica, StreamName name)
    {
        var chain = new Dictionary<ulong, string>();
        foreach (var stream in replica.Report?.Streams ?? [])
        {
            if (stream.Name != name) continue;
            foreach (var point in stream.Chain) chain.TryAdd(point.Seq, point.Digest);
        }

        return chain;
    }

    private static ReplicaStatus Judge(
        ReplicaStatus replica, StreamName name, StreamAgreement agreement, Dictionary<ulong, string> agreed)
    {
        if (agreement.Seq == 0 || replica.State is ReplicaState.Silent or ReplicaState.Differs) return replica;
        var chain = ChainOf(replica, name);
        foreach (var (seq, digest) in chain.OrderBy(point => point.Key))
        {
            if (agreed.TryGetValue(seq, out var theirs) && theirs != digest)
                return replica with { State = ReplicaState.Differs, Note = $"has another digest of {name.Edge} at seq {seq}" };
        }

        if (chain.ContainsKey(agreement.Seq)) return replica;
        var delivered = replica.Report!.Streams.Where(s => s.Name == name).Select(s => s.Delivered).DefaultIfEmpty().Max();
        if (delivered >= agreement.Seq)
            return replica with { State = ReplicaState.Differs, Note = $"shows no digest of {name.Edge} at seq {agreement.Seq}" };
        return replica with { State = ReplicaState.Behind, Note = $"{agreement.Seq - delivered} batches of {name.Edge} behind" };
    }

    // Other rules make other alarms: not a lie, but the operator must know.
    private static void CompareRules(ReplicaStatus[] replicas, int oneCorrect)
    {
        var common = replicas.Where(replica => replica.Report is not null)
            .GroupBy(replica => replica.Report!.RulesDigest)
            .Where(same => same.Count() >= oneCorrect)
            .MaxBy(same => same.Count());
        if (common is null) return;
        for (var i = 0; i < replicas.Length; i++)
        {
            if (replicas[i].Report is { } report && report.RulesDigest != common.Key && replicas[i].State != ReplicaState.Differs)
                replicas[i] = replicas[i] with { State = ReplicaState.Differs, Note = "has other rules" };
        }
    }
}
