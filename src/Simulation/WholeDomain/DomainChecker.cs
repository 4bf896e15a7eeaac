using System.Globalization;
using System.Text;
using Massif.Events;
using Massif.Mis.Core;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Simulation.WholeDomain;

/// <summary>Holds a whole domain to its promises, by name.</summary>
internal sealed class DomainChecker(DomainWorld world)
{
    private readonly Dictionary<InstanceId, Batch> _published = [];
    private readonly Dictionary<InstanceId, Batch> _agreed = [];
    private readonly List<StreamLife> _lives = [];
    private readonly Dictionary<(ReplicaId Replica, InstanceId Instance, bool Echo), Digest> _votes = [];
    private readonly Dictionary<(ReplicaId Replica, StreamLife Life), Progress> _progress = [];
    private readonly List<Line> _lines = [];
    private readonly Dictionary<string, int> _byText = new(StringComparer.Ordinal);
    private readonly Dictionary<(int Edge, int Listener), int> _lastSerial = [];
    private readonly Dictionary<int, ulong> _released = [];
    private readonly Dictionary<int, StreamLife> _lifeOfEdge = [];
    private readonly List<StreamTip> _tips = [];
    private readonly Dictionary<Digest, ReplicaSet> _wrongMacs = [];

    /// <summary>Gets how many deliveries correct replicas made together.</summary>
    public long Deliveries { get; private set; }

    public int NewLine(int edge, int listener, out int serial)
    {
        serial = _lines.Count(line => line.Edge == edge && line.Listener == listener) + 1;
        _lines.Add(new(edge, listener, serial));
        return _lines.Count - 1;
    }

    public void Expect(int number, string text) => _byText.Add(KeyOf(_lines[number].Edge, text), number);

    /// <summary>The batch of these lines is durable in the spool: from now on they may not be lost.</summary>
    public void Promised(int edge, IReadOnlyList<int> lines)
    {
        foreach (var number in lines) _lines[number].Promised = true;
        world.Trace.Add(0x600, edge, (ulong)lines.Count, 0);
    }

    /// <summary>A correct edge sends an INITIAL (R0).</summary>
    public void Published(EdgeProcess edge, in InitialMessage message, ulong durable)
    {
        var instance = message.Header.Instance;
        Demand(instance.Seq <= durable, "SyncedBeforeSent", $"{edge.Name} sends {instance}, and its spool is synced up to {durable}");
        if (!_published.TryGetValue(instance, out var published))
        {
            _published.Add(instance, new(message.HeaderBytes.ToArray(), message.Payload.ToArray()));
            _lifeOfEdge[edge.Index] = instance.Life;
            return;
        }

        var same = message.HeaderBytes.SequenceEqual(published.Header) && message.Payload.SequenceEqual(published.Payload);
        Demand(same, "Validity", $"{edge.Name} publishes two batches as {instance}");
    }

    /// <summary>A correct edge is back with what its spool kept.</summary>
    public void EdgeRestarted(EdgeProcess edge, ulong survived, ulong durable)
    {
        Demand(survived >= durable, "NoLoss", $"{edge.Name} comes back with batches up to {survived}, and {durable} were synced");
        if (durable > 0 && _lifeOfEdge.TryGetValue(edge.Index, out var life))
            Demand(edge.Host!.Source.Life == life, "NoLoss", $"{edge.Name} comes back with a new incarnation");
        _lifeOfEdge[edge.Index] = edge.Host!.Source.Life;
    }

    /// <summary>What a correct edge released must be durable at f + 1 correct replicas.</summary>
    public void Released(EdgeProcess edge, SourceHost source)
    {
        Demand(
            source.SpoolBytes <= world.Shape.SpoolLimit + DomainWorld.SpoolSlack,
            "BoundedMemory",
            $"the spool of {edge.Name} has {source.SpoolBytes} bytes");
        if (source.Released <= _released.GetValueOrDefault(edge.Index)) return;
        _released[edge.Index] = source.Released;
        var holders = world.CorrectCores.Count(core =>
            _progress.TryGetValue((core.Replica, source.Life), out var p) && p.Durable >= source.Released);
        Demand(
            holders > world.Domain.Quorums.Faults,
            "NoLoss",
            $"{edge.Name} released {source.Released}, durable at {holders} correct replicas");
    }

