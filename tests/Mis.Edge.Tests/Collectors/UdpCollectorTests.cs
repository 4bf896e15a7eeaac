using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Massif.Mis.Edge.Collectors;

namespace Massif.Mis.Edge.Tests.Collectors;

public sealed class UdpCollectorTests : IAsyncDisposable
{
    private readonly RecordingSink _sink = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _sender = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private UdpCollector? _collector;
    private Task _run = Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _collector?.Dispose();
        _sender.Dispose();
        _stop.Dispose();
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::")]
    public async Task Datagrams_come_whole_with_their_senders_address(string address)
    {
        Bind(new() { ListenerId = 3, EndPoint = new(IPAddress.Parse(address), 0) });
        Run();
        var sizes = new[] { 1, 0, 200, 8192, 8193, 65_507, 40_000, 5 };
        foreach (var size in sizes)
        {
            var sent = new byte[size];
            new Random(size).NextBytes(sent);
            Send(sent);
            var (listener, datagram) = await _sink.NextDatagram();
            Assert.Equal(3, listener);
            Assert.Equal(new IPEndPoint(IPAddress.Loopback, ((IPEndPoint)_sender.LocalEndPoint!).Port), datagram.Peer);
            Assert.Equal(sent, datagram.Bytes.ToArray());
        }

        Assert.Equal((sizes.Length, sizes.Sum()), (_collector!.Counters.Datagrams, _collector.Counters.Bytes));
    }

    [Fact]
    public async Task Datagrams_that_wait_come_in_batches_and_stay_what_they_were()
    {
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0) });
        const int Count = 500;
        for (var i = 0; i < Count; i++) Send(BitConverter.GetBytes(i)); // Before the start: they wait in the kernel.
        Run();

        var received = new List<Datagram>();
        while (received.Count < Count) received.Add((await _sink.NextDatagram()).Datagram);
        Assert.Equal(Enumerable.Range(0, Count), received.Select(datagram => BitConverter.ToInt32(datagram.Bytes.Span)));
        Assert.Contains(64, _sink.BatchSizes);
        Assert.DoesNotContain(_sink.BatchSizes, size => size is < 1 or > 64);
    }

    [Fact]
    public async Task A_sender_that_is_not_allowed_is_counted_and_ignored()
    {
        var other = new IPEndPoint(IPAddress.Parse("127.0.0.2"), 0);
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0), AllowedSenders = AllowedSenders.Parse(["127.0.0.2"]) });
        Run();
        using var allowed = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        allowed.Bind(other);
        Send("no"u8.ToArray());
        Send("no"u8.ToArray());
        allowed.SendTo("yes"u8.ToArray(), _collector!.LocalEndPoint);

        Assert.Equal("yes"u8.ToArray(), (await _sink.NextDatagram()).Datagram.Bytes.ToArray());
        Assert.Equal((1, 2), (_collector.Counters.Datagrams, _collector.Counters.RefusedSender));
    }

    [Fact]
    public async Task What_the_sink_does_not_take_is_counted_as_dropped()
    {
        var left = 100;
        _sink.OnDatagrams = count =>
        {
            var taken = Math.Min(count, left);
            left -= taken;
            return taken;
        };
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0) });
        for (var i = 0; i < 130; i++) Send([1, 2]);
        Run();
        for (var i = 0; i < 100; i++) await _sink.NextDatagram();
        await UntilAsync(() => _collector!.Counters.DroppedSinkFull == 30); // Else one of these takes the last one's place.
        left = 1;
        Send("last"u8.ToArray());
        Assert.Equal("last"u8.ToArray(), (await _sink.NextDatagram()).Datagram.Bytes.ToArray());
        await UntilAsync(() => _collector!.Counters.Datagrams == 101); // Counted after it was handed on.
        Assert.Equal(30, _collector!.Counters.DroppedSinkFull);
    }

    [Fact]
    public void What_the_kernel_drops_is_counted_as_the_kernel_counts_it()
    {
        if (!OperatingSystem.IsLinux()) return;
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0), ReceiveBufferBytes = 4096 });
        Assert.Equal(0, _collector!.Counters.DroppedKernel);
        for (var i = 0; i < 1000; i++) Send(new byte[500]); // Nobody takes them out.

        var dropped = _collector.Counters.DroppedKernel;
        Assert.InRange(dropped!.Value, 900, 999);
        Assert.Equal(DropsInProc(_collector.LocalEndPoint.Port), dropped);
        _collector.Dispose();
        Assert.Equal(dropped, _collector.Counters.DroppedKernel);
    }

    [Fact]
    public void The_receive_buffer_is_as_large_as_the_system_allows_and_told()
    {
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0), ReceiveBufferBytes = 64 * 1024 });
        Assert.InRange(_collector!.Counters.ReceiveBufferBytes, 64 * 1024, 2 * 64 * 1024); // Linux doubles what is asked for.
    }

    [Fact]
    public async Task A_stop_ends_the_waiting_and_frees_the_port()
    {
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0) });
        Run();
        Send([1]);
        await _sink.NextDatagram();
        await _stop.CancelAsync();
        await _run.WaitAsync(RecordingSink.Patience);
        using var next = UdpCollector.Bind(new() { ListenerId = 0, EndPoint = _collector!.LocalEndPoint }, _sink);
    }

    [Fact]
    public void A_port_in_use_is_named_with_what_to_do()
    {
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0) });
        var refusal = Assert.Throws<ListenerException>(() =>
            UdpCollector.Bind(new() { ListenerId = 1, EndPoint = _collector!.LocalEndPoint }, _sink));
        Assert.StartsWith(
            $"Cannot listen on UDP {_collector!.LocalEndPoint}: Address already in use.", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failing_sink_ends_the_collector_with_its_exception()
    {
        _sink.OnDatagrams = _ => throw new InvalidOperationException("broken sink");
        Bind(new() { ListenerId = 0, EndPoint = new(IPAddress.Loopback, 0) });
        Run();
        Send([1]);
        await Assert.ThrowsAsync<InvalidOperationException>(() => _run.WaitAsync(RecordingSink.Patience));
    }

    private static long DropsInProc(int port)
    {
        var local = port.ToString("X4", CultureInfo.InvariantCulture);
        var row = File.ReadLines("/proc/net/udp").Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Single(columns => columns[1].EndsWith(":" + local, StringComparison.Ordinal));
        return long.Parse(row[^1], CultureInfo.InvariantCulture);
    }

    private void Bind(UdpListenerOptions options) => _collector = UdpCollector.Bind(options, _sink);

    private void Run() => _run = _collector!.RunAsync(_stop.Token);

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var tries = 0; !holds() && tries < 10_000; tries++) await Task.Delay(1);
        Assert.True(holds());
    }

    private void Send(byte[] datagram) =>
        _sender.SendTo(datagram, new IPEndPoint(IPAddress.Loopback, _collector!.LocalEndPoint.Port));
}
