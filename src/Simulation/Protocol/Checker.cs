using System.Runtime.InteropServices;
using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>The promises of the protocol, looked at after every effect, by the names that docs/protocols uses.</summary>
/// <remarks>It sees everything and is seen by nobody: hosts and cores know nothing of it.</remarks>
internal sealed class Checker
{
    /// <summary>A turn takes so many inputs at most, each with a payload or more in one frame.</summary>
    private const int PayloadsPerTurn = 256;

    private readonly Quorums _quorums;
    private readonly Dictionary<InstanceId, Truth> _truths = [];
    private readonly Dictionary<StreamLife, LifeTruth> _lives = [];
    private readonly List<LifeTruth> _livesInOrder = [];
    private readonly Dictionary<(SimulatedReplica Receiver, byte Sender, InstanceId Instance), FirstVotes> _heard = [];
    private readonly Func<ushort, bool> _isCorrectSource;
    private ReplicaSet _silenced;

    public Checker(Quorums quorums, ReplicaSet correct, Func<ushort, bool> isCorrectSource)
    {
        (_quorums, _isCorrectSource) = (quorums, isCorrectSource);
        Correct = Honest = correct;
    }

    /// <summary>Gets the replicas that are neither Byzantine nor have lost their state.</summary>
    public ReplicaSet Correct { get; private set; }

    /// <summary>Gets the replicas that are not Byzantine: what they deliver must be right even after they lost their state.</summary>
    public ReplicaSet Honest { get; }

    /// <summary>Gets how many deliveries honest replicas made.</summary>
    public long Deliveries { get; private set; }

    /// <summary>Gets the lives in the order in which they became known.</summary>
    public IReadOnlyList<LifeTruth> Lives => _livesInOrder;

    /// <summary>A correct source promises that this digest, and no other, is sent for the instance.</summary>
    public void Accepted(in InstanceId instance, in Digest digest)
    {
        var life = LifeOf(instance.Life);
        if (life.Tainted) return;
        life.Accepted = instance.Seq;
        TruthOf(instance).Accepted = digest;
    }

    /// <summary>The disk of a source was set back: for this life nothing but agreement is promised any more.</summary>
    public void Taint(StreamLife life) => LifeOf(life).Tainted = true;

    /// <summary>The spool of a life is gone: what was released stays, what was not may never come.</summary>
    public void Abandon(StreamLife life) => LifeOf(life).Abandoned = true;

    /// <summary>A source says that its spool was set back, which must be true.</summary>
    public void SpoolLost(StreamLife life)
    {
        if (!LifeOf(life).Tainted) throw new PropertyViolationException("NoFalseAlarm", $"The spool of {life} is whole.");
    }

    /// <summary>
    /// A replica lost its journal, or its end: it counts among f from now on. When a start has settled that the journal does
    /// not know, its peers can tell, and it has to keep silent (R13); what is lost within one start nobody can notice.
    /// </summary>
    public void LostState(ReplicaId replica, bool noticeable)
    {
        Correct = Correct.Without(replica);
        if (noticeable) _silenced = _silenced.With(replica);
    }

    /// <summary>A replica starts over what its journal gave back; the layer above has exactly the deliveries in it.</summary>
    public void Booted(SimulatedReplica host)
    {
        var self = host.Self.Index;
        foreach (var life in _livesInOrder) life.Delivered[self] = life.Durable[self] = 0;
        var records = host.Journal.Records;
        for (var i = 0; i < records.Count; i++)
        {
            if (records[i].Effect.Kind != EffectKind.LogDelivered) continue;
            var (instance, life) = (records[i].Effect.Instance, LifeOf(records[i].Effect.Instance.Life));
            if (instance.Seq <= life.Delivered[self]) continue; // Repeated behind a snapshot.
            Demand(instance.Seq == life.Delivered[self] + 1, "Fifo", host, instance);
            life.Delivered[self] = instance.Seq;
            if (i < records.Durable) life.Durable[self] = instance.Seq;
        }
    }

    /// <summary>A replica carries out an effect.</summary>
    public void Carried(SimulatedReplica host, in Effect effect)
    {
        if (effect.Kind == EffectKind.Deliver) Delivered(host, effect);
        else if (effect.Kind == EffectKind.Evidence) Accused(host, effect);
        else if (effect.Kind == EffectKind.LogEchoForbidden) Demand(!Correct.Contains(host.Self), "NoFalseAlarm", host, default);
    }