    /// <summary>A Byzantine edge made a batch with wrong MAC entries for these replicas: none of them may vouch for it (R12).</summary>
    public void MadeWithWrongMacs(in Digest digest, ReplicaSet replicas) => _wrongMacs[digest] = replicas;

    /// <summary>A correct replica sends a vote.</summary>
    public void Voted(CoreProcess core, in Vote vote)
    {
        var echo = vote.Kind == VoteKind.Echo;
        Demand(!(echo && core.LostVotes), "NoEchoAfterLoss", $"{core.Name} lost its log and sends {vote}");
        if (echo && _wrongMacs.TryGetValue(vote.Digest, out var wrong))
            Demand(!wrong.Contains(core.Replica), "Authenticity", $"{core.Name} sends {vote}, whose MAC entry for it is wrong");
        if (core.Wiped) return;
        if (_votes.TryAdd((core.Replica, vote.Instance, echo), vote.Digest)) return;
        var first = _votes[(core.Replica, vote.Instance, echo)];
        Demand(first == vote.Digest, "VoteOnce", $"{core.Name} said {first.A:x} and now {vote}");
    }

    /// <summary>The disk of a correct replica is lost, with every vote that it had sent.</summary>
    public void DiskLost(CoreProcess core) =>
        (core.Wiped, core.LostVotes) = (true, core.LostVotes || _votes.Keys.Any(vote => vote.Replica == core.Replica));

    /// <summary>A correct replica is back: what it had said it holds, it holds.</summary>
    public void Restarted(CoreProcess core)
    {
        var application = core.Host!.Application;
        foreach (var life in _lives)
        {
            var progress = ProgressOf(core, life);
            var applied = application.Applied(life);
            if (core.Wiped && applied == 0) progress.Durable = 0;
            Demand(
                applied >= progress.Durable,
                "HonestStatus",
                $"{core.Name} comes back with {applied} of {life}, {progress.Durable} were durable");
            progress.Applied = applied;
        }

        if (core.Wiped) return;
        foreach (var ((replica, instance, echo), digest) in _votes)
        {
            if (replica != core.Replica || !echo || instance.Seq <= application.Applied(instance.Life)) continue;
            var held = core.Host.Replica.TryRead(instance, digest, out var batch);
            Demand(
                held && Digest.Of(batch.Header.Span) == digest,
                "HoldsWhatItSays",
                $"{core.Name} sent ECHO for {instance} and does not have it after its restart");
        }
    }

    /// <summary>Looks at a correct replica after a turn.</summary>
    public void Observe(CoreProcess core)
    {
        _tips.Clear();
        var replica = core.Host!.Replica;
        replica.Core.CopyTips(_tips);
        foreach (var tip in _tips)
        {
            var progress = ProgressOf(core, tip.Life);
            progress.Durable = Math.Max(progress.Durable, tip.Durable);
            var applied = core.Host.Application.Applied(tip.Life);
            Demand(applied >= tip.Delivered, "Fifo", $"{core.Name} delivered {tip.Life}#{tip.Delivered} and applied {applied}");
            while (progress.Applied < applied)
                Delivered(core, new(world.Domain.Epoch, tip.Life.Stream, tip.Life.Incarnation, ++progress.Applied));
        }

        var written = core.Disk.AppendedBytes;
        Demand(written < DomainWorld.AppendedMax, "BoundedWriting", $"{core.Name} has written {written} bytes");
        var (held, bound) = (replica.Core.Footprint, replica.Core.Bound(DomainKit.Edges));
        Demand(
            held.Lives <= bound.Lives
                && held.Instances <= bound.Instances
                && held.Digests <= bound.Digests
                && held.NamedLives <= bound.NamedLives
                && held.Payloads <= bound.Payloads,
            "BoundedMemory",
            $"{core.Name} holds {held}");
    }

