using System.Globalization;
using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What happens to processes and disks: batches come, nodes crash, lose power, lose their disks, and start again.</summary>
internal sealed class Mischief
{
    private readonly ProtocolWorld _world;
    private readonly Prng _prng;
    private readonly RunPlan _shape;
    private readonly List<(int From, int To)> _starved = [];
    private int _lossBudget, _toPublish;
    private bool _healed;

    public Mischief(ProtocolWorld world, Prng prng) =>
        (_world, _prng, _shape, _lossBudget) = (world, prng, world.Shape, world.Shape.LossBudget);

    /// <summary>Gets whether every batch has been given to its source.</summary>
    public bool AllPublished => _toPublish == 0;

    public void Begin()
    {
        for (var node = _shape.Replicas; node < _shape.Nodes; node++)
        {
            if (!_shape.IsCorrectSource(node)) continue;
            for (var i = 0; i < _shape.BatchesPerSource; i++) PlanPublish(node, _prng.Between(0, _shape.Trouble * 5 / 4));
        }

        if (Has(FaultKinds.Crash)) PlanCrash();
        if (_shape.Scenario == Scenario.Starve) Starve(_prng.Pick([.. Members(_shape.Correct)]));
    }

    public void Happen(in WorldEvent happening)
    {
        switch (happening.Kind)
        {
            case WorldEventKind.Publish: Publish((int)happening.Number); break;
            case WorldEventKind.Crash: CrashSomebody(happening.Number); break;
            default:
                if (happening.Number > 0) Renew((SourceActor)_world.Actors[happening.Actor], (int)happening.Number - 1);
                else Restart(_world.Actors[happening.Actor]);
                break;
        }
    }

    /// <summary>Ends it: whoever is down starts again, nobody falls any more.</summary>
    public void Heal()
    {
        _healed = true;
        foreach (var (from, to) in _starved) _world.Network.Unblock(from, to);
        _starved.Clear();
    }

    private bool Has(FaultKinds kind) => (_shape.Faults & kind) != 0;

    private void PlanPublish(int node, long delay)
    {
        _toPublish++;
        _world.Plan(delay, new(WorldEventKind.Publish, 0, 0, node, default));
    }

    private void Publish(int node)
    {
        _toPublish--;
        var source = _world.Actors.OfType<SourceActor>().First(actor => actor.Node == node);
        if (source.Alive) source.Publish(_prng.Below(source.Spools.Count));
        else PlanPublish(node, _prng.Between(1, 50 * VirtualTime.Millisecond)); // The sender tries again.
    }

    private void PlanCrash(long victim = -1, long? within = null)
    {
        var pause = within ?? (_shape.Scenario == Scenario.Storm ? _shape.MeanPause / 4 : _shape.MeanPause * 2);
        _world.Plan(_prng.Between(1, 2 * pause), new(WorldEventKind.Crash, 0, 0, victim, default));
    }

    private void CrashSomebody(long victim)
    {
        if (_healed) return;
        if (victim >= 0)
        {
            CrashOne(_world.Actors[(int)victim]); // The starved one comes back hungry; one that has just started, started in vain.
            return;
        }

        PlanCrash();
        if (Has(FaultKinds.Blackout) && _prng.OneIn(6))
        {
            foreach (var actor in _world.Actors)
                if (actor is ReplicaActor and not Puppet && actor.Alive) CrashOne(actor);
            return;
        }

        var candidates = _world.Actors.Where(actor => actor.Alive && actor is SourceActor or (ReplicaActor and not Puppet)).ToArray();
        if (candidates.Length > 0) CrashOne(_prng.Pick(candidates));
    }

    private void CrashOne(Actor actor)
    {
        if (!actor.Alive) return;
        Stop(actor, Has(FaultKinds.PowerCut) && _prng.Chance(50));
        if (Has(FaultKinds.LoseState) && _prng.Chance(35)) LoseDisk(actor);
        PlanRestart(actor);
    }

    private void Stop(Actor actor, bool powerCut)
    {
        Say(powerCut ? "loses power" : "is killed", actor);
        actor.Stop();
        _world.Network.Stop(actor.Node);
        if (actor is ReplicaActor replica) replica.Journal.Crash(_prng, powerCut);
        if (actor is not SourceActor source) return;
        foreach (var spool in source.Spools)
        {
            spool.Batches.Crash(_prng, powerCut);
            spool.Released = (ulong)_prng.Between(0, (long)spool.Released); // Dropping segments is lazy: a crash may undo it.
        }
    }

