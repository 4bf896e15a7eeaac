using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What a message of the protocol world says.</summary>
internal enum MessageKind : byte
{
    Initial,
    Echo,
    Ready,
    Done,
    Status,
    Gone,
    Fetch,
    Payload,
    Start,
    StartAnswer,
}

/// <summary>One message. Who sent it is known from the link; everything in it is a claim.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Instance">The instance it is about; of GONE the life and, as seq, the low.</param>
/// <param name="Digest">The digest of header and payload as the receiver computes it; of a start its mark and the earlier one.</param>
/// <param name="Entries">For whom the MAC entries of an INITIAL are valid, or whether a start's signature is (any bit).</param>
/// <param name="Status">The status, when this is one.</param>
internal readonly record struct Message(
    MessageKind Kind, InstanceId Instance, Digest Digest, ReplicaSet Entries = default, StatusBox? Status = null)
{
    public bool IsVote => Kind is MessageKind.Echo or MessageKind.Ready or MessageKind.Done;

    public StartMark Mark => new(Digest.A, Digest.B);

    public StartMark Earlier => new(Digest.C, Digest.D);

    public Vote Vote => new((VoteKind)(Kind - MessageKind.Echo), Instance, Digest);

    public static Message Of(in Vote vote) => new(MessageKind.Echo + (byte)vote.Kind, vote.Instance, vote.Digest);

    public static Message Of(in StreamStatus status) =>
        new(MessageKind.Status, new(1, status.Life.Stream, status.Life.Incarnation, status.Low), default, default, new(status));

    public static Message OfStart(MessageKind kind, StartMark mark, StartMark earlier, bool signed) =>
        new(kind, default, new(mark.Counter, mark.Nonce, earlier.Counter, earlier.Nonce), signed ? new(1) : default);

    public override string ToString() => Kind switch
    {
        MessageKind.Status =>
            $"Status {Status!.Value.Life} {Status.Value.Low}..{Status.Value.High} " +
            $"durable {Status.Value.Durable} start {Status.Value.StartCounter}",
        MessageKind.Start => $"Start {Mark.Counter}",
        MessageKind.StartAnswer => $"StartAnswer {Mark.Counter} earlier {Earlier.Counter}",
        _ => $"{Kind} {Instance} {Digest.A & 0xFFFF:x4}",
    };
}

/// <summary>A status is large and rare; messages are small and many.</summary>
internal sealed record StatusBox(StreamStatus Value);

/// <summary>What a node sends to one neighbour in one turn.</summary>
internal sealed class Frame(Message[] messages)
{
    public Message[] Messages { get; } = messages;
}
