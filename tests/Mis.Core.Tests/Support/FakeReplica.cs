using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Massif.Cep;
using Massif.Events;
using Massif.Mis.Core.Alarms;
using Massif.Mis.Core.Api;
using Massif.Reb.Protocol;

namespace Massif.Tests.Support;

/// <summary>What a replica delivers and says, without the protocol below it: real batches, real rules, real alarms.</summary>
internal sealed class FakeReplica(string id) : ICoreReadModel, ICorrelationOutput
{
    public static readonly SourceStream Stream = new("edge1", 0, 7);

    private readonly CorrelationEngine _engine = new(RuleSet.Of(new RuleDefinition
    {
        Id = "logins",
        Version = 1,
        Title = "Failed logins",
        Where = "event.outcome == failure",
        Key = ["source.ip"],
        Threshold = 2,
        WindowSeconds = 60,
        SuppressSeconds = 0,
    }));

    private readonly AlarmStore _store = new();
    private readonly ConcurrentDictionary<ulong, DeliveredBatch> _batches = new();
    private readonly List<ChainPoint> _chain = [];
    private Digest _tip;

    public LiveFeed<DeliveredBatch> Batches { get; } = new();

    public LiveFeed<StoredAlarm> Alarms { get; } = new();

    /// <summary>Gets or sets what is changed in every status: how a liar lies.</summary>
    public Func<CoreStatus, CoreStatus> Lie { get; set; } = status => status;

    /// <summary>Gets or sets what every question waits for: how a replica is silent.</summary>
    public Task Silence { get; set; } = Task.CompletedTask;

    /// <summary>Makes a batch of failed logins, one a second from a time on.</summary>
    public static byte[] Logins(long second, int count, string address = "192.0.2.1", string message = "Failed password")
    {
        var builder = new BatchBuilder();
        var draft = new EventDraft();
        for (var i = 0; i < count; i++)
        {
            draft.Reset(Encoding.UTF8.GetBytes(message));
            draft.TimeObserved = (second + i) * 1_000_000_000;
            draft.Outcome = EventOutcome.Failure;
            draft.Count = 1;
            draft.SetText(EventField.Message, Encoding.UTF8.GetBytes(message));
            Assert.True(IpAddress.TryParse(Encoding.UTF8.GetBytes(address), out var ip));
            draft.SetAddress(EventField.SourceAddress, ip);
            Assert.True(builder.TryAdd(draft));
        }

        return builder.Build();
    }

    public FakeReplica Deliver(ulong seq, byte[] payload)
    {
        lock (_store)
        {
            var batch = new DeliveredBatch(Stream, seq, payload);
            _batches[seq] = batch;
            _tip = _tip.Chain(Digest.Of(payload));
            _chain.Add(new(seq, _tip.ToString()));
            Batches.Publish(batch);
            _engine.OnBatch(Stream, seq, payload, this);
        }

        return this;
    }

    /// <summary>Retention: the payload goes, what was concluded from it stays.</summary>
    public void Forget(ulong seq) => _batches.TryRemove(seq, out _);

    public void OnAlarm(Alarm alarm)
    {
        if (_store.Add(alarm)) Alarms.Publish(new(_store.Last, alarm));
    }

    public async Task<CoreStatus> GetStatusAsync(CancellationToken cancel)
    {
        await Silence.WaitAsync(cancel);
        lock (_store) return Lie(Status());
    }

    public async Task<AlarmPage> GetAlarmsAsync(long after, int limit, CancellationToken cancel)
    {
        await Silence.WaitAsync(cancel);
        lock (_store) return _store.After(after, limit);
    }

    public async Task<Alarm?> FindAlarmAsync(AlarmId id, CancellationToken cancel)
    {
        await Silence.WaitAsync(cancel);
        lock (_store) return _store.Find(id);
    }

    public async Task<DeliveredBatch?> FindBatchAsync(string edge, ulong incarnation, ulong seq, CancellationToken cancel)
    {
        await Silence.WaitAsync(cancel);
        return edge == Stream.Edge && incarnation == Stream.Incarnation ? _batches.GetValueOrDefault(seq) : null;
    }

    private CoreStatus Status() => new()
    {
        NodeId = id,
        Version = "0.1.0",
        ProcessId = 4711,
        StartCounter = 3,
        Epoch = 1,
        VoteLog = VoteLogState.Lost,
        RulesDigest = "d1",
        Alarms = _store.Last,
        EventsDelivered = _chain.Count,
        JournalBytes = 1_000,
        Streams =
        [
            new()
            {
                Edge = Stream.Edge,
                Class = Stream.Class,
                Incarnation = Stream.Incarnation,
                Delivered = (ulong)_chain.Count,
                Durable = (ulong)_chain.Count,
                Chain = [.. _chain.TakeLast(256)],
            },
        ],
        Peers = [new("edge1", "edge", true)],
        Reasons = [new("bad_mac", 2)],
    };

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{id} at {_chain.Count}");
}
