using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Reb.Tests.Hosting;

public sealed class MemoryBoundTests : IDisposable
{
    private readonly HostWorld _world = new(window: 16);

    [Fact]
    public void The_items_add_up_to_the_bound()
    {
        var bound = new MemoryBound();
        bound.AddNode(_world.Domain, HostWorld.Relay1);
        var newcomers = bound.Items.Single(item => item.What == "connections to the bus that have shown no certificate");
        Assert.Equal("16.0 MiB", MemoryBound.Megabytes(newcomers.Bytes));
        Assert.Equal(bound.Items.Sum(item => item.Bytes), bound.Total);
        Assert.Equal(bound.Total, bound.ToMetric().Samples.Sum(sample => (long)sample.Value));
    }

    [Fact]
    public void An_edge_has_no_listener_of_the_bus_and_a_link_more_or_less_is_in_the_sum()
    {
        var (edge, relay) = (new MemoryBound(), new MemoryBound());
        edge.AddNode(_world.Domain, HostWorld.Edge); // 4 cores, 2 relays.
        relay.AddNode(_world.Domain, HostWorld.Relay1); // 4 cores, an edge.
        Assert.DoesNotContain(edge.Items, item => item.What.Contains("no certificate", StringComparison.Ordinal));
        Assert.Equal(edge.Items[0].Bytes * 5, relay.Items[0].Bytes * 6);
    }

    [Fact]
    public void What_a_replica_may_hold_follows_from_the_domain()
    {
        var small = BoundOf(new() { PayloadMemoryMebibytes = 16 });
        var large = BoundOf(new() { PayloadMemoryMebibytes = 64, DigestMemory = 1_048_576 });
        Assert.Equal(48L * 1024 * 1024, ItemOf(large, "payload_memory_mib") - ItemOf(small, "payload_memory_mib"));
        Assert.True(ItemOf(large, "windows, votes and digests") > ItemOf(small, "windows, votes and digests") + (30L * 983_040));
    }

    [Fact]
    public void A_flood_of_batches_stays_inside_the_bounds_of_what_the_disk_and_the_memory_hold()
    {
        var world = new HostWorld(window: 256, constants: new() { PayloadMemoryMebibytes = 16 });
        using (world)
        {
            var replica = world.Start(0);
            for (var i = 1; i < 4; i++) world.Start(i);
            world.Run();
            for (var i = 1; i < 4; i++) world.Cut(replica.Self, HostWorld.Core(i));
            var payload = new byte[256 * 1024];
            long most = 0, refused = 0;
            for (ulong seq = 2; seq <= 256; seq++)
            {
                for (ulong life = 1; life <= 3; life++)
                {
                    payload[0] = (byte)seq;
                    replica.Take(HostWorld.Edge, world.InitialFor(0, seq, payload, life));
                }

                replica.Host.EndTurn(world.Now);
                most = Math.Max(most, replica.Host.PayloadBytesInMemory);
                refused = replica.Count("massif_initial_refused_total{reason=\"journal_behind\"}");
                if (refused > 0) replica.AnswerDisk(); // The disk wakes up when the journal is as far behind as it may be.
            }

            var bound = new MemoryBound();
            replica.Host.AddTo(bound);
            Assert.True(refused > 0);
            Assert.InRange(most, 16L * 1024 * 1024, ItemOf(bound, "payload_memory_mib") + ItemOf(bound, "has not confirmed"));
            replica.AnswerDisk();
            Assert.InRange(replica.Host.PayloadBytesInMemory, 0, ItemOf(bound, "payload_memory_mib"));
        }
    }

    public void Dispose() => _world.Dispose();

    private static MemoryBound BoundOf(ProtocolConstants constants)
    {
        using var world = new HostWorld(window: 256, constants: constants);
        var bound = new MemoryBound();
        world.Start(0).Host.AddTo(bound);
        return bound;
    }

    private static long ItemOf(MemoryBound bound, string what) =>
        bound.Items.Single(item => item.What.Contains(what, StringComparison.Ordinal)).Bytes;
}
