namespace Massif.Reb.Protocol;

/// <summary>What a replica says about an instance, in protocol order (Bracha 1987, fig. 1; DONE is ours).</summary>
public enum VoteKind : byte
{
    /// <summary>"The source showed me this under its MAC, and I hold the payload."</summary>
    Echo,

    /// <summary>"A quorum echoed this, or a correct replica says so."</summary>
    Ready,

    /// <summary>"I have delivered this, and I hold the payload." Counts as READY too.</summary>
    Done,
}

/// <summary>One vote. Whose it is comes from the link or MAC it arrived under, never from its bytes (R1).</summary>
/// <param name="Kind">ECHO, READY or DONE.</param>
/// <param name="Instance">The instance voted on.</param>
/// <param name="Digest">d, the digest of the header (R2).</param>
public readonly record struct Vote(VoteKind Kind, InstanceId Instance, Digest Digest);

/// <summary>What a step made of its input. All but <see cref="Accepted"/> leave the state of the instance unchanged.</summary>
public enum Verdict : byte
{
    /// <summary>The input was valid and new.</summary>
    Accepted,

    /// <summary>The same claim arrived before; normal with repeats and several paths.</summary>
    Duplicate,

    /// <summary>Below the window or from an earlier start of the sender: merely old, no suspicion.</summary>
    Old,

    /// <summary>Above the window, or before this replica's start is settled: merely early, no suspicion (R8).</summary>
    Early,

    /// <summary>The peer made two different claims: evidence that it is Byzantine (R4).</summary>
    Equivocation,

    /// <summary>Not this peer's to say, or not sayable: unknown source or replica, another epoch, seq 0, own identity.</summary>
    NotEntitled,

    /// <summary>The MAC entry for this replica is wrong: no ECHO from here, but the others may still deliver it (R12).</summary>
    Unauthentic,

    /// <summary>The payload is longer than B bytes.</summary>
    TooLarge,

    /// <summary>The stream has enrolled as many incarnations as one source may have at this replica.</summary>
    TooManyLives,

    /// <summary>Names an incarnation that is not enrolled here yet; remembered, and the announcements bring it again.</summary>
    UnknownLife,

    /// <summary>A payload that is not what was decided, or that nobody asked for (R7).</summary>
    NotWanted,

    /// <summary>Asks for what is not here, or asked again too soon, or beyond the byte rate (R7).</summary>
    Refused,

    /// <summary>The signature of a start announcement does not verify (R13).</summary>
    BadSignature,
}

/// <summary>Why a peer or a source is provably or probably Byzantine.</summary>
public enum EvidenceKind : byte
{
    /// <summary>Two INITIALs with different digests for one instance, both under a valid MAC entry for this replica.</summary>
    SourceEquivocation,

    /// <summary>A replica sent two different ECHOs for one instance.</summary>
    EchoEquivocation,

    /// <summary>A replica's READY and DONE, its one voice, named two digests (R4).</summary>
    ReadyEquivocation,

    /// <summary>A replica answered a FETCH with bytes that do not hash to the decided digest (R7).</summary>
    WrongPayload,

    /// <summary>A replica sent as the state of a checkpoint bytes that do not hash to what it had named (R11).</summary>
    WrongState,
}
