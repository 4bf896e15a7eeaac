using System.Net;
using System.Net.Sockets;
using Massif.Mis.Edge.Collectors;

namespace Massif.Mis.Edge.Tests.Collectors;

public sealed class TcpListenerCollectorTests : IAsyncDisposable
{
    private readonly RecordingSink _sink = new();
    private readonly ManualTime _time = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _senders = [];
    private TcpListenerCollector? _collector;
    private Task _run = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var sender in _senders) sender.Dispose();
        _stop.Dispose();
        _collector?.Dispose();
    }

    [Fact]
    public async Task Bytes_come_in_order_with_the_senders_address_and_the_end_is_told()
    {
        Start(new() { ListenerId = 7, EndPoint = Loopback });
        var sent = new byte[1_000_000];
        new Random(1).NextBytes(sent);
        var sender = await Connect();
        var sending = sender.SendAsync(sent);

        var (listener, connection, peer) = await _sink.NextOpened();
        Assert.Equal((7, sender.LocalEndPoint), (listener, peer));
        Assert.Equal(sent, await _sink.Bytes(connection, sent.Length));
        await sending;
        Assert.Equal(1, _collector!.Counters.Open);
        sender.Shutdown(SocketShutdown.Send);

        Assert.Equal((connection, CloseReason.ByPeer), await _sink.NextClosed());
        Assert.Equal(sent.Length, _collector.Counters.Bytes);
        Assert.False(_sink.HasChunk);
    }

    [Fact]
    public async Task Ids_of_connections_of_different_listeners_differ()
    {
        Start(new() { ListenerId = 1, EndPoint = Loopback });
        using var other = TcpListenerCollector.Bind(new() { ListenerId = 2, EndPoint = Loopback }, _sink, _time);
        var running = other.RunAsync(_stop.Token);
        await Connect();
        var first = await _sink.NextOpened();
        await Connect(other.LocalEndPoint);
        var second = await _sink.NextOpened();

        Assert.NotEqual(first.Connection, second.Connection);
        await _stop.CancelAsync();
        await running;
    }

    [Fact]
    public async Task While_the_sink_has_no_room_the_sender_waits_and_others_do_not()
    {
        var room = new TaskCompletionSource();
        var slow = 0L;
        _sink.OnChunk = connection => connection == Volatile.Read(ref slow) ? room.Task : Task.CompletedTask;
        Start(new() { ListenerId = 0, EndPoint = Loopback, IdleTimeout = TimeSpan.FromDays(2) });
        var blocked = await Connect();
        slow = (await _sink.NextOpened()).Connection;

        // More than both sockets buffer: the sending ends only when the collector reads.
        var flood = new byte[32 * 1024 * 1024];
        var sending = blocked.SendAsync(flood);
        var first = (await _sink.NextChunk()).Bytes.Length;

        var other = await Connect();
        var id = (await _sink.NextOpened()).Connection;
        await other.SendAsync("hello"u8.ToArray());
        Assert.Equal("hello"u8.ToArray(), await _sink.Bytes(id, 5));
        Assert.False(sending.IsCompleted);
        Assert.False(_sink.HasChunk);

        // However long the sink takes, the sender is not to blame.
        _time.Advance(TimeSpan.FromDays(3));
        room.SetResult();
        await _sink.Bytes(slow, flood.Length - first);
        await sending;
    }

    [Fact]
    public async Task Nothing_is_read_before_the_sink_lets_it_and_its_place_is_given_back_whatever_happens()
    {
        var mayRead = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        _sink.OnEnter = _ =>
        {
            asked.TrySetResult();
            return mayRead.Task;
        };
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        var sender = await Connect();
        await _sink.NextOpened();
        await sender.SendAsync("hello"u8.ToArray());
        await asked.Task.WaitAsync(RecordingSink.Patience);
        Assert.Equal(0, _collector!.Counters.Bytes);
        Assert.False(_sink.HasChunk);

        mayRead.SetResult();
        Assert.Equal("hello"u8.ToArray(), (await _sink.NextChunk()).Bytes);
        sender.Shutdown(SocketShutdown.Send);
        await _sink.NextClosed();
        Assert.Equal(0, _sink.Entered);
    }

    [Fact]
    public async Task A_sender_that_is_not_allowed_is_refused_and_counted()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback, AllowedSenders = AllowedSenders.Parse(["192.0.2.0/24"]) });
        var sender = await Connect();
        await AssertClosed(sender);
        Assert.Equal((1, 0, 0), (_collector!.Counters.RefusedSender, _collector.Counters.Accepted, _collector.Counters.Open));
    }

    [Fact]
    public async Task A_thousand_silent_connections_make_room_for_one_that_speaks()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback, ConnectionsMax = 1000 });
        var first = await Connect();
        var firstId = (await _sink.NextOpened()).Connection;
        await first.SendAsync("early"u8.ToArray());
        await _sink.Bytes(firstId, 5);
        for (var i = 0; i < 999; i++)
        {
            await Connect();
            await _sink.NextOpened();
        }

        Assert.Equal(1000, _collector!.Counters.Open);
        var late = await Connect();
        var lateId = (await _sink.NextOpened()).Connection;
        await late.SendAsync("late"u8.ToArray());
        Assert.Equal("late"u8.ToArray(), await _sink.Bytes(lateId, 4));

        var (victim, reason) = await _sink.NextClosed();
        Assert.Equal(CloseReason.MadeRoom, reason);
        Assert.Equal(firstId + 1, victim); // The oldest silent one; the oldest of all has spoken and stays.
        await AssertClosed(_senders[1]);
        await first.SendAsync("again"u8.ToArray());
        Assert.Equal("again"u8.ToArray(), await _sink.Bytes(firstId, 5));
        Assert.Equal(1, _collector.Counters.ClosedToMakeRoom);
    }

    [Fact]
    public async Task When_all_have_spoken_one_more_is_refused_and_counted()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback, ConnectionsMax = 2 });
        for (var i = 0; i < 2; i++)
        {
            var sender = await Connect();
            await sender.SendAsync("x"u8.ToArray());
            await _sink.Bytes((await _sink.NextOpened()).Connection, 1);
        }

        await AssertClosed(await Connect());
        Assert.Equal((2, 2, 1), (_collector!.Counters.Open, _collector.Counters.Accepted, _collector.Counters.RefusedLimit));
    }

    [Fact]
    public async Task Silence_ends_a_new_connection_early_and_a_known_one_at_the_idle_limit()
    {
        Start(new()
        {
            ListenerId = 0,
            EndPoint = Loopback,
            FirstByteTimeout = TimeSpan.FromSeconds(60),
            IdleTimeout = TimeSpan.FromSeconds(300),
        });
        var known = await Connect();
        var knownId = (await _sink.NextOpened()).Connection;
        var silent = await Connect();
        var silentId = (await _sink.NextOpened()).Connection;
        await known.SendAsync("x"u8.ToArray());
        await _sink.Bytes(knownId, 1);

        _time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(2, _collector!.Counters.Open);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((silentId, CloseReason.Silent), await _sink.NextClosed());
        await AssertClosed(silent);

        _time.Advance(TimeSpan.FromSeconds(240));
        Assert.Equal((knownId, CloseReason.Idle), await _sink.NextClosed());
        Assert.Equal((1, 1), (_collector.Counters.ClosedSilent, _collector.Counters.ClosedIdle));
    }

    [Fact]
    public async Task A_reset_connection_is_told_as_broken_and_the_listener_goes_on()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        var sender = await Connect();
        var id = (await _sink.NextOpened()).Connection;
        sender.LingerState = new LingerOption(true, 0);
        sender.Dispose();

        Assert.Equal((id, CloseReason.Broken), await _sink.NextClosed());
        await Connect();
        await _sink.NextOpened();
        Assert.Equal(1, _collector!.Counters.ClosedBroken);
    }

    [Fact]
    public async Task The_owner_can_close_a_connection()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        var sender = await Connect();
        var id = (await _sink.NextOpened()).Connection;
        _collector!.Close(id);
        Assert.Equal((id, CloseReason.ByOwner), await _sink.NextClosed());
        await AssertClosed(sender);
        _collector.Close(id);
    }

    [Fact]
    public async Task A_stop_closes_all_tells_the_sink_and_frees_the_port_at_once()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        for (var i = 0; i < 3; i++)
        {
            await (await Connect()).SendAsync("x"u8.ToArray());
            await _sink.NextOpened();
        }

        await _stop.CancelAsync();
        await _run.WaitAsync(RecordingSink.Patience);

        for (var i = 0; i < 3; i++) Assert.Equal(CloseReason.Stopping, (await _sink.NextClosed()).Reason);
        using var next = TcpListenerCollector.Bind(
            new() { ListenerId = 0, EndPoint = _collector!.LocalEndPoint }, _sink, _time);
    }

    [Fact]
    public void A_port_in_use_is_named_with_what_to_do()
    {
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        var refusal = Assert.Throws<ListenerException>(() =>
            TcpListenerCollector.Bind(new() { ListenerId = 1, EndPoint = _collector!.LocalEndPoint }, _sink, _time));
        Assert.Equal(
            $"Cannot listen on TCP {_collector!.LocalEndPoint}: Address already in use. "
            + "Another program listens there: stop it, or choose another port for this listener.",
            refusal.Message);
    }

    [Fact]
    public async Task A_failing_sink_ends_the_collector_with_its_exception()
    {
        _sink.OnChunk = _ => throw new InvalidOperationException("broken sink");
        Start(new() { ListenerId = 0, EndPoint = Loopback });
        var sender = await Connect();
        await sender.SendAsync("x"u8.ToArray());
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => _run.WaitAsync(RecordingSink.Patience));
        Assert.Equal("broken sink", failure.Message);
        await AssertClosed(sender);
    }

    private static IPEndPoint Loopback => new(IPAddress.Loopback, 0);

    private void Start(TcpListenerOptions options)
    {
        _collector = TcpListenerCollector.Bind(options, _sink, _time);
        _run = _collector.RunAsync(_stop.Token);
    }

    private async Task<Socket> Connect(IPEndPoint? to = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _senders.Add(socket);
        await socket.ConnectAsync(to ?? _collector!.LocalEndPoint);
        return socket;
    }

    /// <summary>Waits until the other side has closed: an end, or a reset when it left bytes unread.</summary>
    private static async Task AssertClosed(Socket sender)
    {
        try
        {
            Assert.Equal(0, await sender.ReceiveAsync(new byte[1]).WaitAsync(RecordingSink.Patience));
        }
        catch (SocketException reset)
        {
            Assert.Equal(SocketError.ConnectionReset, reset.SocketErrorCode);
        }
    }
}