    /// <summary>Returns what is missing at the end; null when every correct replica has everything.</summary>
    public string? Missing()
    {
        foreach (var life in _lives)
        {
            var highest = HighestOf(life);
            foreach (var core in world.CorrectCores)
            {
                var applied = ProgressOf(core, life).Applied;
                if (applied < highest)
                {
                    var replica = core.Host?.Replica;
                    var holders = string.Join(", ", HoldersOf(life, applied + 1).Select(holder => holder.Name));
                    return $"{core.Name} has {applied} of {highest} of {life}, settled {replica?.IsSettled}, " +
                        $"start {replica?.StartCounter}; the next is held by {holders}";
                }
            }
        }

        return null;
    }

    /// <summary>Everything has arrived: what must be equal at the end, and what may not be missing.</summary>
    public void CheckEnd()
    {
        foreach (var line in _lines)
        {
            Demand(
                !line.Promised || line.Delivered,
                "NoLoss",
                $"line {line.Serial} of listener {line.Listener} of edge {line.Edge} was synced and never delivered");
        }

        var oracle = new CoreApplication(world.Domain, DomainKit.Rules, new Counters());
        foreach (var life in _lives)
        {
            var highest = HighestOf(life); // Beyond it is what only a replica had whose disk is lost.
            for (ulong seq = 1; seq <= highest; seq++)
            {
                var instance = new InstanceId(world.Domain.Epoch, life.Stream, life.Incarnation, seq);
                if (!_agreed.TryGetValue(instance, out var batch)) break;
                BatchHeader.TryRead(batch.Header, out var header);
                oracle.Apply(header, Digest.Of(batch.Header), batch.Payload);
            }
        }

        var expected = AlarmsOf(oracle);
        world.Trace.Add(0x601, 0, (ulong)expected.Count, 0);
        foreach (var core in world.CorrectCores)
        {
            if (_lives.Any(life => IsBehind(core, life))) continue;
            Demand(
                AlarmsOf(core.Host!.Application).SequenceEqual(expected),
                "EqualAlarms",
                $"{core.Name} has other alarms than its batches make");
        }
    }

    private IEnumerable<CoreProcess> HoldersOf(StreamLife life, ulong seq) =>
        world.CorrectCores.Where(core => core.Host is { } host && host.Replica.TryRead(life, seq, out _));

    private ulong HighestOf(StreamLife life) => world.CorrectCores.Max(core => ProgressOf(core, life).Applied);

    private bool IsBehind(CoreProcess core, StreamLife life) => ProgressOf(core, life).Applied < HighestOf(life);

    private static List<string> AlarmsOf(CoreApplication application)
    {
        var alarms = new List<string>();
        for (var after = 0L; ;)
        {
            var page = application.Store.After(after, 1_000);
            if (page.Alarms.IsEmpty) break;
            foreach (var stored in page.Alarms) alarms.Add(Convert.ToHexString(stored.Alarm.ToBytes()));
            after = page.Next;
        }

        alarms.Sort(StringComparer.Ordinal);
        return alarms;
    }

    private void Delivered(CoreProcess core, in InstanceId instance)
    {
        Deliveries++;
        world.Trace.Add(0x602, core.Index, instance.Seq, instance.Incarnation + instance.Stream.Source);
        if (world.Trace.IsRead) world.Trace.Say($"{core.Name} delivers {instance}");
        if (!core.Host!.Replica.TryRead(instance.Life, instance.Seq, out var batch))
        {
            Demand(world.Shape.Has(DomainFaults.Retention), "HoldsWhatItSays", $"{core.Name} delivered {instance} and cannot read it");
            if (_published.TryGetValue(instance, out var lost)) Agreed(instance, lost);
            return;
        }

        if (_agreed.TryGetValue(instance, out var agreed))
        {
            var same = batch.Header.Span.SequenceEqual(agreed.Header) && batch.Payload.Span.SequenceEqual(agreed.Payload);
            Demand(same, "Agreement", $"{core.Name} delivered other bytes as {instance}");
            return;
        }

        if (world.IsCorrectEdge(instance.Stream.Source))
        {
            Demand(
                _published.TryGetValue(instance, out var published)
                    && batch.Header.Span.SequenceEqual(published.Header) && batch.Payload.Span.SequenceEqual(published.Payload),
                "Integrity",
                $"{core.Name} delivered {instance}, which its edge did not publish like this");
        }

        Agreed(instance, new(batch.Header.ToArray(), batch.Payload.ToArray()));
    }

