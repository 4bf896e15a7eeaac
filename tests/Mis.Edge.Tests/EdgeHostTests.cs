using System.Net;
using System.Security.Cryptography;
using System.Text;
using Massif.Events;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Tests;
using Massif.Reb.Tests.Hosting;
using Massif.Reb.Wire;

namespace Massif.Mis.Edge.Tests;

/// <summary>The edge between sockets and bus, without either: what goes in as bytes comes out as batches in the spool.</summary>
public sealed class EdgeHostTests : IDisposable
{
    private const long Start = 1_700_000_000_000_000_000;
    private static readonly IPEndPoint Peer = new(IPAddress.Parse("192.0.2.7"), 4000);

    private readonly TestDomain _test = new();
    private readonly Domain _domain;
    private readonly PairwiseKeys _keys;
    private readonly FakeLinks _links = new FakeLinks().With([.. Enumerable.Range(0, 4).Select(i => new NodeIndex((ushort)i))]);
    private readonly Counters _counters = new();
    private HostDisk _disk = new();
    private EdgeHost? _host;
    private Moment _now = new(new(1_000_000_000), Start, ClockQuality.Sync, 100);

    public EdgeHostTests()
    {
        _domain = _test.Describe();
        using var key = ECDiffieHellman.Create(_test.KeyOf("edge1").ExportParameters(true));
        _keys = new(_domain, TestDomain.Index("edge1"), key);
    }

    [Fact]
    public void A_start_is_an_event_and_a_batch_closes_after_its_delay()
    {
        var host = Open(64L * 1024 * 1024);
        host.Step(new(EdgeInputKind.Bus, HostInput.OfLinkUp(TestDomain.Index("core1"))), _now);
        Assert.Equal(new Instant(1_005_000_000), host.NextDeadline);
        Assert.Empty(Events());
        Pass(5);
        host.OnDeadline(_now);
        host.EndTurn(_now);
        Assert.Equal(EventAction.Started, Assert.Single(Events()).Action);
    }

