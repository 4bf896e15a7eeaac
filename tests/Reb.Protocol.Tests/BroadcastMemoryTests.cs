namespace Massif.Reb.Protocol.Tests;

/// <summary>Measures memory: nothing else may run meanwhile.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>The bound that a replica prints holds what a core really takes when everybody lies to it as much as they can.</summary>
[Collection("alone")]
public sealed class BroadcastMemoryTests
{
    private const int Replicas = 7;

    [Fact]
    public void A_core_that_is_filled_by_liars_takes_no_more_than_its_bound_says_and_not_much_less()
    {
        var options = new BroadcastOptions { Window = 64, LivesPerStream = 8, DigestMemory = 4_096, Nodes = 100 };
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var core = Filled(options);
        var taken = GC.GetTotalMemory(forceFullCollection: true) - before;
        var footprint = core.Footprint;
        var bound = core.Bound(streams: 4);
        Assert.Equal((bound.Lives, bound.NamedLives / Replicas * (Replicas - 1)), (footprint.Lives, footprint.NamedLives));
        Assert.True(footprint.Instances >= bound.Instances / 2 && footprint.Instances <= bound.Instances, $"{footprint} of {bound}");
        Assert.True(footprint.Digests <= bound.Digests && footprint.Digests > 4 * 4_000, $"{footprint} of {bound}");
        var most = BroadcastMemory.BytesOf(footprint, options, Replicas);
        Assert.InRange(taken, most / 3, most);
        GC.KeepAlive(core);
    }

    private static ReliableBroadcast Filled(BroadcastOptions options)
    {
        var effects = new Effects();
        var core = new ReliableBroadcast(new(0), Quorums.ForGroupOf(Replicas), options);
        core.Start(1, echoForbidden: false, default, effects);
        for (ushort source = 20; source < 24; source++)
        {
            for (ulong incarnation = 1; incarnation <= (ulong)(options.LivesPerStream * Replicas); incarnation++)
            {
                var life = new StreamLife(new(source, StreamClass.Bulk), incarnation);
                if (incarnation == 1) Deliver(core, life, 4_096, effects);
                var first = incarnation == 1 ? 4_097UL : 1;
                for (var seq = first; seq < first + (ulong)options.Window; seq++) Lie(core, life, seq, effects);
            }

            for (var incarnation = 1_000UL; incarnation < 2_000; incarnation++) // Named by one alone, and more than are remembered.
            {
                for (byte peer = 1; peer < Replicas; peer++)
                    Vote(core, peer, VoteKind.Echo, new(1, new(source, StreamClass.Bulk), (incarnation * 10) + peer, 1), 1, effects);
            }
        }

        return core;
    }

    private static void Deliver(ReliableBroadcast core, StreamLife life, int count, Effects effects)
    {
        for (ulong seq = 1; seq <= (ulong)count; seq++)
        {
            var id = new InstanceId(1, life.Stream, life.Incarnation, seq);
            core.OnInitial(id, DigestOf(seq), 100, authentic: true, default, effects);
            for (byte peer = 1; peer < 4; peer++) Vote(core, peer, VoteKind.Done, id, seq, effects);
            core.OnDurable(effects.LastRecord, default, effects);
            effects.Clear();
        }
    }

    /// <summary>Every replica names two digests of its own.</summary>
    private static void Lie(ReliableBroadcast core, StreamLife life, ulong seq, Effects effects)
    {
        var id = new InstanceId(1, life.Stream, life.Incarnation, seq);
        for (byte peer = 1; peer < Replicas; peer++)
        {
            Vote(core, peer, VoteKind.Echo, id, (seq * 100) + peer, effects);
            Vote(core, peer, VoteKind.Ready, id, (seq * 100) + 50 + peer, effects);
        }
    }

    private static void Vote(ReliableBroadcast core, byte peer, VoteKind kind, in InstanceId id, ulong digest, Effects effects)
    {
        core.OnVote(new(peer), new(kind, id, DigestOf(digest)), default, effects);
        effects.Clear();
    }

    private static Digest DigestOf(ulong number) => new(number, 1, 2, 3);
}
