using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>What a journal's snapshot holds when it is made in the middle of something.</summary>
public sealed class ReplicaSnapshotTests : IDisposable
{
    private readonly HostWorld _world = new(window: 16);

    /// <summary>
    /// A Byzantine edge must not end a replica that holds two payloads, delivers one, and makes a snapshot before the sync.
    /// </summary>
    [Fact]
    public void A_snapshot_passes_over_the_payload_that_was_not_delivered()
    {
        _world.StartAll(journalLimit: 512 * 1024);
        var replica = _world.Replicas[0]!;
        for (var i = 1; i < 4; i++) _world.Cut(replica.Self, HostWorld.Core(i));
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, [1, 1]));
        _world.Run();
        replica.Links.Sent.Clear();

        var other = new byte[100 * 1024]; // More than a segment: the turn that stores it ends with a snapshot.
        var header = new BatchHeader(
            new(1, new(HostWorld.Edge.Value, StreamClass.Bulk), 7, 1), 0, other.Length, Digest.Of(other), 5, 6, Guid.Empty);
        var bytes = new byte[BatchHeader.Length];
        header.Write(bytes);
        var done = VotesFrame.Build([new(VoteKind.Done, header.Instance, Digest.Of(bytes))]);
        for (var i = 1; i < 3; i++) replica.Take(HostWorld.Core(i), done);
        replica.Take(HostWorld.Edge, _world.InitialFor(0, 1, other));
        replica.Host.EndTurn(_world.Now);
        Assert.Equal(1UL, replica.Tip(7).Delivered);
        Assert.Equal(0UL, replica.Tip(7).Durable);

        _world.Run();
        var disk = replica.Disk.Reopened();
        _world.Kill(0);
        var again = _world.Start(0, disk, journalLimit: 512 * 1024);
        Assert.Equal(1UL, again.Tip(7).Delivered);
        Assert.True(again.Host.TryRead(header.Instance.Life, 1, out var batch));
        Assert.Equal(bytes, batch.Header.ToArray());
    }

    public void Dispose() => _world.Dispose();
}
