namespace Massif.Reb.Protocol;

/// <summary>One start of a replica (R13): the durable counter, and a nonce that tells two starts with one counter apart.</summary>
/// <param name="Counter">Incremented durably at every start; 0 stands for "no start is known".</param>
/// <param name="Nonce">Random, from the host; durable with the counter.</param>
public readonly record struct StartMark(ulong Counter, ulong Nonce)
{
    /// <summary>Gets whether there is no such start.</summary>
    public bool IsNone => Counter == 0;
}

/// <summary>"I am starting." Signed by the replica itself, so that nobody else can invent a start of it.</summary>
/// <param name="Replica">Who starts.</param>
/// <param name="Mark">Which start this is.</param>
public readonly record struct StartAnnouncement(ReplicaId Replica, StartMark Mark);

/// <summary>"I have stored your start durably; this is the highest start of yours that I knew before."</summary>
/// <param name="Announced">The announcement that is answered.</param>
/// <param name="Earlier">The earlier start, sent with that start's own signature; none when nothing was known.</param>
public readonly record struct StartAnswer(StartAnnouncement Announced, StartMark Earlier);