    /// <summary>A replica hands a payload to the layer above.</summary>
    private void Delivered(SimulatedReplica host, in Effect effect)
    {
        var (instance, life, truth) = (effect.Instance, LifeOf(effect.Instance.Life), TruthOf(effect.Instance));
        ref var position = ref life.Delivered[host.Self.Index];
        Demand(instance.Seq > position, "NoDuplicate", host, instance);
        Demand(instance.Seq == position + 1, "Fifo", host, instance);
        Demand(host.ContentOf(effect.Digest) == effect.Digest, "Integrity", host, instance);
        Demand(truth.Decided is null || truth.Decided == effect.Digest, "Agreement", host, instance);
        if (!life.Tainted) Demand(truth.Accepted == effect.Digest, "Validity", host, instance);
        truth.Decided = effect.Digest;
        position = instance.Seq;
        Deliveries++;
    }

    /// <summary>A delivery became durable.</summary>
    public void Durable(ReplicaId replica, in InstanceId instance)
    {
        ref var durable = ref LifeOf(instance.Life).Durable[replica.Index];
        durable = Math.Max(durable, instance.Seq); // A delivery may stand in the journal twice: before and behind a snapshot.
    }

    /// <summary>A source drops batches from its spool: enough replicas must hold them for good.</summary>
    public void Released(StreamLife life, ulong seq)
    {
        var truth = LifeOf(life);
        truth.Released = Math.Max(truth.Released, seq);
        CheckReleased(truth);
    }

    /// <summary>What was released is still there.</summary>
    public void CheckReleased()
    {
        foreach (var life in _livesInOrder) CheckReleased(life);
    }

    /// <summary>Returns whether every honest replica holds a life durably up to a seq: nobody will ever ask for it.</summary>
    public bool HeldByAll(StreamLife life, ulong seq)
    {
        var durable = LifeOf(life).Durable;
        foreach (var replica in Honest)
            if (durable[replica.Index] < seq) return false;
        return true;
    }

    /// <summary>A message leaves a replica, after what it depends on is durable.</summary>
    public void Left(SimulatedReplica host, in Message message)
    {
        if (message.IsVote) CheckVote(host, message);
        else if (message.Kind == MessageKind.Status) CheckStatus(host, message.Status!.Value);
    }

    /// <summary>A vote of a liar was taken in: only the first counts (R4).</summary>
    public void Heard(SimulatedReplica host, int from, in Message message, Verdict verdict)
    {
        if (!message.IsVote || verdict != Verdict.Accepted || Honest.Contains(new((byte)from))) return;
        ref var heard = ref CollectionsMarshal.GetValueRefOrAddDefault(_heard, (host, (byte)from, message.Instance), out _);
        ref var first = ref message.Kind == MessageKind.Echo ? ref heard.Echo : ref heard.Voice;
        Demand(first is null || first == message.Digest, "FirstVoteCounts", host, message.Instance);
        first = message.Digest;
    }

    /// <summary>Evidence must never speak against the innocent.</summary>
    private void Accused(SimulatedReplica host, in Effect effect)
    {
        foreach (var accused in effect.To) Demand(!Correct.Contains(accused), "NoFalseEvidence", host, effect.Instance);
        if (effect.To.IsEmpty) Demand(LifeOf(effect.Instance.Life).Tainted, "NoFalseEvidence", host, effect.Instance);
    }

    /// <summary>Nothing that a replica keeps in memory grows beyond what it announces as its bound.</summary>
    public static void CheckMemory(SimulatedReplica host, int streams, int window)
    {
        var (held, bound) = (host.Broadcast.Footprint, host.Broadcast.Bound(streams));
        Demand(
            held.Lives <= bound.Lives && held.Digests <= bound.Digests && held.NamedLives <= bound.NamedLives,
            "BoundedMemory", host, default);
        Demand(held.Payloads <= bound.Payloads, "BoundedMemory", host, default);
        Demand(held.Instances <= Math.Min(bound.Instances, 2L * window * held.Lives), "BoundedMemory", host, default);
        Demand(host.PayloadsInMemory <= (2 * held.Instances) + PayloadsPerTurn, "BoundedMemory", host, default);
    }

