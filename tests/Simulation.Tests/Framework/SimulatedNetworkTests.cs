namespace Massif.Simulation.Tests.Framework;

public sealed class SimulatedNetworkTests
{
    [Fact]
    public void A_stream_keeps_its_order_through_long_delays_and_blocks()
    {
        var world = new TwoNodes(seed: 3);
        world.Network.Temper(0, 1) = new() { DelayLow = 1, DelayHigh = 1_000_000, Tail = 3 };
        for (var frame = 0; frame < 500; frame++)
        {
            if (frame == 100) world.Network.Block(0, 1);
            if (frame == 300) world.Network.Unblock(0, 1);
            Assert.True(world.Network.TrySend(0, 1, frame));
            world.RunFor(100);
        }

        world.RunToEnd();
        Assert.Equal(Enumerable.Range(0, 500), world.Received);
    }

    [Fact]
    public void Datagrams_overtake_each_other_get_lost_and_come_twice()
    {
        var world = new TwoNodes(seed: 4);
        world.Network.Temper(0, 1) = new()
        {
            DelayLow = 1,
            DelayHigh = 1_000_000,
            Datagram = true,
            LossPercent = 20,
            DuplicatePercent = 20,
        };
        for (var frame = 0; frame < 500; frame++) world.Network.TrySend(0, 1, frame);
        world.RunToEnd();
        Assert.NotEqual(world.Received.Order(), world.Received);
        Assert.InRange(world.Received.Distinct().Count(), 350, 450);
        Assert.True(world.Received.Count > world.Received.Distinct().Count());
    }

    [Fact]
    public void A_reset_eats_what_is_in_flight_and_piled_up_and_both_ends_know()
    {
        var world = new TwoNodes(seed: 5);
        world.Network.Temper(0, 1) = new() { DelayLow = 1_000, DelayHigh = 1_000 };
        world.Network.TrySend(0, 1, 1);
        world.Network.Reset(0, 1, downFor: 5_000);
        Assert.False(world.Network.TrySend(0, 1, 2));
        world.RunFor(5_000);
        Assert.True(world.Network.TrySend(0, 1, 3));
        world.RunToEnd();
        Assert.Equal([3], world.Received);
        Assert.Equal([true, false, true], world.Changes);
    }

    [Fact]
    public void A_blocked_direction_leaves_the_other_alone_and_blocks_add_up()
    {
        var world = new TwoNodes(seed: 6);
        world.Network.Block(0, 1);
        world.Network.Block(0, 1);
        world.Network.TrySend(0, 1, 1);
        world.Network.TrySend(1, 0, 2);
        world.RunFor(1_000);
        Assert.Equal([2], world.Received);
        world.Network.Unblock(0, 1);
        world.RunFor(1_000);
        Assert.Equal([2], world.Received);
        world.Network.Unblock(0, 1);
        world.RunFor(1_000);
        Assert.Equal([2, 1], world.Received);
    }

    [Fact]
    public void A_stopped_node_has_no_link_until_it_starts_again()
    {
        var world = new TwoNodes(seed: 7);
        world.Network.Stop(1);
        world.RunFor(1_000);
        Assert.False(world.Network.IsUp(0, 1));
        world.Network.Start(1, within: 100);
        world.RunFor(1_000);
        Assert.True(world.Network.IsUp(0, 1));
    }

    private sealed class TwoNodes : INetworkUser<int>
    {
        private readonly Scheduler<NetworkEvent<int>> _scheduler = new();

        public TwoNodes(ulong seed)
        {
            Network = new(2, _scheduler, new(seed), this);
            Network.ConnectLater(0, 1, 0);
            RunFor(0);
        }

        public SimulatedNetwork<int> Network { get; }

        public List<int> Received { get; } = [];

        public List<bool> Changes { get; } = [];

        public void RunToEnd() => Run(1_000_000_000_000);

        public void RunFor(long nanoseconds) => Run(_scheduler.Now + nanoseconds);

        public void Plan(long delay, in NetworkEvent<int> happening) => _scheduler.In(delay, happening);

        public void Receive(int from, int to, int frame) => Received.Add(frame);

        public void LinkChanged(int one, int other, bool up) => Changes.Add(up);

        private void Run(long limit)
        {
            while (_scheduler.TryNext(limit, out var happening)) Network.Happen(happening);
        }
    }
}
