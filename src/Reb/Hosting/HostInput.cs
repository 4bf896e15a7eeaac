namespace Massif.Reb.Hosting;

/// <summary>What happened, from a host's point of view.</summary>
public enum HostInputKind : byte
{
    /// <summary>A neighbour sent a frame over its authenticated link.</summary>
    Frame,

    /// <summary>The link to a neighbour was established; what an earlier link had in flight may be lost.</summary>
    LinkUp,

    /// <summary>The link to a neighbour is gone.</summary>
    LinkDown,

    /// <summary>The disk made everything up to a ticket durable.</summary>
    DiskSynced,

    /// <summary>Somebody in this process asks the host something; the answer is given in the same turn.</summary>
    Request,
}

/// <summary>One input of a host; a value, so that queueing allocates nothing.</summary>
/// <param name="Kind">What happened.</param>
/// <param name="Node">The neighbour it is about.</param>
/// <param name="Frame">The whole frame; its bytes belong to the host from now on.</param>
/// <param name="Ticket">The ticket that became durable.</param>
/// <param name="Request">What to do with the host inside the turn.</param>
public readonly record struct HostInput(
    HostInputKind Kind,
    NodeIndex Node = default,
    ReadOnlyMemory<byte> Frame = default,
    long Ticket = 0,
    IHostRequest? Request = null)
{
    /// <summary>Returns the input for a frame of a neighbour.</summary>
    public static HostInput OfFrame(NodeIndex from, ReadOnlyMemory<byte> frame) => new(HostInputKind.Frame, from, frame);

    /// <summary>Returns the input for a link that was established.</summary>
    public static HostInput OfLinkUp(NodeIndex node) => new(HostInputKind.LinkUp, node);

    /// <summary>Returns the input for a link that is gone.</summary>
    public static HostInput OfLinkDown(NodeIndex node) => new(HostInputKind.LinkDown, node);

    /// <summary>Returns the input for a finished sync.</summary>
    public static HostInput OfSynced(long ticket) => new(HostInputKind.DiskSynced, Ticket: ticket);

    /// <summary>Returns the input for a question from inside the process.</summary>
    public static HostInput OfRequest(IHostRequest request) => new(HostInputKind.Request, Request: request);
}

/// <summary>A question to a host from another thread of its process, such as the API; runs inside a turn.</summary>
public interface IHostRequest
{
    /// <summary>Asks the host and completes whatever the asker waits for.</summary>
    void Answer(object host);
}
