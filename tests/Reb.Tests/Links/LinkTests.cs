using System.Net;
using System.Net.Sockets;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Protocol;

namespace Massif.Reb.Tests.Links;

public sealed class LinkTests
{
    [Fact]
    public async Task Frames_cross_a_link_both_ways_in_order_and_unchanged()
    {
        await using var world = new LinkWorld();
        var (edge, atEdge) = world.Dial(options: LinkWorld.Options with { StartNonce = 42 });
        Assert.Equal("up edge1 42", await world.At.NextEvent());
        Assert.Equal("up core1 0", await atEdge.NextEvent());

        int[] lengths = [10, 5_000, 16 * 1024, 200_000, Frames.MaxLength, 64, 70_000, 12];
        for (var i = 0; i < lengths.Length; i++)
        {
            Assert.True(edge.TrySend(LinkWorld.Core1, LinkWorld.Frame(i, lengths[i])));
            Assert.True(world.Core.TrySend(LinkWorld.Edge1, LinkWorld.Frame(i, lengths[i])));
        }

        for (var i = 0; i < lengths.Length; i++)
        {
            var (from, frame) = await world.At.NextFrame();
            Assert.Equal(LinkWorld.Edge1, from);
            Assert.Equal(LinkWorld.Frame(i, lengths[i]), frame);
            Assert.Equal(LinkWorld.Frame(i, lengths[i]), (await atEdge.NextFrame()).Frame);
        }

        Assert.Equal(lengths.Length, world.Core.StatusOf(LinkWorld.Edge1).FramesIn);
        Assert.Equal(lengths.Sum(), world.Core.StatusOf(LinkWorld.Edge1).BytesIn);
    }

    [Fact]
    public async Task Thousands_of_small_frames_arrive_once_and_in_order()
    {
        await using var world = new LinkWorld();
        var (edge, atEdge) = world.Dial();
        await atEdge.WaitForEvent("up");

        for (var i = 0; i < 20_000; i++) Assert.True(edge.TrySend(LinkWorld.Core1, LinkWorld.Frame(i)));
        for (var i = 0; i < 20_000; i++) Assert.Equal(i, LinkWorld.NumberOf((await world.At.NextFrame()).Frame));
    }

    [Fact]
    public async Task A_peer_that_stops_reading_fills_its_own_queue_and_delays_nobody_else()
    {
        var open = new TaskCompletionSource();
        await using var world = new LinkWorld(observer: new LinkRecorder());
        var (edge, atEdge) = world.Dial();
        var (relay, atRelay) = world.Dial("relay1");
        atEdge.Gate = open.Task;
        await world.At.WaitForEvent("up");
        await world.At.WaitForEvent("up");

        var taken = 0;
        while (world.Core.TrySend(LinkWorld.Edge1, LinkWorld.Frame(taken, 512 * 1024))) taken++;
        Assert.InRange(world.Core.StatusOf(LinkWorld.Edge1).QueuedBytes, 1, LinkWorld.Options.QueueBytesMax);
        Assert.Equal(1, world.Core.StatusOf(LinkWorld.Edge1).Dropped);

        Assert.True(world.Core.TrySend(TestDomain.Index("relay1"), LinkWorld.Frame(7)));
        Assert.Equal(7, LinkWorld.NumberOf((await atRelay.NextFrame()).Frame));

        open.SetResult();
        for (var i = 0; i < taken; i++) Assert.Equal(i, LinkWorld.NumberOf((await atEdge.NextFrame()).Frame));
        Assert.True(edge.IsUp(LinkWorld.Core1) && relay.IsUp(LinkWorld.Core1));
    }

    [Fact]
    public async Task The_queue_is_bounded_in_frames_too()
    {
        await using var world = new LinkWorld(LinkWorld.Options with { QueueFramesMax = 0 });
        world.Dial();
        await world.At.WaitForEvent("up");
        Assert.False(world.Core.TrySend(LinkWorld.Edge1, LinkWorld.Frame(1)));
        Assert.Equal(0, world.Core.StatusOf(LinkWorld.Edge1).QueuedBytes);
    }

    [Fact]
    public async Task A_link_is_made_again_after_its_peer_was_killed()
    {
        await using var world = new LinkWorld();
        var domain = world.Domains.Describe();
        var at = new LinkRecorder();
        LinkManager Core2(int port) => new(
            domain,
            TestDomain.Index("core2"),
            world.Domains.IdentityOf("core2"),
            LinkWorld.Options with { Listen = new(IPAddress.Loopback, port), StartNonce = (ulong)port },
            at);
        var first = Core2(0);
        first.Start();
        var port = first.ListenAddress!.Port;
        var (edge, atEdge) = world.Dial(domain: world.Domains.Describe(new() { ["core2"] = [new("127.0.0.1", port)] }));
        Assert.Equal("up core2 0", await atEdge.WaitForEvent("up core2"));
        await first.DisposeAsync();
        await atEdge.WaitForEvent("down core2");
        Assert.False(edge.TrySend(TestDomain.Index("core2"), LinkWorld.Frame(1)));

        await using var second = Core2(port);
        second.Start();
        Assert.Equal($"up core2 {port}", await atEdge.WaitForEvent("up core2"));
        Assert.True(edge.TrySend(TestDomain.Index("core2"), LinkWorld.Frame(2)));
        Assert.Equal(2, LinkWorld.NumberOf((await at.NextFrame()).Frame));
    }

