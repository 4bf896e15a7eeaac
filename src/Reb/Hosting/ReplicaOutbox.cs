using Massif.Reb.Configuration;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>What a replica's turns want to send: packed at the end of a turn, and let go when the journal is durable.</summary>
/// <remarks>
/// This is the rule that R3 and R13 rest on: nothing that a turn sends leaves before everything that the turn logged is durable.
/// Bounded: past <see cref="MaxBytes"/> the newest frames are dropped and counted; announcements (R9) bring the votes again.
/// </remarks>
internal sealed class ReplicaOutbox : IFrameOutput
{
    /// <summary>Most bytes that may wait for the disk: 64 MiB, as much as payloads may take.</summary>
    public const long MaxBytes = 64 * 1024 * 1024;

    private readonly Domain _domain;
    private readonly ILinks _links;
    private readonly EnvelopeSender _toSources;
    private readonly List<Vote>[] _votes;
    private readonly List<StreamStatus>[] _statuses;
    private readonly List<StreamStatus>[] _sourceStatuses;
    private readonly Queue<(long Gate, NodeIndex To, ReadOnlyMemory<byte> Frame)> _waiting = new();
    private readonly List<(NodeIndex To, ReadOnlyMemory<byte> Frame)> _turn = [];
    private readonly Counters.Counter _dropped;
    private readonly Counters.Counter _sent;
    private long _waitingBytes;
    private readonly uint[] _turnsOf; // Per source. Unsigned: they run over in a few months, and a negative path would end the replica.

    public ReplicaOutbox(Domain domain, ILinks links, EnvelopeSender toSources, Counters counters)
    {
        (_domain, _links, _toSources) = (domain, links, toSources);
        _votes = [.. domain.Replicas.Select(_ => new List<Vote>())];
        _statuses = [.. domain.Replicas.Select(_ => new List<StreamStatus>())];
        _sourceStatuses = [.. domain.Nodes.Select(_ => new List<StreamStatus>())];
        _turnsOf = new uint[domain.Nodes.Count];
        _dropped = counters.Of("massif_frames_dropped_total{reason=\"outbox_full\"}");
        _sent = counters.Of("massif_votes_sent_total");
    }

    public void AddVote(ReplicaSet to, in Vote vote)
    {
        foreach (var peer in to) _votes[peer.Index].Add(vote);
    }

    public void AddStatus(ReplicaSet to, bool toSource, in StreamStatus status)
    {
        foreach (var peer in to) _statuses[peer.Index].Add(status);
        if (toSource && status.Life.Stream.Source < _sourceStatuses.Length) _sourceStatuses[status.Life.Stream.Source].Add(status);
    }

    public void AddFrame(ReplicaId to, byte[] frame) => _turn.Add((_domain.NodeOf(to), frame));

    /// <inheritdoc />
    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (!_links.IsUp(to)) return false;
        _turn.Add((to, frame));
        return true;
    }

    /// <summary>Packs the turn. Its frames leave when <paramref name="gate"/> is durable; at once when it is 0.</summary>
    public void EndTurn(long gate)
    {
        for (var i = 0; i < _votes.Length; i++)
        {
            PackVotes(new((byte)i));
            PackStatuses(new((byte)i));
        }

        for (ushort source = 0; source < _sourceStatuses.Length; source++) PackForSource(new(source));
        foreach (var (to, frame) in _turn)
        {
            if (gate == 0) _links.TrySend(to, frame);
            else Wait(gate, to, frame);
        }

        _turn.Clear();
    }

    /// <summary>Lets go what waited for this ticket or an earlier one.</summary>
    public void OnSynced(long ticket)
    {
        while (_waiting.TryPeek(out var first) && first.Gate <= ticket)
        {
            _waiting.Dequeue();
            _waitingBytes -= first.Frame.Length;
            _links.TrySend(first.To, first.Frame);
        }
    }

    private void Wait(long gate, NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (_waitingBytes + frame.Length > MaxBytes)
        {
            _dropped.Add();
            return;
        }

        _waitingBytes += frame.Length;
        _waiting.Enqueue((gate, to, frame));
    }

    private void PackVotes(ReplicaId to)
    {
        var votes = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_votes[to.Index]);
        _sent.Add(votes.Length);
        var most = _domain.Protocol.VotesPerFrameMax;
        for (; !votes.IsEmpty; votes = votes[Math.Min(votes.Length, most)..])
            AddFrame(to, VotesFrame.Build(votes[..Math.Min(votes.Length, most)]));
        _votes[to.Index].Clear();
    }

    private void PackStatuses(ReplicaId to)
    {
        var statuses = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_statuses[to.Index]);
        for (; !statuses.IsEmpty; statuses = statuses[Math.Min(statuses.Length, StatusFrame.MaxStatuses)..])
            AddFrame(to, StatusFrame.Build(statuses[..Math.Min(statuses.Length, StatusFrame.MaxStatuses)]));
        _statuses[to.Index].Clear();
    }

    /// <summary>
    /// Every frame takes another path than in the turn before: a relay that swallows statuses delays them by one turn, and never
    /// hides them. One count for all sources would not do: as many of them as there are paths would each keep its own path.
    /// </summary>
    private void PackForSource(NodeIndex source)
    {
        var statuses = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_sourceStatuses[source.Value]);
        if (statuses.IsEmpty) return;
        var path = _turnsOf[source.Value]++;
        for (; !statuses.IsEmpty; statuses = statuses[Math.Min(statuses.Length, StatusFrame.MaxStatuses)..])
            SendToSource(source, StatusFrame.BuildBody(statuses[..Math.Min(statuses.Length, StatusFrame.MaxStatuses)]), path++);
        _sourceStatuses[source.Value].Clear();
    }

    private void SendToSource(NodeIndex source, byte[] body, uint firstPath)
    {
        var hash = Digest.Of(body);
        ReadOnlySpan<NodeIndex> destination = [source];
        for (uint tried = 0; tried < _toSources.Paths.Count; tried++)
        {
            var path = (int)((firstPath + tried) % (uint)_toSources.Paths.Count);
            if (_toSources.Send(EnvelopeContent.Status, hash, body, destination, path, this)) return;
        }
    }
}
