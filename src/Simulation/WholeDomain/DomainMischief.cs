namespace Massif.Simulation.WholeDomain;

/// <summary>What befalls processes, disks and clocks of a run, one thing at a time and many at once, until it is told to heal.</summary>
internal sealed class DomainMischief
{
    private readonly DomainWorld _world;
    private readonly Prng _prng;
    private readonly Kind[] _kinds;
    private readonly bool _power;
    private int _losses;

    public DomainMischief(DomainWorld world, Prng prng)
    {
        (_world, _prng) = (world, prng);
        var shape = world.Shape;
        var kinds = new List<Kind>();
        if (shape.Has(FaultKinds.Crash)) kinds.Add(Kind.Crash);
        if (shape.LossBudget > 0) kinds.Add(Kind.LoseDisk);
        if (shape.Has(FaultKinds.Blackout)) kinds.Add(Kind.Blackout);
        if (shape.Has(DomainFaults.DiskFull)) kinds.Add(Kind.DiskFull);
        if (shape.Has(DomainFaults.ClockJump)) kinds.Add(Kind.ClockJump);
        if (shape.LyingRelay >= 0) kinds.Add(Kind.RelayLies);
        _kinds = [.. kinds];
        _power = shape.Has(FaultKinds.PowerCut);
        if (_kinds.Length > 0) PlanNext();
    }

    private enum Kind
    {
        Crash,
        LoseDisk,
        Blackout,
        DiskFull,
        ClockJump,
        RelayLies,
    }

    public bool Healed { get; private set; }

    public void Next()
    {
        if (Healed) return;
        PlanNext();
        var kind = _prng.Pick(_kinds);
        if (kind == Kind.Blackout && !_prng.OneIn(6)) kind = _kinds[0];
        switch (kind)
        {
            case Kind.Crash: Crash(_prng.Pick(_world.Nodes), _world.Shape.MeanPause * 2); break;
            case Kind.LoseDisk: LoseDisk(); break;
            case Kind.Blackout: Blackout(); break;
            case Kind.DiskFull: FillDisk(); break;
            case Kind.ClockJump: _prng.Pick(_world.Edges).Clock.Jump((_prng.Chance(70) ? -1 : 1) * 3_600 * VirtualTime.Second); break;
            default: _world.Relays[_world.Shape.LyingRelay - _world.Kit.Replicas].Lies ^= true; break;
        }
    }

    /// <summary>A node that was down is due again.</summary>
    public static void Restart(SimulatedNode node)
    {
        if (!node.Alive) node.Start(20 * VirtualTime.Millisecond);
    }

    public static void DiskHasRoom(SimulatedNode node) => node.Disk.TotalBytes = DomainWorld.DiskBytes;

    public void Heal()
    {
        Healed = true;
        foreach (var node in _world.Nodes)
        {
            DiskHasRoom(node);
            Restart(node);
        }

        foreach (var relay in _world.Relays) relay.Lies = relay.Index == _world.Shape.LyingRelay && _world.Shape.RelayLiesToTheEnd;
    }

    private void PlanNext() => _world.Plan(_prng.Between(1, 2 * _world.Shape.MeanPause), new(HappeningKind.Mischief, 0, 0, 0, default));

    private void Crash(SimulatedNode node, long downFor)
    {
        if (!node.Alive) return;
        node.Kill(_power && _prng.Chance(60));
        _world.Plan(_prng.Between(1, downFor), new(HappeningKind.Restart, node.Index, 0, 0, default));
    }

    private void LoseDisk()
    {
        var cores = _world.CorrectCores.Where(core => core.Alive && !core.Wiped).ToArray();
        if (_losses == _world.Shape.LossBudget || cores.Length == 0) return;
        _losses++;
        var victim = _prng.Pick(cores);
        _world.Trace.Add(0x502, victim.Index, 0, 0);
        if (_world.Trace.IsRead) _world.Trace.Say($"{victim.Name} loses its disk");
        Crash(victim, _world.Shape.MeanPause * 2);
        victim.Disk.Wipe();
        _world.Checker.DiskLost(victim);
    }

    private void Blackout()
    {
        foreach (var core in _world.Cores) Crash(core, _world.Shape.MeanPause * 4);
    }

    private void FillDisk()
    {
        var node = _prng.Pick(_world.Nodes);
        node.Disk.TotalBytes = Math.Max(1_000, node.Disk.UsedBytes - _prng.Between(-20_000, 20_000));
        _world.Trace.Add(0x503, node.Index, (ulong)node.Disk.TotalBytes, 0);
        if (_world.Trace.IsRead) _world.Trace.Say($"{node.Name} has a full disk");
        _world.Plan(_prng.Between(1, 3 * _world.Shape.MeanPause), new(HappeningKind.DiskHasRoom, node.Index, 0, 0, default));
    }
}
