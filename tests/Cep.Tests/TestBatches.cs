using System.Buffers;
using System.Text;
using Massif.Events;

namespace Massif.Cep.Tests;

/// <summary>An event as tests write it: a failed login unless something else is said.</summary>
internal sealed record TestEvent(long Seconds, string Address = "192.0.2.1", uint Count = 1)
{
    public long Nanoseconds => Seconds * 1_000_000_000;

    /// <summary>For a replay: the claimed time is <see cref="Seconds"/>, and the trusted one is this.</summary>
    public long? ReplayedAt { get; init; }

    public EventOutcome Outcome { get; init; } = EventOutcome.Failure;

    public EventFlags Flags { get; init; }

    public string User { get; init; } = "root";
}

internal static class TestBatches
{
    public static readonly SourceStream Edge = new("edge-1", 0, 7);

    public static byte[] Of(params TestEvent[] events)
    {
        var builder = new BatchBuilder();
        foreach (var one in events) Assert.True(builder.TryAdd(Draft(one)));
        return builder.Build();
    }

    public static EventDraft Draft(TestEvent one)
    {
        var draft = new EventDraft();
        draft.Reset("raw"u8);
        draft.Category = EventCategory.Authentication;
        draft.Action = EventAction.Login;
        draft.Outcome = one.Outcome;
        draft.Count = one.Count;
        draft.Severity = 5;
        draft.Facility = 10;
        draft.TimeObserved = (one.ReplayedAt * 1_000_000_000) ?? one.Nanoseconds;
        if (one.ReplayedAt is not null) draft.Time = one.Nanoseconds;
        draft.Flags = one.Flags | (one.ReplayedAt is null ? EventFlags.None : EventFlags.Replayed);
        if (one.Address.Length > 0)
        {
            Assert.True(IpAddress.TryParse(Encoding.UTF8.GetBytes(one.Address), out var address));
            draft.SetAddress(EventField.SourceAddress, address);
        }

        draft.SetText(EventField.UserName, Encoding.UTF8.GetBytes(one.User));
        return draft;
    }

    public static RuleDefinition Rule(int threshold = 5, int window = 60, int suppress = 60) => new()
    {
        Id = "ssh-bruteforce",
        Version = 1,
        Title = "Failed logins",
        Where = "event.action == login and event.outcome == failure and not tags has same_attempt",
        Key = ["source.ip"],
        Threshold = threshold,
        WindowSeconds = window,
        SuppressSeconds = suppress,
    };

    public static byte[] SnapshotOf(CorrelationEngine engine)
    {
        var bytes = new ArrayBufferWriter<byte>();
        engine.Snapshot(bytes);
        return bytes.WrittenSpan.ToArray();
    }
}

/// <summary>An engine with one stream, and the alarms it made.</summary>
internal sealed class TestEngine(RuleDefinition rule, CorrelationLimits? limits = null) : ICorrelationOutput
{
    private ulong _seq;

    public CorrelationEngine Engine { get; } = new(RuleSet.Of(rule), limits);

    public List<Alarm> Alarms { get; } = [];

    public void OnAlarm(Alarm alarm) => Alarms.Add(alarm);

    /// <summary>Takes each event in a batch of its own.</summary>
    public TestEngine Take(params TestEvent[] events)
    {
        foreach (var one in events) TakeBatch(one);
        return this;
    }

    public void TakeBatch(params TestEvent[] events) =>
        Assert.Equal(BatchOutcome.Correlated, Engine.OnBatch(TestBatches.Edge, ++_seq, TestBatches.Of(events), this));
}
