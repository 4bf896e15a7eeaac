namespace Massif.Reb.Protocol.Tests;

public sealed class ReplicaStartRestoreTests
{
    /// <summary>Found by the simulation: with a second mark of the same counter, the peers take a whole log for an old one.</summary>
    [Fact]
    public void The_head_of_a_torn_snapshot_does_not_take_the_start_back()
    {
        var core = new ReplicaStart(new(0), Quorums.ForGroupOf(4));
        core.RestoreStart(new(1, 7), settled: true);
        core.RestoreStart(new(2, 8), settled: false);
        core.RestoreStart(new(1, 7), settled: true); // A snapshot begins; its next record, the open start, is torn off.
        core.Begin(nonce: 9, new(0), new());
        Assert.Equal(new(2, 8), core.Mark);
    }
}
