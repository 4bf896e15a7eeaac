using System.Net;
using System.Net.Sockets;
using System.Text;
using Massif.Integration.Tests.Cli;

namespace Massif.Integration.Tests.BadDays;

/// <summary>One domain, each node a process of its own, for all tests of this class; each leaves it whole.</summary>
public sealed class ProcessDomain : IAsyncLifetime
{
    internal LiveDomain Domain { get; } = new(options => options with { Relays = 2 });

    public async Task InitializeAsync()
    {
        foreach (var node in Domain.Description.Nodes) Domain.StartProcess(node.Id);
        await Domain.ReadyAsync(Domain.Description.Nodes.Select(node => node.Id));
    }

    public async Task DisposeAsync() => await Domain.DisposeAsync();
}

/// <summary>Bad days of a whole domain of processes.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class LiveTests(ProcessDomain shared) : IClassFixture<ProcessDomain>, IAsyncLifetime
{
    private const int Flood = 1_000;
    private readonly LiveDomain _domain = shared.Domain;

    /// <summary>Whatever a test before this one broke, it begins with a whole domain.</summary>
    public async Task InitializeAsync()
    {
        foreach (var node in _domain.Description.Nodes.Where(node => _domain.Process(node.Id).HasEnded)) _domain.StartProcess(node.Id);
        await _domain.ReadyAsync(_domain.Description.Nodes.Select(node => node.Id));
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Rubbish_a_huge_length_half_a_frame_and_silence_on_every_listener_stop_nothing()
    {
        var before = _domain.Description.Nodes.ToDictionary(node => node.Id, node => _domain.Process(node.Id).Id);
        var random = new byte[4096];
        new Random(7).NextBytes(random);
        byte[] huge = [0xff, 0xff, 0xff, 0x7f, 1, 1];
        byte[] half = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01]; // The beginning of a TLS ClientHello of 512 bytes.
        var core = _domain["core1"];
        var listeners = new Dictionary<IPEndPoint, byte[][]>
        {
            [core.BusListen!] = [random, huge, half, []],
            [core.Core!.ApiListen] = [random, huge, half, []],
            [core.HttpListen] = [random, huge, "GET /met"u8.ToArray(), []],
            [_domain["relay1"].BusListen!] = [random, huge, half, []],
            [_domain["edge1"].HttpListen] = [random, huge, "GET /metrics HTTP/1.1\r\nContent-Length: 2147483647\r\n\r\n"u8.ToArray(), []],
            [_domain.Listener("syslog-tcp")] = [random, "2147483647 <13>too long"u8.ToArray(), "100 <13>half"u8.ToArray(), []],
            [_domain.Listener("replay")] = [random, "2147483647 <13>too long"u8.ToArray(), "100 <13>half"u8.ToArray(), []],
        };
        var sockets = new List<Socket>();
        try
        {
            foreach (var (address, attacks) in listeners)
            {
                foreach (var bytes in attacks) sockets.Add(await AttackAsync(address, bytes));
            }

            await Senders.SendDatagramAsync(_domain.Listener("syslog-udp"), "2147483647 <13>");
            await Senders.SendDatagramAsync(_domain.Listener("syslog-udp"), Encoding.Latin1.GetString(random, 0, 1400));

            // With all of them still open a real event comes through, and people can read it.
            await Senders.SendAsync(_domain.Listener("syslog-tcp"), ["<13>Nov 21 11:15:51 web-1 app: amid-rubbish"]);
            await Senders.SendAsync(_domain.Listener("replay"), ["<13>Nov 21 11:15:51 web-1 app: amid-rubbish replayed"]);
            await _domain.DeliveredAsync("amid-rubbish", 2, _domain.Cores);
            await _domain.MetricAsync(
                "core1",
                metrics => metrics.Sum("massif_connections_refused_total") > 0,
                "counts no refused connection");
            await _domain.ReadyAsync(_domain.Description.Nodes.Select(node => node.Id));
            await _domain.AgreeAsync();
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }

        Assert.Equal(before, _domain.Description.Nodes.ToDictionary(node => node.Id, node => _domain.Process(node.Id).Id));
        Assert.All(_domain.Description.Nodes, node => Assert.False(_domain.Process(node.Id).HasEnded));
    }

    [Fact]
    public async Task A_thousand_silent_connections_on_syslog_and_bus_keep_nobody_out()
    {
        var sockets = new List<Socket>();
        try
        {
            foreach (var address in new[] { _domain.Listener("syslog-tcp"), _domain["core1"].BusListen! })
            {
                for (var i = 0; i < Flood; i++) sockets.Add(await AttackAsync(address, []));
            }

            await Senders.SendAsync(_domain.Listener("syslog-tcp"), ["<13>Nov 21 11:15:51 web-1 app: past-the-silent"]);
            await _domain.DeliveredAsync("past-the-silent", 1, _domain.Cores);

            // A relay that comes now gets its link to the flooded replica.
            await _domain.Process("relay1").TerminateAsync();
            _domain.StartProcess("relay1");
            await _domain.MetricAsync("core1", metrics => metrics.Sum("massif_link_up", ("peer", "relay1")) == 1, "no link with relay1");
            await _domain.MetricAsync(
                "core1",
                metrics => metrics.Sum("massif_connections_refused_total", ("reason", "Evicted")) > 0,
                "evicted none of the silent");
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }

        await _domain.ReadyAsync(_domain.Description.Nodes.Select(node => node.Id));
    }

    [Fact]
    public async Task With_one_replica_killed_people_still_get_voted_answers()
    {
        await Senders.SendAsync(_domain.Listener("syslog-tcp"), Senders.BruteForce("192.0.2.77"));
        await _domain.AgreeAsync();
        _domain.Process("core4").Kill();
        var (code, output, _) = await CommandLineTests.Run("status", "--domain", _domain.Home);
        Assert.Equal(0, code);
        Assert.Contains("core4", output, StringComparison.Ordinal);
        Assert.Contains("silent", output, StringComparison.Ordinal);
        (code, output, var error) = await CommandLineTests.Run("alarm", "ls", "--domain", _domain.Home);
        Assert.Equal(0, code);
        Assert.Contains("192.0.2.77", output, StringComparison.Ordinal);
        Assert.Contains("core4: silent", error, StringComparison.Ordinal);
        _domain.StartProcess("core4");
        await _domain.ReadyAsync("core4");
        await _domain.AgreeAsync();
    }

    [Fact]
    public async Task All_replicas_down_under_load_and_back_lose_and_double_nothing()
    {
        const int Lines = 20_000;
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();
        var sender = Senders.SendAsync(_domain.Listener("syslog-tcp"), Paced());
        await TakenAsync(Lines / 4);
        foreach (var core in _domain.Cores) _domain.Process(core).Kill();
        first.SetResult();
        await TakenAsync(Lines / 2); // The edge goes on taking while no replica is there.
        foreach (var core in _domain.Cores) _domain.StartProcess(core);
        second.SetResult();
        await sender;
        foreach (var lines in await _domain.DeliveredAsync("all-down", Lines, _domain.Cores))
            Assert.Equal(Senders.Numbered("all-down", Lines), lines);
        await _domain.AgreeAsync();

        IEnumerable<string> Paced()
        {
            var sent = 0;
            foreach (var line in Senders.Numbered("all-down", Lines))
            {
                if (sent == Lines / 2) first.Task.Wait();
                if (sent == Lines * 3 / 4) second.Task.Wait();
                sent++;
                yield return line;
            }
        }
    }

    [Fact]
    public async Task An_edge_killed_under_load_delivers_what_it_had_spooled_exactly_once()
    {
        const int Lines = 200_000;
        const string Released = "massif_batches_released_total";
        var before = (await _domain.MetricsAsync("edge1")).Sum(Released);
        var sender = Senders.SendAsync(_domain.Listener("syslog-tcp"), Senders.Numbered("edge-killed", Lines));
        await _domain.MetricAsync("edge1", metrics => metrics.Sum(Released) > before + 3, "delivers nothing");
        _domain.Process("edge1").Kill();
        await Assert.ThrowsAnyAsync<IOException>(() => sender);
        var spooled = EventLines.InSpool(_domain.DataOf("edge1"), "edge-killed");
        Assert.NotEmpty(spooled);

        _domain.StartProcess("edge1");
        await _domain.ReadyAsync("edge1");
        await Senders.SendAsync(_domain.Listener("syslog-tcp"), ["<13>Nov 21 11:15:51 web-1 load: edge-killed and back"]);
        var upTo = Array.IndexOf([.. Senders.Numbered("edge-killed", Lines)], spooled[^1]) + 1;
        Assert.True(upTo > 0, spooled[^1]);
        foreach (var lines in await _domain.DeliveredAsync("edge-killed", upTo + 1, _domain.Cores))
        {
            Assert.Equal(Senders.Numbered("edge-killed", upTo), lines[..^1]);
            Assert.EndsWith("and back", lines[^1], StringComparison.Ordinal);
        }
    }

    private static async Task<Socket> AttackAsync(IPEndPoint address, byte[] bytes)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(address);
        if (bytes.Length > 0) await socket.SendAsync(bytes);
        return socket;
    }

    private async Task TakenAsync(int lines) => await _domain.MetricAsync(
        "edge1",
        metrics => metrics.Sum("massif_listener_events_total", ("listener", "syslog-tcp")) >= lines,
        $"did not take {lines} lines");
}