    /// <summary>Returns what is missing at the end: null when every honest replica has everything it must have.</summary>
    public string? Missing(bool explain)
    {
        foreach (var life in _livesInOrder)
        {
            ulong highest = 0;
            foreach (var replica in Honest) highest = Math.Max(highest, life.Delivered[replica.Index]);
            var wanted = life.Tainted || life.Abandoned ? highest : Math.Max(highest, life.Accepted);
            foreach (var replica in Honest)
            {
                if (life.Delivered[replica.Index] >= wanted) continue;
                if (!explain) return string.Empty;
                var (has, taint) = (life.Delivered[replica.Index], life.Tainted ? ", tainted" : "");
                return $"{replica} has delivered {life.Life} up to {has} of {wanted} "
                    + $"(the best: {highest}, accepted: {life.Accepted}{taint})";
            }
        }

        return null;
    }

    private void CheckVote(SimulatedReplica host, in Message message)
    {
        var (self, truth) = (host.Self, TruthOf(message.Instance));
        if (message.Kind == MessageKind.Echo && _silenced.Contains(self)) // It may repeat what an old log says; it said that before.
            Demand(truth.Echo[self.Index] == message.Digest, "NoEchoAfterLoss", host, message.Instance);
        if (message.Kind != MessageKind.Ready) Demand(host.Journal.HoldsDurably(message.Digest), "HoldsWhatItSays", host, message.Instance);
        if (message.Kind == MessageKind.Done)
            Demand(LifeOf(message.Instance.Life).Delivered[self.Index] >= message.Instance.Seq, "HoldsWhatItSays", host, message.Instance);
        if (!Correct.Contains(self)) return; // READY and DONE may be computed anew after a loss.
        ref var first = ref message.Kind == MessageKind.Echo ? ref truth.Echo[self.Index] : ref truth.Voice[self.Index];
        Demand(first is null || first == message.Digest, "VoteOnce", host, message.Instance);
        first = message.Digest;
    }

    private void CheckStatus(SimulatedReplica host, in StreamStatus status)
    {
        var (self, life) = (host.Self.Index, LifeOf(status.Life));
        Demand(
            status.Durable <= life.Durable[self], "HonestStatus", host,
            new(1, status.Life.Stream, status.Life.Incarnation, status.Durable));
        Demand(
            status.Low <= life.Delivered[self] + 1, "HonestStatus", host,
            new(1, status.Life.Stream, status.Life.Incarnation, status.Low));
    }

    private void CheckReleased(LifeTruth life)
    {
        if (life.Tainted || life.Released == 0) return;
        var holders = 0;
        foreach (var replica in Correct)
            if (life.Durable[replica.Index] >= life.Released) holders++;
        if (holders >= _quorums.OneCorrect) return;
        throw new PropertyViolationException(
            "NoLoss", $"{life.Life} was released up to {life.Released}, which {holders} correct replicas hold durably");
    }

    private LifeTruth LifeOf(StreamLife life)
    {
        ref var truth = ref CollectionsMarshal.GetValueRefOrAddDefault(_lives, life, out var known);
        if (known) return truth!;
        truth = new(life, _quorums.Replicas, tainted: !_isCorrectSource(life.Stream.Source));
        _livesInOrder.Add(truth);
        return truth;
    }

    private Truth TruthOf(in InstanceId instance)
    {
        ref var truth = ref CollectionsMarshal.GetValueRefOrAddDefault(_truths, instance, out _);
        return truth ??= new(_quorums.Replicas);
    }

    private static void Demand(bool condition, string property, SimulatedReplica host, in InstanceId instance)
    {
        if (!condition) throw new PropertyViolationException(property, $"{host.Self} at {instance}");
    }

    /// <summary>What is known of one life of a stream; arrays by replica.</summary>
    internal sealed class LifeTruth(StreamLife life, int replicas, bool tainted)
    {
        public StreamLife Life { get; } = life;

        public bool Tainted { get; set; } = tainted;

        public bool Abandoned { get; set; }

        public ulong Accepted { get; set; }

        public ulong Released { get; set; }

        public ulong[] Delivered { get; } = new ulong[replicas];

        public ulong[] Durable { get; } = new ulong[replicas];
    }

    private sealed class Truth(int replicas)
    {
        public Digest? Accepted { get; set; }

        public Digest? Decided { get; set; }

        public Digest?[] Echo { get; } = new Digest?[replicas];

        public Digest?[] Voice { get; } = new Digest?[replicas];
    }

    private struct FirstVotes
    {
        public Digest? Echo;
        public Digest? Voice;
    }
}
