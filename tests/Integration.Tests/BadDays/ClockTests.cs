using Massif.Events;
using Massif.Mis.Edge;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Tests.Storage;

namespace Massif.Integration.Tests.BadDays;

/// <summary>Somebody sets the clock of an edge: its trusted time never goes back, and everybody is told.</summary>
public sealed class ClockTests : IDisposable
{
    private const long Second = 1_000_000_000;
    private const long Hour = 3600 * Second;
    private const long Start = 1_800_000_000 * Second;

    private readonly TemporaryDirectory _directory = new();
    private readonly MemoryDisk _disk = new();
    private readonly NodeConfig _config;
    private readonly PairwiseKeys _keys;
    private long _monotonic;

    public ClockTests()
    {
        Assert.Empty(DomainMaker.Create(_directory["domain"], new() { RulesText = "rules: []\n" }));
        _config = NodeConfig.Load(_directory["domain/nodes/edge1/node.yaml"]).Config!;
        using var agreement = _config.Identity.AgreementKey();
        _keys = new(_config.Domain, _config.Index, agreement);
    }

    public void Dispose()
    {
        _keys.Dispose();
        _config.Dispose();
        _directory.Dispose();
    }

    [Fact]
    public void An_hour_back_holds_trusted_time_flags_the_events_and_is_an_event_itself()
    {
        var host = Open(Start);
        Send(host, "before", Start + Second);
        Send(host, "during-1", Start + 2 * Second - Hour);
        Send(host, "during-2", Start + 3 * Second - Hour);
        host.Flush(At(Start + 4 * Second - Hour));

        var events = Read();
        var before = events.Single(one => one.Line.EndsWith("before", StringComparison.Ordinal));
        Assert.False(before.Flagged);
        foreach (var during in events.Where(one => one.Line.Contains("during", StringComparison.Ordinal)))
        {
            Assert.True(during.Flagged);
            Assert.Equal(before.Time, during.Time);
        }

        Assert.Single(events, one => one.Action == EventAction.ClockStepped && one.Flagged);
        Assert.Equal(events.Select(one => one.Time).Order(), events.Select(one => one.Time));
    }

    [Fact]
    public void A_clock_that_was_set_back_while_the_edge_was_down_does_not_take_its_time_back()
    {
        var first = Open(Start);
        Send(first, "before", Start + Second);
        first.Flush(At(Start + Second));

        var second = Open(Start - Hour);
        Send(second, "after", Start - Hour + Second);
        second.Flush(At(Start - Hour + 2 * Second));
        var events = Read();
        var after = events.Single(one => one.Line.EndsWith("after", StringComparison.Ordinal));
        Assert.True(after.Flagged);
        Assert.True(after.Time >= Start + Second);
        Assert.Single(events, one => one.Action == EventAction.ClockStepped);
        Assert.Equal(events.Select(one => one.Time).Order(), events.Select(one => one.Time));
    }

    private EdgeHost Open(long wall) => new(
        _config.Options.Edge!,
        new(_config.Domain, _config.Index, 0, _keys, new NoLinks(), _disk, long.MaxValue, 0, Guid.Empty, () => 1, new()),
        At(wall));

    private void Send(EdgeHost host, string text, long wall)
    {
        _monotonic += Second;
        host.Step(new(EdgeInputKind.Datagram, Listener: 0, Bytes: System.Text.Encoding.UTF8.GetBytes($"<13>{text}")), At(wall));
        host.EndTurn(At(wall));
    }

    private Moment At(long wall) => new(new Instant(_monotonic), wall, ClockQuality.Sync, 100);

    private List<(string Line, long Time, bool Flagged, EventAction Action)> Read()
    {
        var events = new List<(string, long, bool, EventAction)>();
        EventLines.ReadSpool(_disk, payload =>
        {
            Assert.True(BatchReader.TryOpen(payload.Span, out var reader, out _));
            foreach (var view in reader)
            {
                var text = System.Text.Encoding.UTF8.GetString(view.Raw);
                events.Add((text, view.TimeObserved, (view.Flags & EventFlags.ClockStep) != 0, view.Action));
            }
        });
        return events;
    }

    private sealed class NoLinks : ILinks
    {
        public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame) => false;

        public bool IsUp(NodeIndex to) => false;

        public void Close(NodeIndex to, string reason)
        {
            // There is none.
        }
    }
}
