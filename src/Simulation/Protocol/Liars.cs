using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>A Byzantine replica: one or two correct processes as puppets, whose words are twisted, and a voice of its own.</summary>
internal sealed class LyingReplica : Actor
{
    private readonly Conspiracy _conspiracy;
    private readonly Prng _prng;
    private readonly Puppet[] _puppets;
    private readonly List<Plot> _plots = [];

    public LyingReplica(ProtocolWorld world, Conspiracy conspiracy, int node, Prng prng)
        : base(world, node, world.NewClock())
    {
        (_conspiracy, _prng) = (conspiracy, prng);
        _puppets = new Puppet[conspiracy.Uses(Tactics.Twins) ? 2 : 1];
        for (var i = 0; i < _puppets.Length; i++) _puppets[i] = new(world, conspiracy, node);
    }

    public override void Start()
    {
        base.Start();
        if (!_conspiracy.Uses(Tactics.Silent)) PlanWord();
    }

    /// <summary>Takes its part in a plot: each vote several times, as windows open late and frames get lost.</summary>
    public void Play(Plot plot)
    {
        _plots.Add(plot);
        for (var times = 0; times < 4; times++)
            Plan(_prng.Between(0, (1 + (times * 100)) * 10 * VirtualTime.Millisecond), WorldEventKind.Script, _plots.Count - 1);
    }

    public override void Receive(int from, Frame frame)
    {
        _conspiracy.Overhear(frame);
        PuppetFor(from).Receive(from, frame);
    }

    public override void LinkChanged(int peer, bool up) => PuppetFor(peer).LinkChanged(peer, up);

    protected override void Carry(WorldEventKind kind, long number)
    {
        if (number >= 0)
        {
            Say(_plots[(int)number]);
            return;
        }

        for (var words = 1 + _prng.Below(3); words > 0; words--)
        {
            var to = _prng.Below(World.Shape.Nodes);
            if (to != Node && _conspiracy.Invent(to) is { } message) World.Network.TrySend(Node, to, new([message]));
        }

        PlanWord();
    }

    private Puppet PuppetFor(int peer) => _puppets[_puppets.Length == 2 && _conspiracy.InHalf(peer) ? 1 : 0];

    private void PlanWord() => Plan(_prng.Between(2, 40) * VirtualTime.Millisecond, WorldEventKind.Script, -1);

    private void Say(Plot plot)
    {
        foreach (var to in World.Shape.Correct)
        {
            var said = new List<Message>();
            for (var kind = MessageKind.Echo; kind <= MessageKind.Done; kind++)
                if (plot.ShownTo(kind, to) is >= 0 and var shown) said.Add(new(kind, plot.Instance, plot.Digests[shown]));
            if (said.Count > 0) World.Network.TrySend(Node, to.Index, new([.. said]));
        }
    }
}

/// <summary>A correct process in the service of a liar. Nobody checks it, and its words are twisted.</summary>
internal sealed class Puppet(ProtocolWorld world, Conspiracy conspiracy, int node) : ReplicaActor(world, node, world.NewClock())
{
    public override void Send(SimulatedReplica host, int to, Frame frame)
    {
        if (conspiracy.Twist(to, frame) is { } twisted) World.Network.TrySend(Node, to, twisted);
    }

    public override void Observe(SimulatedReplica host, in Effect effect)
    {
    }

    public override void Observe(SimulatedReplica host, int from, in Message message, Verdict verdict)
    {
    }

    public override void Leaving(SimulatedReplica host, in Message message)
    {
    }

    protected override void Booting(SimulatedReplica host)
    {
    }

    protected override void MadeDurable(in Effect record)
    {
    }
}

/// <summary>A Byzantine source: every batch is a plot, holes and bad MAC entries included.</summary>
internal sealed class LyingSource(ProtocolWorld world, Conspiracy conspiracy, int node, Prng prng) : Actor(world, node, world.NewClock())
{
    private readonly List<Plot> _plots = [];
    private readonly bool _badEntries = prng.Chance(40);
    private readonly bool _honestInTheEnd = prng.Chance(30);
    private readonly bool _changesItsMind = prng.Chance(30);
    private ulong _seq;

    public override void Start()
    {
        base.Start();
        PlanNext();
    }

    public override void Receive(int from, Frame frame) => conspiracy.Overhear(frame);

    public override void LinkChanged(int peer, bool up)
    {
    }

    protected override void Carry(WorldEventKind kind, long number)
    {
        if (number >= 0)
        {
            Show(_plots[(int)number]);
            return;
        }

        _seq += prng.OneIn(12) ? 2UL : 1; // A hole now and then.
        var incarnation = prng.OneIn(16) ? 2 + (_seq % 5) : 1; // Several incarnations at once.
        var stream = new StreamId((ushort)Node, StreamClass.Bulk);
        _plots.Add(conspiracy.Begin(new(1, stream, incarnation, prng.OneIn(20) ? _seq + 1_000 : _seq)));
        for (var times = 0; times < 3; times++)
            Plan(prng.Between(0, (1 + (times * 100)) * 5 * VirtualTime.Millisecond), WorldEventKind.Script, _plots.Count - 1);
        if (_seq < (ulong)World.Shape.BatchesPerSource) PlanNext();
    }

    private void PlanNext() => Plan(prng.Between(0, 2 * World.Shape.Trouble / World.Shape.BatchesPerSource), WorldEventKind.Script, -1);

    private void Show(Plot plot)
    {
        var everyone = ReplicaSet.FirstOf(World.Shape.Replicas);
        var entries = _badEntries ? new(prng.Subset(everyone.Bits)) : everyone;
        foreach (var to in everyone)
        {
            // The other liars are shown everything: they need the payload to answer FETCH with it.
            var shown = World.Shape.Byzantine.Contains(to) ? 0
                : _honestInTheEnd && prng.Chance(20) ? 0
                : plot.ShownTo(MessageKind.Initial, to);
            if (_changesItsMind && shown >= 0 && prng.Chance(50)) shown = 1 - shown; // Who forgot its ECHO makes another one now.
            if (shown >= 0)
                World.Network.TrySend(Node, to.Index, new([new(MessageKind.Initial, plot.Instance, plot.Digests[shown], entries)]));
        }
    }
}