    [Fact]
    public void A_batch_closes_at_its_limit_of_events_at_once()
    {
        var host = Settled();
        var lines = new StringBuilder();
        for (var i = 0; i < 1025; i++) lines.Append("<13>line\n");
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 1, Peer: Peer), _now);
        Chunk(host, 1, lines.ToString());
        host.EndTurn(_now);
        Assert.Equal(1024, Events().Count);
        CloseBatch(host);
        Assert.Equal(1025, Events().Count);
    }

    [Fact]
    public void Connections_are_framed_apart_and_their_rest_counts_when_they_end()
    {
        var host = Settled();
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 1, Peer: Peer), _now);
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 2, Peer: Peer), _now);
        Chunk(host, 1, "<13>fir");
        Chunk(host, 2, "10 <13>second<1");
        Chunk(host, 1, "st\n<13>without end");
        Chunk(host, 2, "3>third\n");
        Chunk(host, 3, "nobody opened this\n");
        Assert.Equal(2, _counters.Of("massif_syslog_connections").Value);
        host.Step(new(EdgeInputKind.Closed, Connection: 1), _now);
        host.Step(new(EdgeInputKind.Closed, Connection: 1), _now);
        CloseBatch(host);
        Assert.Equal(["<13>second", "<13>first", "<13>third", "<13>without end"], Events().Select(e => e.Raw));
        Assert.Equal(1, _counters.Of("massif_syslog_connections").Value);
        Assert.Equal(4, _counters.Of("massif_listener_events_total{listener=\"live\"}").Value);
    }

    [Fact]
    public void A_datagram_beyond_the_limit_is_cut_flagged_and_counted()
    {
        var host = Settled();
        Datagram(host, 1, new string('x', 600));
        Datagram(host, 1, "<13>short");
        Datagram(host, 1, "");
        CloseBatch(host);
        var events = Events();
        Assert.True(events[0].Flags.HasFlag(EventFlags.Truncated));
        Assert.False(events[1].Flags.HasFlag(EventFlags.Truncated));
        Assert.Equal(512, events[0].Raw.Length);
        Assert.Equal(88, _counters.Of("massif_listener_discarded_bytes_total{listener=\"udp\"}").Value);
        Assert.Equal(1, _counters.Of("massif_listener_truncated_messages_total{listener=\"udp\"}").Value);
    }

    [Fact]
    public void Only_a_replay_listener_lets_the_claimed_time_be_the_event_time()
    {
        var host = Settled();
        const string Line = "<13>1 2001-02-03T04:05:06Z h a - - - text\n";
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 1, Peer: Peer), _now);
        host.Step(new(EdgeInputKind.Opened, Listener: 2, Connection: 2, Peer: Peer), _now);
        Chunk(host, 1, Line);
        Chunk(host, 2, Line);
        CloseBatch(host);
        var events = Events();
        Assert.Equal((false, _now.WallNanoseconds - 5_000_000), (events[0].Flags.HasFlag(EventFlags.Replayed), events[0].EventTime));
        Assert.Equal((true, 981_173_106_000_000_000), (events[1].Flags.HasFlag(EventFlags.Replayed), events[1].EventTime));
    }

    [Fact]
    public void A_sender_is_named_and_its_claimed_time_is_read_in_the_listeners_zone()
    {
        var host = Settled();
        host.Step(new(EdgeInputKind.Opened, Listener: 3, Connection: 1, Peer: Peer), _now);
        Chunk(host, 1, "<13>1 2001-02-03T04:05:06Z h a - - - with its own zone\n<13>Nov 14 22:13:00 h a: without one\n");
        CloseBatch(host);
        var events = Events();
        Assert.All(events, e => Assert.Equal("192.0.2.7", e.Peer));
        Assert.Equal(981_173_106_000_000_000, events[0].EventTime);
        Assert.Equal(1_699_992_780_000_000_000, events[1].EventTime); // 22:13:00 +02:00 is 20:13:00 UTC.
    }

    [Fact]
    public void A_spool_that_was_changed_is_said_in_the_event_of_the_start()
    {
        var host = Settled();
        Datagram(host, 1, "<13>one");
        CloseBatch(host);
        _disk = _disk.Reopened();
        var file = _disk.Files.First(name => name.StartsWith("spool", StringComparison.Ordinal));
        _disk.Medium.Flip(file, (int)_disk.LengthOf(file) / 2);
        Settled(keepSent: true);
        Assert.Contains("not what was written", Assert.Single(Events()).Raw, StringComparison.Ordinal);
    }

    [Fact]
    public void A_clock_set_back_an_hour_holds_trusted_time_and_is_an_event_once()
    {
        var host = Settled();
        Datagram(host, 1, "<13>before");
        var last = _now.WallNanoseconds;
        for (var i = 0; i < 3; i++)
        {
            _now = _now with { WallNanoseconds = last - 3_600_000_000_000 + (i * 1_000_000), Now = _now.Now.PlusMilliseconds(1) };
            Datagram(host, 1, "<13>after");
        }

        CloseBatch(host);
        var events = Events();
        Assert.Equal(
            [EventAction.None, EventAction.ClockStepped, EventAction.None, EventAction.None, EventAction.None],
            events.Select(e => e.Action));
        Assert.All(events, e => Assert.Equal(last, e.TimeObserved));
        Assert.All(events.Skip(2), e => Assert.True(e.Flags.HasFlag(EventFlags.ClockStep)));

        // A restart does not go back either: the spool knows the last trusted time.
        _disk = _disk.Reopened();
        Settled(keepSent: true);
        var again = _host!;
        for (var replica = 0; replica < 3; replica++) Report(again, replica, again.Source.NextSeq - 2); // What was before is released.
        again.EndTurn(_now);
        Assert.True(Events().Last(e => e.Raw.EndsWith("edge started", StringComparison.Ordinal)).TimeObserved >= last);
    }

    [Fact]
    public void Losses_are_events()
    {
        var host = Settled();
        host.Step(new(EdgeInputKind.Lost, Listener: 1, Count: 17), _now);
        CloseBatch(host);
        var loss = Assert.Single(Events());
        Assert.Equal(EventAction.Loss, loss.Action);
        Assert.Contains("listener udp lost 17 datagrams", loss.Raw, StringComparison.Ordinal);
        Assert.Equal(17, _counters.Of("massif_listener_lost_datagrams_total{listener=\"udp\"}").Value);
    }

    [Fact]
    public void It_accepts_no_more_when_the_spool_is_full_and_again_when_it_is_freed()
    {
        var host = Settled(spoolLimit: 256 * 1024);
        Assert.True(host.Accepts);
        for (var batches = 0; host.Accepts; batches++)
        {
            Assert.True(batches < 100, "It takes more than the spool's limit.");
            for (var i = 0; i < 100; i++) Datagram(host, 1, new string('x', 500));
            CloseBatch(host);
        }

        Assert.True(host.Source.SpoolBytes >= 256 * 1024);
        var newest = host.Source.NextSeq - 1;
        for (var replica = 0; replica < 3; replica++) Report(host, replica, newest);
        host.EndTurn(_now);
        Assert.Equal(newest, host.Source.Released);
        Assert.True(host.Accepts);
    }

    [Fact]
    public void Messages_without_an_end_close_the_oldest_connection_at_their_bound_and_nothing_of_them_is_lost()
    {
        var host = Settled(partialFrames: 64 * 1024);
        for (var i = 1; i <= 400; i++)
        {
            host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: i, Peer: Peer), _now);
            Chunk(host, i, $"<13>half {i} " + new string('x', 400));
            Assert.InRange(host.PartialFrameBytes, 0, 64 * 1024);
        }

        var closed = new List<long>();
        while (host.TryTakeClosed(out var number)) closed.Add(number);
        Assert.NotEmpty(closed);
        Assert.Equal(Enumerable.Range(1, closed.Count).Select(i => (long)i), closed); // The oldest first, and no more than needed.
        Assert.True(400 - closed.Count > 64 * 1024 / 450);
        CloseBatch(host);
        var events = Events();
        Assert.Equal(closed.Count, events.Count);
        Assert.All(events, (e, i) => Assert.StartsWith($"<13>half {i + 1} xxx", e.Raw, StringComparison.Ordinal));
        Assert.All(events, e => Assert.True(e.Flags.HasFlag(EventFlags.Unterminated)));

        // What comes behind it on the socket until the node has closed it is nobody's.
        Chunk(host, 1, " more\n");
        host.Step(new(EdgeInputKind.Closed, Connection: 1), _now);
        Assert.Equal(400 - closed.Count, _counters.Of("massif_syslog_connections").Value);
    }

    [Fact]
    public void A_connection_that_finishes_its_messages_is_never_the_oldest()
    {
        var host = Settled(partialFrames: 16 * 1024);
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 1, Peer: Peer), _now);
        Chunk(host, 1, "<13>busy 0 ");
        for (var i = 2; i <= 200; i++)
        {
            host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: i, Peer: Peer), _now);
            Chunk(host, i, $"<13>half {i} " + new string('x', 400));
            Chunk(host, 1, $"end\n<13>busy {i} ");
        }

        var closed = new List<long>();
        while (host.TryTakeClosed(out var number)) closed.Add(number);
        Assert.NotEmpty(closed);
        Assert.DoesNotContain(1, closed);
    }

    [Fact]
    public void Connections_that_have_sent_and_rest_do_not_keep_their_buffers()
    {
        var host = Settled(partialFrames: 64 * 1024);
        var line = new string('x', 8000) + "\n";
        for (var i = 1; i <= 100; i++)
        {
            host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: i, Peer: Peer), _now);
            Chunk(host, i, line);
            Assert.InRange(host.PartialFrameBytes, 0, 64 * 1024);
        }

        Assert.False(host.TryTakeClosed(out _));
        Assert.Equal(100, _counters.Of("massif_syslog_connections").Value);
    }

    [Fact]
    public void Flush_spools_what_is_under_way_and_says_goodbye()
    {
        var host = Settled();
        host.Step(new(EdgeInputKind.Opened, Listener: 0, Connection: 1, Peer: Peer), _now);
        Chunk(host, 1, "<13>unfinished");
        host.Flush(_now);
        Assert.Equal(1, _disk.Asked);
        Assert.Equal(["<13>unfinished", "massif edge1: edge stopped"], Events().Select(e => e.Raw));
    }

    [Fact]
    public void Bytes_of_neighbours_do_not_end_it_and_lies_are_counted()
    {
        var host = Settled();
        var random = new Random(1);
        byte[][] honest = [StatusOf(0, 1), StatusOf(1, 1), StatusOf(0, 1, host.Source.Life)];
        for (var i = 0; i < 5000; i++)
        {
            var frame = (byte[])honest[random.Next(honest.Length)].Clone();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                frame[5 + random.Next(frame.Length - 5)] = (byte)random.Next(256);
            var part = frame.AsMemory(0, random.Next(6, frame.Length + 1));
            host.Step(new(EdgeInputKind.Bus, HostInput.OfFrame(TestDomain.Index("core1"), part)), _now);
        }

        host.EndTurn(_now);
        Assert.True(_counters.All().Where(c => c.Name.StartsWith("massif_path_faults", StringComparison.Ordinal)).Sum(c => c.Value) > 1000);
        Assert.NotEmpty(_links.Closed);
    }

    public void Dispose()
    {
        _keys.Dispose();
        _test.Dispose();
    }

    private EdgeHost Open(long spoolLimit, long partialFrames = EdgeOptions.PartialFrameBytesDefault)
    {
        SyslogListener[] listeners =
        [
            new("live", SyslogProtocol.Tcp, Peer, ListenerMode.Live, 512, 0, [], 10),
            new("udp", SyslogProtocol.Udp, Peer, ListenerMode.Live, 512, 0, [], 10),
            new("replay", SyslogProtocol.Tcp, Peer, ListenerMode.Replay, 512, 0, [], 10),
            new("abroad", SyslogProtocol.Tcp, Peer, ListenerMode.Replay, 512, 120, [], 10),
        ];
        var parts = new SourceParts(
            _domain, TestDomain.Index("edge1"), 0, _keys, _links, _disk, spoolLimit, 5, Guid.Empty, () => 4711, _counters);
        return _host = new(new(listeners, spoolLimit, 5, 5, partialFrames), parts, _now);
    }

    /// <summary>An edge whose first batch, with its start, is behind it.</summary>
    private EdgeHost Settled(
        long spoolLimit = 64L * 1024 * 1024, bool keepSent = false, long partialFrames = EdgeOptions.PartialFrameBytesDefault)
    {
        _links.Sent.Clear();
        var host = Open(spoolLimit, partialFrames);
        host.Step(new(EdgeInputKind.Bus, HostInput.OfLinkUp(TestDomain.Index("core1"))), _now);
        CloseBatch(host);
        if (!keepSent) _links.Sent.Clear();
        return host;
    }

    private void Pass(int milliseconds) => _now = _now with
    {
        Now = _now.Now.PlusMilliseconds(milliseconds),
        WallNanoseconds = _now.WallNanoseconds + (milliseconds * 1_000_000L),
    };

    private void CloseBatch(EdgeHost host)
    {
        Pass(5);
        host.EndTurn(_now);
        AnswerDisk(host);
    }

    private void AnswerDisk(EdgeHost host)
    {
        if (_disk.Answer() is { } ticket) host.Step(new(EdgeInputKind.Bus, HostInput.OfSynced(ticket)), _now);
    }

    private void Chunk(EdgeHost host, long connection, string text) =>
        host.Step(new(EdgeInputKind.Chunk, Connection: connection, Bytes: Encoding.UTF8.GetBytes(text)), _now);

    private void Datagram(EdgeHost host, int listener, string text) =>
        host.Step(new(EdgeInputKind.Datagram, Listener: listener, Bytes: Encoding.UTF8.GetBytes(text), Peer: Peer), _now);

    private void Report(EdgeHost host, int replica, ulong durable) => host.Step(
        new(EdgeInputKind.Bus, HostInput.OfFrame(new((ushort)replica), StatusOf(replica, durable, host.Source.Life))), _now);

    private byte[] StatusOf(int replica, ulong durable, StreamLife life = default)
    {
        using var key = ECDiffieHellman.Create(_test.KeyOf(TestDomain.Members[replica].Id).ExportParameters(true));
        using var keys = new PairwiseKeys(_domain, new((ushort)replica), key);
        var body = StatusFrame.BuildBody([new(1, life, durable + 1, durable + 257, durable, default)]);
        return Reb.Overlay.Envelope.Build(
            new(new((ushort)replica), 1, 1, Reb.Overlay.EnvelopeContent.Status, 0, default),
            [TestDomain.Index("edge1")],
            Digest.Of(body),
            body,
            keys);
    }

    /// <summary>What is in the spool since it was looked at last: the events of the INITIALs that left for the first replica.</summary>
    private List<Seen> Events()
    {
        AnswerDisk(_host!);
        var events = new List<Seen>();
        var seen = new HashSet<ulong>();
        foreach (var (to, frame) in _links.Sent)
        {
            if (to.Value != 0 || !Reb.Overlay.Envelope.TryOpen(frame.Span, out var envelope)) continue;
            Assert.True(InitialMessage.TryRead(envelope.Body, out var initial));
            if (!seen.Add(initial.Header.Instance.Seq)) continue;
            Assert.True(BatchReader.TryOpen(initial.Payload, out var batch, out _));
            foreach (var view in batch)
            {
                events.Add(new(
                    Encoding.UTF8.GetString(view.Raw), view.Flags, view.Action, view.TimeObserved, view.EventTime, PeerOf(view)));
            }
        }

        return events;
    }

    private static string PeerOf(EventView view) => view.TryGetAddress(EventField.PeerAddress, out var peer) ? peer.ToString() : "";

    private sealed record Seen(string Raw, EventFlags Flags, EventAction Action, long TimeObserved, long EventTime, string Peer);
}