    [Fact]
    public async Task A_peer_that_shows_no_life_is_let_go()
    {
        var quick = LinkWorld.Options with { PingInterval = TimeSpan.FromMilliseconds(50), SilenceMax = TimeSpan.FromMilliseconds(400) };
        await using var world = new LinkWorld(quick);
        await using var frozen = await world.ConnectAuthenticated();
        await world.At.WaitForEvent("up edge1");
        Assert.Equal("down edge1: the peer is silent", await world.At.NextEvent());
    }

    [Fact]
    public async Task Pings_keep_an_idle_link_alive_and_are_not_handed_over()
    {
        var quick = LinkWorld.Options with { PingInterval = TimeSpan.FromMilliseconds(20), SilenceMax = TimeSpan.FromMilliseconds(400) };
        await using var world = new LinkWorld(quick);
        await using var tls = await world.ConnectAuthenticated();
        await world.At.WaitForEvent("up edge1");

        // Thirty Pings take longer than the silence that would end the link.
        var ping = new byte[Frames.HeaderLength];
        for (var i = 0; i < 30; i++)
        {
            await tls.ReadExactlyAsync(ping);
            Assert.Equal(Frames.Ping, Frames.TypeOf(ping));
            await tls.WriteAsync(ping);
        }

        await tls.WriteAsync(LinkWorld.Frame(5));
        Assert.Equal(5, LinkWorld.NumberOf((await world.At.NextFrame()).Frame));
        Assert.True(world.Core.IsUp(LinkWorld.Edge1));
    }

    [Fact]
    public async Task A_newer_authenticated_connection_takes_the_place_of_the_old_one()
    {
        await using var world = new LinkWorld();
        await using var first = await world.ConnectAuthenticated();
        await world.At.WaitForEvent("up edge1");
        await using var second = await world.ConnectAuthenticated();
        Assert.Equal("down edge1: replaced by a newer connection", await world.At.NextEvent());
        Assert.Equal("up edge1 77", await world.At.NextEvent());
        await second.WriteAsync(LinkWorld.Frame(3));
        Assert.Equal(3, LinkWorld.NumberOf((await world.At.NextFrame()).Frame));
    }

    [Fact]
    public async Task A_node_with_several_addresses_is_reached_at_the_one_that_works()
    {
        await using var world = new LinkWorld();
        using var nobody = new Socket(SocketType.Stream, ProtocolType.Tcp);
        nobody.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // Bound and not listening: refuses at once.
        var dead = new HostPort("127.0.0.1", ((IPEndPoint)nobody.LocalEndPoint!).Port);
        var (_, atEdge) = world.Dial(domain: world.Domains.Describe(new() { ["core1"] = [dead, world.CoreAddress] }));
        Assert.StartsWith("up core1", await atEdge.NextEvent(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_link_closed_by_its_host_may_come_again()
    {
        await using var world = new LinkWorld();
        world.Dial();
        await world.At.WaitForEvent("up edge1");
        world.Core.Close(LinkWorld.Edge1, "it lied");
        Assert.Equal("down edge1: it lied", await world.At.NextEvent());
        Assert.StartsWith("up edge1", await world.At.NextEvent(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_fails_loses_its_link_and_nothing_else()
    {
        await using var world = new LinkWorld();
        world.At.Gate = Task.FromException(new InvalidOperationException("no room"));
        var (edge, atEdge) = world.Dial();
        await atEdge.WaitForEvent("up core1");
        edge.TrySend(LinkWorld.Core1, LinkWorld.Frame(1));
        Assert.Equal("down edge1: the receiver failed: no room", await world.At.WaitForEvent("down"));
        world.At.Gate = Task.CompletedTask;
        await atEdge.WaitForEvent("up core1");
        edge.TrySend(LinkWorld.Core1, LinkWorld.Frame(2));
        Assert.Equal(2, LinkWorld.NumberOf((await world.At.NextFrame()).Frame));
    }

    [Fact]
    public async Task A_port_in_use_is_a_clear_error()
    {
        await using var world = new LinkWorld();
        var taken = new IPEndPoint(IPAddress.Loopback, world.CoreAddress.Port);
        await using var second = new LinkManager(
            world.Domains.Describe(),
            TestDomain.Index("core2"),
            world.Domains.IdentityOf("core2"),
            LinkWorld.Options with { Listen = taken },
            world.At);
        var error = Assert.Throws<IOException>(second.Start);
        Assert.Equal($"bus.listen {taken}: the port is in use by another program", error.Message);
    }

    [Fact]
    public async Task A_frame_that_the_peer_must_refuse_is_our_own_mistake()
    {
        await using var world = new LinkWorld();
        Assert.Throws<InvariantViolationException>(() => world.Core.TrySend(LinkWorld.Edge1, new byte[10]));
        Assert.Throws<InvariantViolationException>(() => world.Core.TrySend(LinkWorld.Edge1, Frames.Make(Frames.Ping, [])));
        Assert.Throws<InvariantViolationException>(() => world.Core.TrySend(LinkWorld.Edge1, LinkWorld.Frame(1).AsMemory(0, 20)));
    }
}
