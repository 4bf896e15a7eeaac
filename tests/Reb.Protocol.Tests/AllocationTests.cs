namespace Massif.Reb.Protocol.Tests;

public sealed class AllocationTests
{
    private static readonly StreamLife Life = new(new(9, StreamClass.Bulk), 1);

    [Fact]
    public void A_step_of_the_steady_state_allocates_nothing()
    {
        var replica = new ReliableBroadcast(new(0), Quorums.ForGroupOf(4), new() { DigestMemory = 512 });
        var effects = new Effects();
        replica.Start(1, echoForbidden: false, new(0), effects);
        for (byte peer = 1; peer < 4; peer++) replica.OnPeerConnected(new(peer), new(0), effects);
        for (ulong seq = 1; seq <= 2_000; seq++) Broadcast(replica, seq, effects); // Buffers, pools and digest pages grow to their size.

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong seq = 2_001; seq <= 6_000; seq++) Broadcast(replica, seq, effects);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_step_of_the_source_allocates_nothing()
    {
        var source = new BroadcastSource(Life, Quorums.ForGroupOf(4), new(), 1, 0);
        var effects = new SourceEffects();
        for (byte replica = 0; replica < 4; replica++) source.OnReplicaReachable(new(replica), true, new(0), effects);
        for (ulong seq = 1; seq <= 1_000; seq++) Send(source, seq, effects);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong seq = 1_001; seq <= 2_000; seq++) Send(source, seq, effects);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2_000UL, source.Released);
    }

    private static void Broadcast(ReliableBroadcast replica, ulong seq, Effects effects)
    {
        var now = new Instant((long)seq * 1_000_000);
        var id = new InstanceId(1, Life.Stream, Life.Incarnation, seq);
        var digest = new Digest(seq, 0, 0, 1);
        replica.OnInitial(id, digest, 1_000, authentic: true, now, effects);
        for (byte peer = 1; peer < 4; peer++) replica.OnVote(new(peer), new(VoteKind.Echo, id, digest), now, effects);
        for (byte peer = 1; peer < 4; peer++) replica.OnVote(new(peer), new(VoteKind.Ready, id, digest), now, effects);
        replica.OnDurable(effects.LastRecord, now, effects);
        for (byte peer = 1; peer < 4; peer++)
            replica.OnStatus(new(peer), new(1, Life, seq, seq + 256, seq - 1, default), now, effects);
        replica.OnDeadline(now, effects);
        replica.EndTurn(now, effects);
        effects.Clear();
    }

    private static void Send(BroadcastSource source, ulong seq, SourceEffects effects)
    {
        var now = new Instant((long)seq * 1_000_000);
        source.OnBatchDurable(seq, now, effects);
        for (byte replica = 0; replica < 4; replica++)
            source.OnStatus(new(replica), new(1, Life, seq + 1, seq + 257, seq, default), now, effects);
        source.OnDeadline(now, effects);
        effects.Clear();
    }
}
