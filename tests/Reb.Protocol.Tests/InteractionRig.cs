using System.Globalization;
using System.Text;

namespace Massif.Reb.Protocol.Tests;

/// <summary>Runs the commands of a transcript: "replica", "source" or "start" chooses what the others speak to.</summary>
internal sealed class InteractionRig
{
    private readonly StringBuilder _output = new();
    private IRig? _rig;

    public void Run(string line)
    {
        var words = new Words(line);
        switch (words.Name)
        {
            case "replica": _rig = new ReplicaRig(words, _output); break;
            case "source": _rig = new SourceRig(words, _output); break;
            case "start": _rig = new StartRig(words, _output); break;
            default: _rig!.Run(words); break;
        }
    }

    public string TakeOutput()
    {
        var text = _output.Length == 0 ? "nothing\n" : _output.ToString();
        _output.Clear();
        return text;
    }
}

internal interface IRig
{
    void Run(Words words);
}

/// <summary>One command: a name, then arguments by position, then options as "name value" or a bare flag.</summary>
internal sealed class Words(string line)
{
    private readonly string[] _words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    public string Name => _words[0];

    public string this[int index] => _words[index];

    public bool Has(string flag) => _words.Contains(flag);

    public ulong Get(string option, ulong otherwise)
    {
        var at = Array.IndexOf(_words, option);
        return at < 0 ? otherwise : ulong.Parse(_words[at + 1], CultureInfo.InvariantCulture);
    }

    public string? Text(string option)
    {
        var at = Array.IndexOf(_words, option);
        return at < 0 ? null : _words[at + 1];
    }
}

/// <summary>Names in transcripts: r1 is a replica, #3 an instance of life s9b.1, s9b.2#3 one of its second life, a a digest.</summary>
internal static class Names
{
    public static readonly StreamLife Life = new(new(9, StreamClass.Bulk), 1);

    public static ReplicaId Replica(string text) => new(byte.Parse(text.AsSpan(1), CultureInfo.InvariantCulture));

    public static Digest Digest(string text) => new(text[0], 0, 0, 0);

    public static StreamLife LifeOf(string? text)
    {
        if (string.IsNullOrEmpty(text)) return Life;
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var source = ushort.Parse(text.AsSpan(1, dot - 2), CultureInfo.InvariantCulture);
        var kind = text[dot - 1] == 'u' ? StreamClass.Urgent : StreamClass.Bulk;
        return new(new(source, kind), ulong.Parse(text.AsSpan(dot + 1), CultureInfo.InvariantCulture));
    }

    public static InstanceId Instance(string text)
    {
        var hash = text.IndexOf('#', StringComparison.Ordinal);
        var life = LifeOf(text[..hash]);
        return new(1, life.Stream, life.Incarnation, ulong.Parse(text.AsSpan(hash + 1), CultureInfo.InvariantCulture));
    }

    public static string Of(InstanceId id) => id.Life == Life ? $"#{id.Seq}" : id.ToString();

    public static string Of(StreamLife life) => life == Life ? "" : $" {life}";

    public static string Of(Digest digest) =>
        digest == default ? "-" : digest is { A: < 128, B: 0 } ? $"{(char)digest.A}" : digest.ToString()[..8];

    public static string Of(StartMark mark) => mark.IsNone ? "none" : $"{mark.Counter}/{mark.Nonce}";

    public static StartMark Mark(string text)
    {
        if (text == "none") return default;
        var parts = text.Split('/');
        return new(ulong.Parse(parts[0], CultureInfo.InvariantCulture), ulong.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public static string Of(in HaveBits have, ulong low)
    {
        var seqs = new List<ulong>();
        for (var i = 0; i < HaveBits.Capacity; i++)
            if (have.Has(i)) seqs.Add(low + (ulong)i);
        return seqs.Count == 0 ? "nothing" : string.Join(',', seqs.Select(seq => $"#{seq}"));
    }

    public static HaveBits Have(string? text, ulong low)
    {
        var have = default(HaveBits);
        foreach (var seq in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
            have.Set((int)(ulong.Parse(seq.AsSpan(1), CultureInfo.InvariantCulture) - low));
        return have;
    }

    public static StreamStatus Status(Words words)
    {
        var low = words.Get("low", 1);
        return new(
            words.Get("counter", 1),
            LifeOf(words.Text("life")),
            low,
            words.Get("high", low + 16),
            words.Get("durable", low - 1),
            Have(words.Text("have"), low));
    }

    public static string Of(in Effect effect, Effects effects) => effect.Kind switch
    {
        EffectKind.SendVote => $"send {effect.To} {effect.VoteKind} {Of(effect.Instance)} {Of(effect.Digest)}",
        EffectKind.SendStatus => Of(effect, effects.StatusOf(effect)),
        EffectKind.SendGone => $"send {effect.To} Gone{Of(effect.Instance.Life)} below {Of(effect.Instance)}",
        EffectKind.SendFetch => $"send {effect.To} Fetch {Of(effect.Instance)} {Of(effect.Digest)}",
        EffectKind.SendPayload => $"send {effect.To} Payload {Of(effect.Instance)} {Of(effect.Digest)}",
        EffectKind.SendDones => $"send {effect.To} {effect.Number} Dones from {Of(effect.Instance)}",
        EffectKind.SendCheckpointQuery => $"send {effect.To} Query {Of(effect.Instance)}",
        EffectKind.SendCheckpointOffers => $"send {effect.To} Offers from {Of(effect.Instance)}",
        EffectKind.SendCheckpointFetch => $"send {effect.To} FetchState {Of(effect.Instance)} {Of(effect.Digest)} from {effect.Number}",
        EffectKind.SendCheckpointPart => $"send {effect.To} Part {Of(effect.Instance)} {Of(effect.Digest)} from {effect.Number}",
        EffectKind.MakeCheckpoint or EffectKind.LogJump => $"{effect.Kind} {Of(effect.Instance)}",
        EffectKind.LogVote => $"log {effect.VoteKind} {Of(effect.Instance)} {Of(effect.Digest)}",
        EffectKind.Evidence =>
            $"evidence {effect.Evidence} {(effect.To.IsEmpty ? "source" : effect.To)} "
                + $"{Of(effect.Instance)} {Of(effect.Digest)} {Of(effect.Other)}",
        EffectKind.SendStart => $"send {effect.To} Start {Of(effect.Start)}",
        EffectKind.SendStartAnswer => $"send {effect.To} StartAnswer to {Of(effect.Start)} earlier {Of(effect.Earlier)}",
        EffectKind.LogStart or EffectKind.LogStartSettled => $"{effect.Kind} {Of(effect.Start)}",
        EffectKind.LogPeerStart => $"{effect.Kind} {effect.To} {Of(effect.Start)}",
        EffectKind.LogEchoForbidden => $"{effect.Kind}",
        _ => $"{effect.Kind} {Of(effect.Instance)} {Of(effect.Digest)}",
    };

    private static string Of(in Effect effect, in StreamStatus status) =>
        $"status{Of(status.Life)} to {effect.To}{(effect.ToSource ? " and source" : "")} counter {status.StartCounter} " +
        $"low {status.Low} high {status.High} durable {status.Durable} have {Of(status.Have, status.Low)}";
}
