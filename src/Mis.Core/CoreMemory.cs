using Massif.Cep;
using Massif.Mis.Core.Alarms;
using Massif.Mis.Core.Api;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Mis.Core;

/// <summary>What others can make a core replica hold in memory.</summary>
internal static class CoreMemory
{
    private const int ChainPointBytes = 48;
    private const int AlarmBytes = 18 * 1024; // One that lists 1,024 events.
    private const int JsonOfBatch = 6; // A byte of a batch becomes at most so many of JSON, when all are control characters.

    /// <summary>Adds what a replica may hold.</summary>
    public static void AddTo(MemoryBound bound, Domain domain, RuleSet rules, ReplicaHost replica)
    {
        replica.AddTo(bound);
        AddCorrelation(bound, domain, rules, replica);
        AddApi(bound, domain, new());
    }

    private static void AddCorrelation(MemoryBound bound, Domain domain, RuleSet rules, ReplicaHost replica)
    {
        var limits = new CorrelationLimits();
        var lives = (long)domain.Edges.Count * limits.LivesPerEdge;
        var tables = rules.TableBytesMax(limits);
        bound.Add("tables of rules, by life of an edge", lives, tables);
        bound.Add("their copy in a snapshot or a checkpoint, being written or read", 2, lives * tables);
        bound.Add("latest alarms of lives, for checkpoints", replica.LivesMax, LifeProgress.AlarmBytesMax + AlarmBytes);
        bound.Add("chained digests of lives, for the status", replica.LivesMax, ChainPointBytes * LifeProgress.RecentMax);
        bound.Add("alarms that are kept", AlarmStore.BytesDefault + AlarmBytes);
    }

    private static void AddApi(MemoryBound bound, Domain domain, CoreApiLimits limits)
    {
        long batch = domain.Protocol.BatchBytesMax;
        bound.Add("connections to the API that have shown no certificate", limits.NewcomersMax, NodeLimits.NewcomerBytes);
        bound.Add("connections of certified clients", limits.ConnectionsMax, NodeLimits.WebConnectionBytes + AnswerDesk.SmallBytes);
        bound.Add("answers being made", limits.AnswersAtOnce, 2 * (limits.AnswerBytesMax + (JsonOfBatch * batch)));
        bound.Add("answers that wait to be read", limits.AnswersWaitingBytesMax);
        bound.Add("live streams", limits.StreamsMax, (limits.BatchesWaiting * batch) + (2 * JsonOfBatch * batch));
    }
}
