using System.Globalization;
using System.Text;

namespace Massif.Reb.Protocol.Tests;

/// <summary>Replica r0 of a group with a journal; everybody else is the transcript. Each command is a turn; EndTurn is a command.</summary>
internal sealed class ReplicaRig : IRig, IStateSink
{
    private readonly StringBuilder _output;
    private readonly Quorums _quorums;
    private readonly BroadcastOptions _options;
    private readonly List<Action<ReliableBroadcast>> _journal = [];
    private Effects _effects = new();
    private ReliableBroadcast _core;
    private readonly VirtualTime _time = new();
    private int _durable;
    private ulong _starts;

    public ReplicaRig(Words words, StringBuilder output)
    {
        _output = output;
        _quorums = Quorums.ForGroupOf(int.Parse(words[1], CultureInfo.InvariantCulture));
        _options = new()
        {
            Window = (int)words.Get("window", 16),
            LivesPerStream = (int)words.Get("lives", 64),
            HoldingLivesPerStream = (int)words.Get("holding", 4),
            CheckpointInterval = (int)words.Get("interval", 4_096),
            DigestMemory = (int)words.Get("digests", 1_024),
            FetchesInFlight = (int)words.Get("fetches", 64),
            FetchBytesPerSecond = (int)words.Get("rate", 64 * 1024 * 1024),
            DigestsPerSecond = (int)words.Get("announced", 65_536),
            StatusPeriodMs = (int)words.Get("period", 1_000),
            PayloadBytesMax = 1_000,
            Nodes = 10,
        };
        if (!words.Has("new-life")) _journal.Add(core => core.RestoreLife(new(Names.Life, 0, default, ByInitial: true)));
        _durable = _journal.Count;
        _core = Started(echoForbidden: false);
        _effects.Clear();
    }

    public void Run(Words words)
    {
        switch (words.Name)
        {
            case "durable": Durable(); break;
            case "connect": _core.OnPeerConnected(Names.Replica(words[1]), _time.Now, _effects); break;
            case "disconnect": _core.OnPeerDisconnected(Names.Replica(words[1])); break;
            case "source-connects": _core.OnSourceConnected(Names.Life.Stream.Source, _time.Now, _effects); break;
            case "endturn": _core.EndTurn(_time.Now, _effects); break;
            case "wait": _time.Pass(words.Get("wait", 0), () => _core.NextDeadline, now => _core.OnDeadline(now, _effects)); break;
            case "crash": Crash(words); break;
            case "snapshot": _core.Snapshot(this); break;
            case "retention": _core.OnRetention(Names.Life, Names.Instance(words[1]).Seq); break;
            case "footprint": _output.Append(CultureInfo.InvariantCulture, $"{_core.Footprint}\n"); break;
            case "fill": Fill(words.Get("fill", 0)); break;
            default: _output.Append(Input(words)).Append('\n'); break;
        }

        Print();
    }

    void IStateSink.Life(in LifeRecord life) =>
        _output.Append(CultureInfo.InvariantCulture, $"  life durable {life.Durable} chain {Names.Of(life.Chain)}\n");

    void IStateSink.Payload(in InstanceId instance, in Digest digest, int length) =>
        _output.Append(CultureInfo.InvariantCulture, $"  payload {Names.Of(instance)} {Names.Of(digest)}\n");

    void IStateSink.Vote(in Vote vote) =>
        _output.Append(CultureInfo.InvariantCulture, $"  vote {vote.Kind} {Names.Of(vote.Instance)} {Names.Of(vote.Digest)}\n");