    private void Agreed(in InstanceId instance, Batch batch)
    {
        if (_agreed.TryAdd(instance, batch) && world.IsCorrectEdge(instance.Stream.Source)) CheckLines(instance, batch.Payload);
    }

    private void CheckLines(in InstanceId instance, ReadOnlySpan<byte> payload)
    {
        Demand(BatchReader.TryOpen(payload, out var reader, out var reason), "Integrity", $"{instance}: {reason}");
        foreach (var happening in reader)
        {
            if (happening.SourceType == EventSourceType.Massif) continue;
            var known = _byText.TryGetValue(KeyOf(instance.Stream.Source, Encoding.Latin1.GetString(happening.Raw)), out var number);
            Demand(known, "Integrity", $"{instance} holds a line that nobody sent: {Encoding.Latin1.GetString(happening.Raw)}");
            var line = _lines[number];
            Demand(!line.Delivered, "NoDuplicate", $"line {line.Serial} of listener {line.Listener} comes again with {instance}");
            line.Delivered = true;
            var sender = (line.Edge, line.Listener);
            var last = _lastSerial.GetValueOrDefault(sender);
            Demand(line.Serial > last, "Fifo", $"line {line.Serial} comes after line {last} in {instance}");
            _lastSerial[sender] = line.Serial;
            Demand(
                (happening.Flags & EventFlags.Replayed) != 0 == (line.Listener == 1),
                "Integrity",
                $"line {line.Serial} has the wrong flags");
        }
    }

    private Progress ProgressOf(CoreProcess core, StreamLife life)
    {
        if (_progress.TryGetValue((core.Replica, life), out var progress)) return progress;
        if (!_lives.Contains(life)) _lives.Add(life);
        _progress.Add((core.Replica, life), progress = new());
        return progress;
    }

    private static string KeyOf(int edge, string text) => string.Create(CultureInfo.InvariantCulture, $"{edge} {text}");

    private static void Demand(
        bool holds,
        string property,
        [System.Runtime.CompilerServices.InterpolatedStringHandlerArgument(nameof(holds))] ref WhenBroken seen)
    {
        if (!holds) throw new PropertyViolationException(property, seen.Text());
    }

    private sealed record Batch(byte[] Header, byte[] Payload);

    private sealed record Line(int Edge, int Listener, int Serial)
    {
        public bool Promised { get; set; }

        public bool Delivered { get; set; }
    }

    private sealed class Progress
    {
        /// <summary>Gets or sets the highest seq seen applied in this life of the replica.</summary>
        public ulong Applied { get; set; }

        /// <summary>Gets or sets the highest seq that the replica called durable.</summary>
        public ulong Durable { get; set; }
    }

    /// <summary>Makes a text only when the property is broken.</summary>
    [System.Runtime.CompilerServices.InterpolatedStringHandler]
    private ref struct WhenBroken(int literalLength, int formattedCount, bool holds, out bool isNeeded)
    {
        private readonly StringBuilder? _text = (isNeeded = !holds) ? new(literalLength + (16 * formattedCount)) : null;

        public readonly void AppendLiteral(string text) => _text!.Append(text);

        public readonly void AppendFormatted<T>(T value) => _text!.Append(CultureInfo.InvariantCulture, $"{value}");

        public readonly void AppendFormatted<T>(T value, string format) where T : IFormattable =>
            _text!.Append(value.ToString(format, CultureInfo.InvariantCulture));

        public readonly string Text() => _text!.ToString();
    }
}
