using System.Globalization;
using System.Text;
using Massif.Mis.Edge;

namespace Massif.Simulation.WholeDomain;

/// <summary>The senders of one edge: a live one and one that replays, each with lines of its own, in chunks with random borders.</summary>
/// <remarks>As over plain TCP, what was under way to an edge that dies is gone: the sender goes on with the next line.</remarks>
internal sealed class LineFeed
{
    private const int Listeners = 2;
    private readonly DomainWorld _world;
    private readonly EdgeProcess _edge;
    private readonly Prng _prng;
    private readonly Sender[] _senders = new Sender[Listeners];
    private long _connections;

    public LineFeed(DomainWorld world, EdgeProcess edge, Prng prng)
    {
        (_world, _edge, _prng) = (world, edge, prng);
        for (var i = 0; i < Listeners; i++) _senders[i] = new(Write(i, world.Shape.LinesPerEdge / (i + 1)));
    }

    public bool IsDone => _senders.All(sender => sender.Line == sender.Lines.Count);

    /// <summary>The edge is gone: connections end, and a line of which a byte was sent counts as sent.</summary>
    public void Disconnect()
    {
        foreach (var sender in _senders)
        {
            sender.Connection = 0;
            if (sender.Offset == 0) continue;
            (sender.Line, sender.Offset) = (sender.Line + 1, 0);
        }
    }

    /// <summary>Sends a chunk if the edge takes one; a sender waits as long as it does not.</summary>
    public void Next()
    {
        if (IsDone) return;
        if (_edge.CanTake)
        {
            var listener = _prng.Below(Listeners);
            if (_senders[listener].Line == _senders[listener].Lines.Count) listener = 1 - listener;
            Send(listener);
        }

        var lines = _world.Shape.LinesPerEdge;
        _world.Plan(_prng.Between(1, 2 * _world.Shape.Trouble / lines / 2), new(HappeningKind.Feed, _edge.Index, 0, 0, default));
    }

    private void Send(int listener)
    {
        var sender = _senders[listener];
        if (sender.Connection == 0)
        {
            sender.Connection = ++_connections;
            var peer = new System.Net.IPEndPoint(System.Net.IPAddress.Loopback, 1000 + listener);
            _edge.Take(new(EdgeInputKind.Opened, Listener: listener, Connection: sender.Connection, Peer: peer), []);
        }

        var wanted = _prng.OneIn(4) ? _prng.Between(1, 12) : _prng.Between(60, 400 + (2 * _world.Shape.LineBytes));
        var bytes = new List<byte>();
        var ended = new List<int>();
        while (bytes.Count < wanted && sender.Line < sender.Lines.Count)
        {
            var (number, framed) = sender.Lines[sender.Line];
            var take = (int)Math.Min(wanted - bytes.Count, framed.Length - sender.Offset);
            bytes.AddRange(framed.AsSpan(sender.Offset, take));
            sender.Offset += take;
            if (sender.Offset < framed.Length) break;
            ended.Add(number);
            (sender.Line, sender.Offset) = (sender.Line + 1, 0);
        }

        _edge.Take(new(EdgeInputKind.Chunk, Connection: sender.Connection, Bytes: bytes.ToArray()), [.. ended]);
    }

    private List<(int Number, byte[] Framed)> Write(int listener, int count)
    {
        var lines = new List<(int, byte[])>();
        for (var i = 0; i < count; i++)
        {
            var number = _world.Checker.NewLine(_edge.Index, listener, out var serial);
            var text = Text(listener, serial);
            _world.Checker.Expect(number, text);
            var framed = _prng.OneIn(3) ? string.Create(CultureInfo.InvariantCulture, $"{text.Length} {text}") : text + "\n";
            lines.Add((number, Encoding.Latin1.GetBytes(framed)));
        }

        return lines;
    }

    private string Text(int listener, int serial)
    {
        var time = DateTime.UnixEpoch.AddTicks((SimulatedClock.WallStart / 100) + (serial * TimeSpan.TicksPerSecond / 2));
        var head = string.Create(CultureInfo.InvariantCulture, $"<38>{time:MMM} {time.Day,2} {time:HH:mm:ss} host-{listener} ");
        var text = _prng.Chance(60)
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"sshd[{serial}]: Failed password for root from 10.0.0.{_prng.Below(3)} port {1024 + serial} ssh2")
            : string.Create(
                CultureInfo.InvariantCulture,
                $"app[{serial}]: {(_prng.Chance(50) ? "nothing to see" : "é ü ÿ")} {serial}");
        return $"{head}{text}{Padding()}";
    }

    private string Padding()
    {
        if (_world.Shape.LineBytes == 0 || _prng.Chance(30)) return "";
        return string.Concat(" ", new string((char)('a' + _prng.Below(26)), _prng.Below(_world.Shape.LineBytes)));
    }

    private sealed class Sender(List<(int Number, byte[] Framed)> lines)
    {
        public List<(int Number, byte[] Framed)> Lines => lines;

        public int Line { get; set; }

        public int Offset { get; set; }

        public long Connection { get; set; }
    }
}