    private void LoseDisk(Actor actor)
    {
        var old = _prng.Chance(50);
        if (actor is ReplicaActor replica
            && _lossBudget > 0
            && _world.Checker.Correct.Contains(new((byte)actor.Node))
            && replica.Journal.Records.Durable > 0)
        {
            _lossBudget--;
            var settled = HighestStart(replica.Journal.Records, EffectKind.LogStartSettled);
            replica.Journal.Records.LoseAllBut(old ? AnOlder(replica.Journal.Records) : 0);
            var noticeable = settled > HighestStart(replica.Journal.Records, EffectKind.LogStart);
            _world.Checker.LostState(new((byte)actor.Node), noticeable);
            Say(old ? "comes back with an old disk" : "comes back with an empty disk", actor);
        }

        if (actor is not SourceActor source) return;
        var spool = _prng.Below(source.Spools.Count);
        var lost = source.Spools[spool];
        Say(old ? "comes back with an old spool" : "comes back without a spool", actor);
        if (old && lost.Batches.Durable > 0)
        {
            _world.Checker.Taint(lost.Life);
            lost.Batches.LoseAllBut(_prng.Below(lost.Batches.Durable));
            lost.Released = Math.Min(lost.Released, (ulong)lost.Batches.Durable);
        }
        else
        {
            _world.Checker.Abandon(lost.Life);
            source.Renew(spool);
        }
    }

    /// <summary>The operator gives a source whose spool was set back a new incarnation.</summary>
    private void Renew(SourceActor source, int spool)
    {
        _world.Checker.Abandon(source.Spools[spool].Life);
        source.Renew(spool);
        if (!source.Alive) return;
        Stop(source, powerCut: false);
        PlanRestart(source);
    }

    private void PlanRestart(Actor actor) =>
        _world.Plan(_prng.Between(1, 4 * _shape.MeanPause), new(WorldEventKind.Restart, actor.Index, 0, 0, default));

    private void Restart(Actor actor)
    {
        if (actor.Alive) return;
        Say("starts", actor);
        actor.Start();
        if (_shape.Scenario == Scenario.Storm && _prng.Chance(30)) PlanCrash(actor.Index, within: 10 * VirtualTime.Millisecond);
        _world.Network.Start(actor.Node, within: 20 * VirtualTime.Millisecond);
    }

    private void Starve(int node)
    {
        var fromReplicasOnly = _prng.Chance(50);
        for (var from = 0; from < (fromReplicasOnly ? _shape.Replicas : _shape.Nodes); from++)
        {
            if (from == node) continue;
            _world.Network.Block(from, node);
            _starved.Add((from, node));
        }

        if (_prng.Chance(70)) PlanCrash(_world.Actors.First(actor => actor.Node == node).Index);
    }

    private void Say(string what, Actor actor)
    {
        _world.Trace.Add((int)TraceKind.Process, actor.Node, (ulong)what.Length, (ulong)actor.Life);
        if (_world.Trace.IsRead) _world.Trace.Say(string.Create(CultureInfo.InvariantCulture, $"{_world.NameOf(actor.Node)} {what}"));
    }

    /// <summary>A copy of the disk from any moment, or from one before the last start, which the peers can tell.</summary>
    private int AnOlder(SimulatedJournal<JournalRecord> journal)
    {
        var before = journal.Durable;
        if (_prng.Chance(60))
        {
            for (var i = 0; i < journal.Durable; i++)
                if (journal[i].Effect.Kind == EffectKind.LogStart) before = i + 1;
        }

        return _prng.Below(before);
    }

    private static ulong HighestStart(SimulatedJournal<JournalRecord> journal, EffectKind kind)
    {
        ulong highest = 0;
        for (var i = 0; i < journal.Count; i++)
            if (journal[i].Effect.Kind == kind) highest = Math.Max(highest, journal[i].Effect.Start.Counter);
        return highest;
    }

    private static IEnumerable<int> Members(ReplicaSet set)
    {
        foreach (var member in set) yield return member.Index;
    }
}
