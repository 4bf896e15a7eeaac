using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>An INITIAL whose payload is what its header says.</summary>
/// <param name="Header">The header.</param>
/// <param name="Digest">d = H(header).</param>
/// <param name="Authentic">Whether the MAC entry for this replica is the source's (R12).</param>
internal readonly record struct AcceptedInitial(BatchHeader Header, Digest Digest, bool Authentic);

/// <summary>Checks an INITIAL from the envelope inwards (R1, R2): every check that the core must not do, before it sees anything.</summary>
internal sealed class InitialIntake(
    Domain domain,
    NodeIndex selfNode,
    ReplicaId self,
    PairwiseKeys keys,
    EnvelopeReceiver receiver,
    ReplicaJournal journal,
    Counters counters)
{
    private readonly Counters.Counter _copies = counters.Of("massif_initial_copies_total");
    private readonly Counters.Counter _notEntitled = counters.Of("massif_initial_refused_total{reason=\"not_entitled\"}");
    private readonly Counters.Counter _busy = counters.Of("massif_initial_refused_total{reason=\"journal_behind\"}");

    /// <summary>Returns whether the frame holds an INITIAL that the core should see; its bytes are then the journal's input.</summary>
    public bool TryTake(NodeIndex from, ReadOnlyMemory<byte> frame, out AcceptedInitial accepted)
    {
        accepted = default;
        if (!receiver.TryOpen(from, frame.Span, out var envelope)) return false;
        if (envelope.Content != EnvelopeContent.Initial || !InitialMessage.TryRead(envelope.Body, out var message))
            return receiver.Blame(from, PathFault.BadBody);
        if (Digest.Of(message.Prefix) != envelope.BodyHash) return receiver.Blame(from, PathFault.BadBody);
        if (!IsEntitled(envelope.Source, message.Header))
        {
            _notEntitled.Add();
            return false;
        }

        if (journal.IsBehind)
        {
            _busy.Add();
            return false;
        }

        var digest = Digest.Of(message.HeaderBytes);
        if (journal.TryGetHeld(message.Header.Instance, digest, out var held))
        {
            // Copies of other paths: comparing with the first is cheaper than hashing again, and finds a lie as surely.
            if (!held.Span.SequenceEqual(message.Payload)) return receiver.Blame(from, PathFault.BadBody);
            _copies.Add();
            return false;
        }

        if (Digest.Of(message.Payload) != message.Header.PayloadHash) return receiver.Blame(from, PathFault.BadBody);
        accepted = new(message.Header, digest, HasMyMac(envelope.Source, message, digest));
        var body = frame[envelope.BodyOffset..];
        journal.HoldInput(message.Header.Instance, digest, body[..BatchHeader.Length], body[message.PayloadOffset..]);
        return true;
    }

    private bool IsEntitled(NodeIndex source, in BatchHeader header) =>
        header.Instance.Stream.Source == source.Value
        && source != selfNode
        && domain[source].Role == NodeRole.Edge
        && header.Channel < domain.Channels.Count
        && domain.Channels[header.Channel].Class == header.Instance.Stream.Class;

    private bool HasMyMac(NodeIndex source, in InitialMessage message, in Digest digest)
    {
        var mac = message.MacFor(self);
        if (mac.IsEmpty) return false;
        Span<byte> bytes = stackalloc byte[Digest.Length];
        digest.Write(bytes);
        return keys.Verify(source, MacPurpose.Initial, bytes, mac);
    }
}
