using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>The host's side of a replica's start (R13): signatures around <see cref="ReplicaStart"/>.</summary>
internal sealed class StartDesk(ReplicaParts parts, ReplicaId self, ReplicaStart core)
{
    // Per peer the last two starts with their signatures: the current one, and the earlier one that an answer shows.
    private readonly (StartMark Mark, byte[] Signature)[][] _proofs =
        [.. parts.Domain.Replicas.Select(_ => new (StartMark, byte[])[2])];

    private bool _settled;

    public bool IsSettled => core.IsSettled;

    public bool EchoForbidden => core.EchoForbidden;

    public ulong Counter => core.Mark.Counter;

    public Instant? NextDeadline => core.NextDeadline;

    public void Begin(Instant now, Effects effects) => core.Begin(parts.NextNonce(), now, effects);

    public void OnDeadline(Instant now, Effects effects) => core.OnDeadline(now, effects);

    public void OnPeerConnected(ReplicaId peer, Effects effects) => core.OnPeerConnected(peer, effects);

    /// <summary>Returns true once when the start has become settled.</summary>
    public bool JustSettled()
    {
        if (!core.IsSettled || _settled) return false;
        return _settled = true;
    }

    /// <summary>Returns true once when a settled start has become open again.</summary>
    public bool JustReopened()
    {
        if (core.IsSettled || !_settled) return false;
        _settled = false;
        return true;
    }

    public Verdict OnAnnouncement(ReplicaId peer, StartMark mark, ReadOnlySpan<byte> signature, Effects effects)
    {
        var valid = IsSignedBy(peer, mark, signature);
        if (valid) Remember(peer, mark, signature);
        return core.OnAnnouncement(peer, new(peer, mark), valid, effects);
    }

    public Verdict OnAnswer(
        ReplicaId peer, StartMark answered, StartMark earlier, ReadOnlySpan<byte> proof, Instant now, Effects effects)
    {
        var valid = earlier.IsNone || IsSignedBy(self, earlier, proof);
        return core.OnAnswer(peer, new(new(self, answered), earlier), valid, parts.NextNonce(), now, effects);
    }

    public void CarryOut(in Effect effect, ReplicaOutbox outbox, ReplicaJournal journal)
    {
        switch (effect.Kind)
        {
            case EffectKind.SendStart: Announce(effect, outbox); break;
            case EffectKind.SendStartAnswer: Answer(effect, outbox); break;
            case EffectKind.LogStart: journal.LogStart(effect, settled: false); break;
            case EffectKind.LogStartSettled: journal.LogStart(effect, settled: true); break;
            case EffectKind.LogPeerStart: LogPeerStart(effect, journal); break;
            case EffectKind.LogEchoForbidden: journal.LogEchoForbidden(); break;
            default: throw new InvariantViolationException($"No rule for effect {effect.Kind}.");
        }
    }

    public void Restore(in StartRecord record)
    {
        switch (record.Kind)
        {
            case JournalKind.Start: core.RestoreStart(record.Mark, settled: false); break;
            case JournalKind.StartSettled: core.RestoreStart(record.Mark, settled: true); break;
            case JournalKind.EchoForbidden: core.RestoreEchoForbidden(); break;
            case JournalKind.PeerStart:
                Remember(record.Peer, record.Earlier, record.EarlierSignature.Span);
                Remember(record.Peer, record.Mark, record.Signature.Span);
                core.RestorePeerStart(record.Peer, record.Mark, record.Earlier);
                break;
            default: throw new InvariantViolationException($"No start record is of kind {record.Kind}.");
        }
    }

    public void Snapshot(IStartSink sink) => core.Snapshot(sink);

    /// <summary>Returns the signature that a start of a peer came with; empty for no start.</summary>
    public ReadOnlySpan<byte> ProofOf(ReplicaId peer, StartMark mark)
    {
        foreach (var (known, signature) in _proofs[peer.Index])
        {
            if (!mark.IsNone && known == mark) return signature;
        }

        return [];
    }

    private void Announce(in Effect effect, ReplicaOutbox outbox)
    {
        Span<byte> statement = stackalloc byte[ReplicaFrames.StartStatementLength];
        ReplicaFrames.WriteStartStatement(self, effect.Start, statement);
        var frame = ReplicaFrames.BuildStart(effect.Start, parts.Signer.Sign(statement));
        foreach (var peer in effect.To) outbox.AddFrame(peer, frame);
    }

    private void Answer(in Effect effect, ReplicaOutbox outbox)
    {
        foreach (var peer in effect.To)
            outbox.AddFrame(peer, ReplicaFrames.BuildStartAnswer(effect.Start, effect.Earlier, ProofOf(peer, effect.Earlier)));
    }

    private void LogPeerStart(in Effect effect, ReplicaJournal journal)
    {
        foreach (var peer in effect.To)
        {
            journal.LogPeerStart(
                peer, effect.Start, ProofOf(peer, effect.Start), effect.Earlier, ProofOf(peer, effect.Earlier));
        }
    }

    private bool IsSignedBy(ReplicaId replica, StartMark mark, ReadOnlySpan<byte> signature)
    {
        Span<byte> statement = stackalloc byte[ReplicaFrames.StartStatementLength];
        ReplicaFrames.WriteStartStatement(replica, mark, statement);
        return parts.Verifier.Verify(parts.Domain.NodeOf(replica), statement, signature);
    }

    private void Remember(ReplicaId peer, StartMark mark, ReadOnlySpan<byte> signature)
    {
        var proofs = _proofs[peer.Index];
        if (mark.IsNone || !ProofOf(peer, mark).IsEmpty) return;
        if (proofs[1].Signature is not null && mark.Counter <= proofs[1].Mark.Counter) return; // The core takes no such mark either.
        (proofs[0], proofs[1]) = (proofs[1], (mark, signature.ToArray()));
    }
}