    private Verdict Input(Words words)
    {
        switch (words.Name)
        {
            case "initial":
                return _core.OnInitial(
                    Names.Instance(words[1]), Names.Digest(words[2]), (int)words.Get("length", 100), !words.Has("bad-mac"),
                    _time.Now, _effects);
            case "status": return _core.OnStatus(Names.Replica(words[1]), Names.Status(words), _time.Now, _effects);
            case "gone": return _core.OnGone(Names.Replica(words[1]), Names.Life, Names.Instance(words[3]).Seq, _time.Now, _effects);
            case "fetch":
                return _core.OnFetch(Names.Replica(words[1]), Names.Instance(words[2]), Names.Digest(words[3]), _time.Now, _effects);
            case "query": return _core.OnCheckpointQuery(Names.Replica(words[1]), Names.Instance(words[2]), _time.Now, _effects);
            case "offer":
                var offer = new CheckpointOffer(
                    Names.Instance(words[2]).Seq, default, Names.Digest(words[3]), (int)words.Get("length", 100));
                return _core.OnCheckpointOffer(Names.Replica(words[1]), Names.Life, offer, _time.Now, _effects);
            case "fetch-state":
                return _core.OnCheckpointFetch(
                    Names.Replica(words[1]), Names.Instance(words[2]), Names.Digest(words[3]), (int)words.Get("from", 0),
                    _time.Now, _effects);
            case "part": return Part(words);
            case "payload":
                return _core.OnPayload(
                    Names.Replica(words[1]), Names.Instance(words[2]), Names.Digest(words[3]), 100, _time.Now, _effects);
            default:
                var kind = Enum.Parse<VoteKind>(words.Name, ignoreCase: true);
                return _core.OnVote(
                    Names.Replica(words[1]), new(kind, Names.Instance(words[2]), Names.Digest(words[3])), _time.Now, _effects);
        }
    }

    /// <summary>A part of a state; when it is the last one, the host takes the whole, or finds it "forged" or "not-understood".</summary>
    private Verdict Part(Words words)
    {
        var verdict = _core.OnCheckpointPart(
            Names.Replica(words[1]), Names.Instance(words[2]), (int)words.Get("from", 0), (int)words.Get("bytes", 100),
            _time.Now, _effects, out var isLast);
        var state = words.Has("forged") ? ReceivedState.Forged
            : words.Has("not-understood") ? ReceivedState.NotUnderstood
            : ReceivedState.Taken;
        if (isLast) _core.OnCheckpointComplete(Names.Life, state, _time.Now, _effects);
        return verdict;
    }

    /// <summary>Delivers #1 to #n from DONEs and INITIALs, durably and unprinted.</summary>
    private void Fill(ulong count)
    {
        for (ulong seq = 1; seq <= count; seq++)
        {
            var id = Names.Instance($"#{seq}");
            _core.OnInitial(id, Names.Digest("a"), 100, true, _time.Now, _effects);
            _core.OnVote(new(1), new(VoteKind.Done, id, Names.Digest("a")), _time.Now, _effects);
            _core.OnVote(new(2), new(VoteKind.Done, id, Names.Digest("a")), _time.Now, _effects);
            Durable();
            Append();
        }

        _core.EndTurn(_time.Now.PlusMilliseconds(-1), _effects);
        _effects.Clear();
    }

    private void Durable()
    {
        _durable = _journal.Count;
        _core.OnDurable(_effects.LastRecord, _time.Now, _effects);
    }

    /// <summary>
    /// Starts again from what is durable; "keep n" tears the rest after n records, "empty" has lost it all,
    /// "echo-forbidden" knows that it was lost (R13).
    /// </summary>
    private void Crash(Words words)
    {
        _durable += (int)words.Get("keep", 0); // So many records more had reached the disk.
        _journal.RemoveRange(_durable, _journal.Count - _durable);
        if (words.Has("empty")) _journal.Clear();
        _effects = new();
        _core = Started(words.Has("echo-forbidden"));
    }

    private ReliableBroadcast Started(bool echoForbidden)
    {
        var core = new ReliableBroadcast(new(0), _quorums, _options);
        foreach (var record in _journal) record(core);
        core.Start(++_starts, echoForbidden, _time.Now, _effects);
        return core;
    }

    private void Print()
    {
        Append();
        foreach (ref readonly var effect in _effects.Items)
        {
            _output.Append("  ").Append(Names.Of(effect, _effects)).Append('\n');
            if (effect is not { Kind: EffectKind.SendPayload, Number: 0 }) continue;
            foreach (var peer in effect.To) _core.OnServed(peer, 100);
        }

        _effects.Clear();
    }

    private void Append()
    {
        foreach (var effect in _effects.Items)
        {
            if (!effect.IsRecord) continue;
            _journal.Add(effect.Kind switch
            {
                EffectKind.StorePayload => core => core.RestorePayload(effect.Instance, effect.Digest, effect.Number),
                EffectKind.LogJump => core => core.RestoreJump(effect.Instance.Life, effect.Instance.Seq, effect.Digest),
                EffectKind.LogVote => core => core.RestoreVote(effect.Vote),
                _ => core => core.RestoreDelivered(effect.Instance, effect.Digest, effect.Number, effect.Other),
            });
        }
    }
}
