using System.Security.Cryptography;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>
/// Keys and hosts of the test domain: core1 to core4, relay1, relay2, edge1. Nodes talk when the test carries their frames.
/// </summary>
internal sealed class HostWorld : IDisposable
{
    public static readonly NodeIndex Edge = TestDomain.Index("edge1");
    public static readonly NodeIndex Relay1 = TestDomain.Index("relay1");

    private readonly TestDomain _test = new();
    private readonly Dictionary<NodeIndex, PairwiseKeys> _keys = [];
    private readonly List<IDisposable> _made = [];
    private readonly HashSet<(NodeIndex, NodeIndex)> _cut = [];
    private ulong _nonce = 1000;

    public HostWorld(int window = 256, ProtocolConstants? constants = null) =>
        Domain = _test.Describe(window: window, constants: constants);

    public Domain Domain { get; private set; }

    public ReplicaNode?[] Replicas { get; } = new ReplicaNode?[4];

    public SourceNode? Source { get; set; }

    public Moment Now { get; private set; } = new(new(1_000_000_000), 1_700_000_000_000_000_000, ClockQuality.Sync, 100);

    /// <summary>Gets or sets what becomes of a frame on its way: null lets it through, another loses it.</summary>
    public Func<NodeIndex, NodeIndex, byte[], bool>? Loses { get; set; }

    public static NodeIndex Core(int i) => new((ushort)i);

    public PairwiseKeys KeysOf(NodeIndex node)
    {
        if (_keys.TryGetValue(node, out var keys)) return keys;
        using var key = ECDiffieHellman.Create(_test.KeyOf(TestDomain.Members[node.Value].Id).ExportParameters(true));
        return _keys[node] = new(Domain, node, key);
    }

    public static FakeLinks AllLinks(NodeIndex self) =>
        new FakeLinks().With([.. Enumerable.Range(0, TestDomain.Members.Length)
            .Select(i => new NodeIndex((ushort)i))
            .Where(n => n != self)]);

    public ReplicaNode Start(int index, HostDisk? disk = null, long journalLimit = 64L * 1024 * 1024, int padding = 0)
    {
        var node = new ReplicaNode(this, index, disk ?? new HostDisk(), journalLimit, padding);
        Replicas[index] = node;
        for (var i = 0; i < 4; i++)
        {
            if (i == index || Replicas[i] is not { } peer) continue;
            node.Host.Step(HostInput.OfLinkUp(Core(i)), Now);
            peer.Host.Step(HostInput.OfLinkUp(Core(index)), Now);
        }

        node.Host.Step(HostInput.OfLinkUp(Edge), Now);
        Source?.Host.OnLinkChange(Now);
        return node;
    }

    /// <summary>The domain description is another one from the next starts on.</summary>
    public void Change(ProtocolConstants constants) => Domain = _test.Describe(constants: constants);

    public void StartAll(long journalLimit = 64L * 1024 * 1024, int padding = 0)
    {
        for (var i = 0; i < 4; i++) Start(i, journalLimit: journalLimit, padding: padding);
        Source = new(this, new HostDisk());
        Run();
    }

    public ReplicaParts PartsOf(int index, FakeLinks links, HostDisk disk, Counters counters, long journalLimit)
    {
        var key = _test.KeyOf(Domain.Replicas[index].Id);
        var verifier = new StartVerifier(Domain);
        _made.Add(verifier);
        return new(
            Domain, Core(index), KeysOf(Core(index)), new(Domain, Core(index), key), verifier, links, disk, journalLimit, 5,
            () => ++_nonce, counters);
    }

    public SourceParts SourcePartsOf(FakeLinks links, HostDisk disk, Counters counters, long limit = 64L * 1024 * 1024) => new(
        Domain, Edge, 0, KeysOf(Edge), links, disk, limit, 5, Guid.Empty, () => ++_nonce, counters);

    public void Kill(int index)
    {
        Replicas[index] = null;
        for (var i = 0; i < 4; i++) Replicas[i]?.Host.Step(HostInput.OfLinkDown(Core(index)), Now);
    }

    public void Cut(NodeIndex from, NodeIndex to) => _cut.Add((from, to));

    public void Heal() => _cut.Clear();

    /// <summary>Lets time go by in steps of 10 ms; deadlines fire, frames travel, disks answer.</summary>
    public void Pass(int milliseconds)
    {
        for (var passed = 0; passed < milliseconds; passed += 10)
        {
            Now = Now with { Now = Now.Now.PlusMilliseconds(10), WallNanoseconds = Now.WallNanoseconds + 10_000_000 };
            foreach (var node in Replicas)
            {
                if (node?.Host.NextDeadline is { } due && due <= Now.Now) node.Host.OnDeadline(Now);
            }

            if (Source?.Host.NextDeadline is { } sourceDue && sourceDue <= Now.Now) Source.Host.OnDeadline(Now);
            Run();
        }
    }

    /// <summary>Carries frames and answers syncs until nobody has anything to say.</summary>
    public void Run()
    {
        for (var round = 0; round < 10_000; round++)
        {
            var busy = false;
            foreach (var node in Replicas)
            {
                if (node is null) continue;
                node.Host.EndTurn(Now);
                busy |= node.AnswerDisk();
            }

            if (Source is not null)
            {
                Source.Host.EndTurn(Now);
                busy |= Source.AnswerDisk();
            }

            foreach (var node in Replicas)
            {
                if (node is not null) busy |= Carry(node.Self, node.Links);
            }

            if (Source is not null) busy |= Carry(Edge, Source.Links);
            if (!busy) return;
        }

        Assert.Fail("The hosts never come to rest.");
    }

