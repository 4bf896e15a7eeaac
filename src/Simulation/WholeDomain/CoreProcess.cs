using Massif.Mis.Core;
using Massif.Mis.Edge;
using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Simulation.WholeDomain;

/// <summary>A core replica: the production host; a Byzantine one is the same host behind lying links.</summary>
internal sealed class CoreProcess : SimulatedNode
{
    private readonly Vote[] _votes = new Vote[VotesFrame.MaxVotes];

    public CoreProcess(DomainWorld world, int index, Prng? lies)
        : base(world, index)
    {
        Replica = new((byte)index);
        _lies = lies;
    }

    private readonly Prng? _lies;
    private ulong _nonces;

    public ReplicaId Replica { get; }

    public CoreHost? Host { get; private set; }

    public bool IsCorrect => _lies is null;

    /// <summary>Gets or sets whether its disk was wiped: it then is among the f, sends no ECHO, and has to catch up all the same.</summary>
    public bool Wiped { get; set; }

    /// <summary>Gets or sets whether votes that it had sent went with its disk. One that never voted has forgotten nothing (R13).</summary>
    public bool LostVotes { get; set; }

    protected override Instant? NextDeadline => Host?.NextDeadline;

    protected override void Open(in Moment now)
    {
        ILinks links = new NodeLinks(World, this) { Tap = IsCorrect ? OnSent : null };
        if (_lies is not null) links = new LyingLinks(World, this, links, _lies);
        var parts = new ReplicaParts(
            World.Domain,
            Node,
            World.Kit.Keys[Index],
            World.Kit.SignerOf(World.Domain, Index),
            World.Kit.Verifier,
            links,
            Disk,
            World.Shape.JournalLimit,
            5,
            NextNonce,
            new Counters());
        Host = new(parts, DomainKit.Rules, now);
        if (IsCorrect) World.Checker.Restarted(this);
    }

    protected override void Drop() => Host = null;

    protected override void Step(in EdgeInput input, in Moment now) => Host!.Step(input.Bus, now);

    protected override void OnDeadline(in Moment now) => Host!.OnDeadline(now);

    protected override void EndTurn(in Moment now)
    {
        Host!.EndTurn(now);
        if (IsCorrect) World.Checker.Observe(this);
    }

    private ulong NextNonce() => ((ulong)Index << 48) + ((ulong)Life << 24) + ++_nonces;

    private void OnSent(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if ((FrameType)Frames.TypeOf(frame.Span) != FrameType.Votes) return;
        var count = VotesFrame.Read(Frames.BodyOf(frame.Span), _votes);
        for (var i = 0; i < count; i++) World.Checker.Voted(this, _votes[i]);
    }
}

/// <summary>A relay: the production host; a lying one has the links that demonstrations use.</summary>
internal sealed class RelayProcess(DomainWorld world, int index, Misbehaviours lies) : SimulatedNode(world, index)
{
    private RelayHost? _host;
    private MisbehavingLinks? _links;

    /// <summary>Gets or sets whether it lies at present.</summary>
    public bool Lies { get; set; }

    protected override Instant? NextDeadline => _links?.NextDeadline;

    protected override void Open(in Moment now)
    {
        var links = new NodeLinks(World, this);
        _links = lies == Misbehaviours.None ? null : new(links, lies, World.Kit.Nodes.Count);
        _host = new(Node, World.Kit.Nodes.Count, (ILinks?)_links ?? links, new Counters());
    }

    protected override void Drop() => (_host, _links) = (null, null);

    protected override void Step(in EdgeInput input, in Moment now) => _host!.Step(input.Bus);

    protected override void OnDeadline(in Moment now) => TellTime(now);

    protected override void EndTurn(in Moment now) => TellTime(now);

    private void TellTime(in Moment now)
    {
        if (_links is null) return;
        _links.Active = Lies;
        _links.OnTime(now.Now);
    }
}
