using System.Globalization;
using Massif.Cep;
using Massif.Mis.Core.Api;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Mis.Core;

/// <summary>One core replica: the bus host with the application above it, and answers to the API between their turns.</summary>
/// <remarks>Synchronous and deterministic: production and simulation drive exactly this class.</remarks>
public sealed class CoreHost
{
    // What is merely repeated, old or early (R8), or of a life that is about to be enrolled: every start and every batch has some.
    private static readonly string[] WithoutSuspicion =
        [.. new[] { "accepted", "duplicate", "old", "early", "unknown_life" }.Select(verdict => $"verdict=\"{verdict}\"")];

    // Of all lives together, so that an edge with many of them does not make a status of megabytes; a few of each are enough to compare.
    private const int ChainPointsMax = 8_192;
    private const int ChainPointsMin = 16;

    private readonly Domain _domain;
    private readonly ReplicaParts _parts;
    private readonly string _rulesDigest;
    private readonly ReplicaHost _replica;

    /// <summary>Restores the replica from its journal and starts it.</summary>
    /// <exception cref="Reb.Storage.StorageFormatException">The journal is of another version.</exception>
    public CoreHost(ReplicaParts parts, RuleSet rules, in Moment now)
    {
        ArgumentNullException.ThrowIfNull(parts);
        ArgumentNullException.ThrowIfNull(rules);
        (_domain, _parts) = (parts.Domain, parts);
        _rulesDigest = Convert.ToHexStringLower(rules.Digest.AsSpan());
        Application = new(parts.Domain, rules, parts.Counters);
        _replica = new(parts, Application, now);
    }

    /// <summary>Gets what runs above the bus.</summary>
    public CoreApplication Application { get; }

    /// <summary>Gets the bus side, to be looked at between turns.</summary>
    public ReplicaHost Replica => _replica;

    /// <summary>Gets when <see cref="OnDeadline"/> is due.</summary>
    public Instant? NextDeadline => _replica.NextDeadline;

    /// <summary>Takes one input.</summary>
    public void Step(in HostInput input, in Moment now)
    {
        if (input.Kind == HostInputKind.Request) input.Request!.Answer(this);
        else _replica.Step(input, now);
    }

    /// <summary>Does what is due.</summary>
    public void OnDeadline(in Moment now) => _replica.OnDeadline(now);

    /// <summary>Ends a burst of inputs: what it logged is synced once, what it sends leaves after that.</summary>
    public void EndTurn(in Moment now) => _replica.EndTurn(now);

    /// <summary>Returns what this replica says about itself.</summary>
    public CoreStatus Status(int processId, string version)
    {
        var tips = new List<StreamTip>();
        _replica.Core.CopyTips(tips);
        var points = Math.Max(ChainPointsMin, ChainPointsMax / Math.Max(1, tips.Count));
        return new()
        {
            NodeId = _domain[_parts.Self].Id,
            Version = version,
            ProcessId = processId,
            StartCounter = _replica.StartCounter,
            Epoch = _domain.Epoch,
            VoteLog = _replica.EchoForbidden ? VoteLogState.Lost : _replica.IsSettled ? VoteLogState.Ok : VoteLogState.Checking,
            RulesDigest = _rulesDigest,
            Alarms = Application.Store.Last,
            EventsDelivered = Application.EventsDelivered,
            JournalBytes = _replica.JournalBytes,
            DiskTrouble = _replica.DiskTrouble,
            Streams = [.. tips.Select(tip => StreamOf(tip, points))
                .OrderBy(s => s.Edge, StringComparer.Ordinal).ThenBy(s => s.Class).ThenBy(s => s.Incarnation)],
            Peers = [.. _domain.Nodes.Where(node => node.Index != _parts.Self).Select(PeerOf)],
            Evidence = [.. _replica.Evidence.Latest().Select(e => new EvidenceEntry(
                e.Number, e.Kind.ToString(), e.Against, NameOf(e.Instance), e.First.ToString(), e.Second.ToString()))],
            Gaps = [.. _replica.Gaps.Select(gap => new GapEntry(
                _domain.Nodes[gap.Life.Stream.Source].Id, (byte)gap.Life.Stream.Class, gap.Life.Incarnation, gap.From, gap.To))],
            Reasons = [.. _parts.Counters.All().Where(IsReason)
                .Select(c => new ReasonCount(c.Name, c.Value))
                .OrderBy(r => r.Reason, StringComparer.Ordinal)],
        };
    }

    /// <summary>Returns a delivered batch by the names in an event id; null when it is not here.</summary>
    public DeliveredBatch? FindBatch(string edge, ulong incarnation, ulong seq)
    {
        if (_domain.Find(edge) is not { } node) return null;
        foreach (var streamClass in Enum.GetValues<StreamClass>())
        {
            var life = new StreamLife(new(node.Index.Value, streamClass), incarnation);
            if (Application.Applied(life) >= seq && _replica.TryRead(life, seq, out var batch))
                return new(Application.StreamOf(life), seq, batch.Payload);
        }

        return null;
    }

    private Api.StreamStatus StreamOf(StreamTip tip, int points) => new()
    {
        Edge = _domain.Nodes[tip.Life.Stream.Source].Id,
        Class = (byte)tip.Life.Stream.Class,
        Incarnation = tip.Life.Incarnation,
        Delivered = tip.Delivered,
        Durable = tip.Durable,
        Chain = [.. Application.RecentChain(tip.Life).TakeLast(points).Select(point => new ChainPoint(point.Seq, point.Chain.ToString()))],
    };

    private string NameOf(InstanceId instance) => string.Create(
        CultureInfo.InvariantCulture, $"{_domain.Nodes[instance.Stream.Source].Id}/{instance.Incarnation}/{instance.Seq}");

    private PeerStatus PeerOf(DomainNode node) =>
        new(node.Id, node.Role.ToString().ToLower(CultureInfo.InvariantCulture), _parts.Links.IsUp(node.Index));

    /// <summary>What an operator should see: drops, refusals, faults, evidence, and verdicts that raise a suspicion.</summary>
    internal static bool IsReason(Counters.Counter counter) =>
        counter.Value > 0
        && counter.Name.Contains('{', StringComparison.Ordinal)
        && !WithoutSuspicion.Any(verdict => counter.Name.Contains(verdict, StringComparison.Ordinal))
        && !counter.Name.StartsWith("massif_path_sent", StringComparison.Ordinal);
}