    /// <summary>Returns the frame in which a source sends one batch straight to one replica.</summary>
    public byte[] InitialFor(
        int replica, ulong seq, byte[] payload, ulong incarnation = 7, ulong number = 0,
        Func<BatchHeader, BatchHeader>? change = null)
    {
        var header = new BatchHeader(
            new(1, new(Edge.Value, StreamClass.Bulk), incarnation, seq), 0, payload.Length, Digest.Of(payload), 5, 6, Guid.Empty);
        if (change is not null) header = change(header);
        var message = InitialMessage.Build(header, 4, payload, (ReplicaId to, in Digest digest, Span<byte> mac) =>
        {
            var bytes = new byte[Digest.Length];
            digest.Write(bytes);
            KeysOf(Edge).Mac(Domain.NodeOf(to), MacPurpose.Initial, bytes, mac);
        });
        return Enveloped(replica, message, number == 0 ? ++_nonce : number);
    }

    public byte[] Enveloped(int replica, byte[] message, ulong number)
    {
        var prefix = Math.Min(message.Length, InitialMessage.PrefixLength(4));
        return Reb.Overlay.Envelope.Build(
            new(Edge, 1, number, Reb.Overlay.EnvelopeContent.Initial, 0, default), [Core(replica)],
            Digest.Of(message.AsSpan(0, prefix)), message, KeysOf(Edge));
    }

    public void Dispose()
    {
        foreach (var keys in _keys.Values) keys.Dispose();
        foreach (var made in _made) made.Dispose();
        _test.Dispose();
    }

    private bool Carry(NodeIndex from, FakeLinks links)
    {
        var frames = links.Take();
        foreach (var (to, frame) in frames)
        {
            if (_cut.Contains((from, to)) || Loses?.Invoke(from, to, frame) == true) continue;
            if (to.Value < 4) Replicas[to.Value]?.Host.Step(HostInput.OfFrame(from, frame), Now);
            if (to == Edge) Source?.Host.OnFrame(from, frame, Now);
        }

        return frames.Count > 0;
    }
}

/// <summary>One replica with its exits.</summary>
internal sealed class ReplicaNode
{
    private readonly HostWorld _world;

    public ReplicaNode(HostWorld world, int index, HostDisk disk, long journalLimit, int padding)
    {
        (_world, Self, Disk) = (world, HostWorld.Core(index), disk);
        Links = HostWorld.AllLinks(Self);
        foreach (var relay in world.Domain.Relays) Links.Down(relay.Index);
        Application = new() { Padding = padding };
        Host = new(world.PartsOf(index, Links, disk, Counters, journalLimit), Application, world.Now);
    }

    public NodeIndex Self { get; }

    public HostDisk Disk { get; }

    public FakeLinks Links { get; }

    public Counters Counters { get; } = new();

    public RecordingApplication Application { get; }

    public ReplicaHost Host { get; }

    public long Count(string name) => Counters.All().FirstOrDefault(counter => counter.Name == name)?.Value ?? 0;

    public void Take(NodeIndex from, byte[] frame) => Host.Step(HostInput.OfFrame(from, frame), _world.Now);

    public bool AnswerDisk()
    {
        if (Disk.Answer() is not { } ticket) return false;
        Host.Step(HostInput.OfSynced(ticket), _world.Now);
        return true;
    }

    /// <summary>Where a life stands here; that of the source itself when none is named.</summary>
    public StreamTip Tip(ulong? incarnation = null)
    {
        var tips = new List<StreamTip>();
        Host.Core.CopyTips(tips);
        return tips.Find(tip => incarnation is null ? tips.Count == 1 || tip.Life.Incarnation > 100 : tip.Life.Incarnation == incarnation);
    }
}

/// <summary>The source with its exits; it reaches the replicas directly.</summary>
internal sealed class SourceNode
{
    private readonly HostWorld _world;

    public SourceNode(HostWorld world, HostDisk disk, long limit = 64L * 1024 * 1024)
    {
        (_world, Disk) = (world, disk);
        Links = HostWorld.AllLinks(HostWorld.Edge);
        foreach (var relay in world.Domain.Relays) Links.Down(relay.Index);
        Host = new(world.SourcePartsOf(Links, disk, Counters, limit), world.Now);
        Host.OnLinkChange(world.Now);
    }

    public HostDisk Disk { get; }

    public FakeLinks Links { get; }

    public Counters Counters { get; } = new();

    public SourceHost Host { get; }

    public long Count(string name) => Counters.All().FirstOrDefault(counter => counter.Name == name)?.Value ?? 0;

    public void Publish(params string[] payloads)
    {
        foreach (var payload in payloads) Host.Publish(System.Text.Encoding.UTF8.GetBytes(payload), _world.Now);
    }

    public bool AnswerDisk()
    {
        if (Disk.Answer() is not { } ticket) return false;
        Host.OnSynced(ticket, _world.Now);
        return true;
    }
}
