using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>
/// Who is shown what of one instance: to every correct replica one of two digests or none, by the source as INITIAL, and by
/// each Byzantine replica as ECHO, READY and DONE. Sizes aim at the thresholds, where a count wrong by one becomes visible.
/// </summary>
internal sealed class Plot
{
    private readonly ReplicaSet[] _initial = new ReplicaSet[2];
    private readonly ReplicaSet[] _echo = new ReplicaSet[2];
    private readonly ReplicaSet[] _ready = new ReplicaSet[2];
    private readonly ReplicaSet[] _done = new ReplicaSet[2];

    private Plot(InstanceId instance, Digest one, Digest other) => (Instance, Digests) = (instance, [one, other]);

    public InstanceId Instance { get; }

    /// <summary>Gets the two digests.</summary>
    public Digest[] Digests { get; }

    public static Plot Draw(InstanceId instance, Digest one, Digest other, RunPlan shape, Quorums quorums, Prng prng)
    {
        var plot = new Plot(instance, one, other);
        switch (prng.Below(4))
        {
            case 0: plot.TwoCamps(shape, prng); break;
            case 1: plot.JustEnough(shape, quorums, prng); break;
            case 2: plot.JustEnough(shape, quorums, prng, exact: true); break;
            default: plot.AnyWay(shape, prng); break;
        }

        return plot;
    }

    /// <summary>Returns which of the two digests a message of this kind names to a replica; −1: it gets none.</summary>
    public int ShownTo(MessageKind kind, ReplicaId to)
    {
        var shown = kind switch
        {
            MessageKind.Initial => _initial,
            MessageKind.Echo => _echo,
            MessageKind.Ready => _ready,
            _ => _done,
        };
        return shown[0].Contains(to) ? 0 : shown[1].Contains(to) ? 1 : -1;
    }

    /// <summary>Half of the replicas are shown one digest, the rest the other, by everybody: only quorum intersection helps.</summary>
    private void TwoCamps(RunPlan shape, Prng prng)
    {
        var one = Take(shape.Correct, (shape.Correct.Count + prng.Below(2)) / 2, prng);
        var other = new ReplicaSet(shape.Correct.Bits & ~one.Bits);
        foreach (var shown in (ReplicaSet[][])[_initial, _echo, _ready, _done]) (shown[0], shown[1]) = (one, other);
        if (prng.Chance(50)) _done[0] = _done[1] = default;
    }

    /// <summary>
    /// So many see the payload that the liars' ECHOs make a quorum at few replicas, whose READYs together with the liars'
    /// reach a deciding count at fewer still. One less anywhere, and nothing happens; nobody else hears anything.
    /// </summary>
    private void JustEnough(RunPlan shape, Quorums quorums, Prng prng, bool exact = false)
    {
        var liars = shape.Byzantine.Count;
        var seers = exact ? quorums.Intersecting - liars : quorums.Intersecting - liars - 1 + prng.Below(3);
        _initial[0] = Take(shape.Correct, seers, prng);
        _echo[0] = Take(shape.Correct, exact ? quorums.Faults : prng.Below(quorums.CorrectMajority + 1), prng);
        _ready[0] = Take(_echo[0], exact ? 1 : prng.Below(3), prng);
        if (!exact && prng.Chance(50)) _done[0] = Take(shape.Correct, prng.Below(3), prng);
        if (!exact && prng.Chance(30)) _initial[1] = new(shape.Correct.Bits & ~_initial[0].Bits);
    }

    private void AnyWay(RunPlan shape, Prng prng)
    {
        foreach (var shown in (ReplicaSet[][])[_initial, _echo, _ready, _done])
        {
            shown[0] = new(prng.Subset(shape.Correct.Bits));
            shown[1] = new(prng.Subset(shape.Correct.Bits & ~shown[0].Bits));
        }
    }

    private static ReplicaSet Take(ReplicaSet from, int count, Prng prng)
    {
        var members = new List<ReplicaId>();
        foreach (var member in from) members.Add(member);
        var taken = default(ReplicaSet);
        for (; count > 0 && members.Count > 0; count--)
        {
            var index = prng.Below(members.Count);
            taken = taken.With(members[index]);
            members.RemoveAt(index);
        }

        return taken;
    }
}
