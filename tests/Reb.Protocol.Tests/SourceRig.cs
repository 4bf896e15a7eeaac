using System.Globalization;
using System.Text;

namespace Massif.Reb.Protocol.Tests;

/// <summary>The source of life s9b.1; the replicas are the transcript.</summary>
internal sealed class SourceRig : IRig
{
    private readonly StringBuilder _output;
    private readonly SourceEffects _effects = new();
    private readonly BroadcastSource _core;
    private readonly VirtualTime _time = new();

    public SourceRig(Words words, StringBuilder output)
    {
        _output = output;
        var oldest = words.Get("oldest", 1);
        var quorums = Quorums.ForGroupOf(int.Parse(words[1], CultureInfo.InvariantCulture));
        _core = new(Names.Life, quorums, new() { Window = 16 }, oldest, words.Get("newest", oldest - 1));
    }

    public void Run(Words words)
    {
        switch (words.Name)
        {
            case "spooled": _core.OnBatchDurable(Names.Instance(words[1]).Seq, _time.Now, _effects); break;
            case "up": _core.OnReplicaReachable(Names.Replica(words[1]), true, _time.Now, _effects); break;
            case "down": _core.OnReplicaReachable(Names.Replica(words[1]), false, _time.Now, _effects); break;
            case "status":
                var verdict = _core.OnStatus(Names.Replica(words[1]), Names.Status(words), _time.Now, _effects);
                _output.Append(CultureInfo.InvariantCulture, $"{verdict}\n");
                break;
            case "wait": _time.Pass(words.Get("wait", 0), () => _core.NextDeadline, now => _core.OnDeadline(now, _effects)); break;
            default: throw new InvalidOperationException(words.Name);
        }

        foreach (var effect in _effects.Items) _output.Append(CultureInfo.InvariantCulture, $"  {Of(effect)}\n");
        _effects.Clear();
    }

    private static string Of(in SourceEffect effect) => effect.Kind == SourceEffectKind.SendInitial
        ? $"send {effect.To} Initial #{effect.Seq} attempt {effect.Attempt}"
        : $"{effect.Kind} #{effect.Seq}";
}
