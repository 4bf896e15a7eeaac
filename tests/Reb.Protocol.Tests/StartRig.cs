using System.Globalization;
using System.Text;

namespace Massif.Reb.Protocol.Tests;

/// <summary>The start of replica r0; its peers are the transcript. Everything it journals is durable.</summary>
internal sealed class StartRig : IRig
{
    private readonly StringBuilder _output;
    private readonly Effects _effects = new();
    private readonly Quorums _quorums;
    private readonly List<Action<ReplicaStart>> _journal = [];
    private ReplicaStart _core;
    private List<Action<ReplicaStart>> _backup = [];
    private readonly VirtualTime _time = new();

    public StartRig(Words words, StringBuilder output)
    {
        _output = output;
        _quorums = Quorums.ForGroupOf(int.Parse(words[1], CultureInfo.InvariantCulture));
        _core = new(new(0), _quorums);
    }

    public void Run(Words words)
    {
        switch (words.Name)
        {
            case "begin": _core.Begin(words.Get("nonce", 0), _time.Now, _effects); break;
            case "announces":
                var announcement = new StartAnnouncement(Names.Replica(words[1]), Names.Mark(words[2]));
                Print(_core.OnAnnouncement(announcement.Replica, announcement, !words.Has("bad-signature"), _effects));
                break;
            case "answer":
                var answer = new StartAnswer(new(new(0), Names.Mark(words.Text("to")!)), Names.Mark(words.Text("earlier")!));
                Print(_core.OnAnswer(
                    Names.Replica(words[1]), answer, !words.Has("bad-signature"), words.Get("nonce", 99), _time.Now, _effects));
                break;
            case "connect": _core.OnPeerConnected(Names.Replica(words[1]), _effects); break;
            case "wait": _time.Pass(words.Get("wait", 0), () => _core.NextDeadline, now => _core.OnDeadline(now, _effects)); break;
            case "backup": _backup = [.. _journal]; break;
            case "crash": Crash(words); break;
            default: throw new InvalidOperationException(words.Name);
        }

        foreach (ref readonly var effect in _effects.Items) Carry(effect);
        _effects.Clear();
        _output.Append(
            CultureInfo.InvariantCulture, $"  ({(_core.IsSettled ? "settled" : "open")}{(_core.EchoForbidden ? ", no echo" : "")})\n");
    }

    private void Print(Verdict verdict) => _output.Append(verdict).Append('\n');

    private void Crash(Words words)
    {
        if (words.Has("lost-log") || words.Has("old-log")) _journal.Clear();
        if (words.Has("old-log")) _journal.AddRange(_backup);
        _core = new(new(0), _quorums);
        foreach (var record in _journal) record(_core);
    }

    private void Carry(in Effect effect)
    {
        var (start, earlier, to) = (effect.Start, effect.Earlier, effect.To);
        _output.Append("  ").Append(Names.Of(effect, _effects)).Append('\n');
        if (!effect.IsRecord) return;
        _journal.Add(effect.Kind switch
        {
            EffectKind.LogStart => core => core.RestoreStart(start, settled: false),
            EffectKind.LogStartSettled => core => core.RestoreStart(start, settled: true),
            EffectKind.LogEchoForbidden => core => core.RestoreEchoForbidden(),
            _ => core => core.RestorePeerStart(Only(to), start, earlier),
        });
    }

    private static ReplicaId Only(ReplicaSet set)
    {
        foreach (var member in set) return member;
        throw new InvalidOperationException("empty");
    }
}
