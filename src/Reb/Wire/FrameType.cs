namespace Massif.Reb.Wire;

/// <summary>What a frame carries. 1 to 15 belong to the link itself.</summary>
public enum FrameType : byte
{
    /// <summary>An overlay envelope, between edge and replica, perhaps through relays.</summary>
    Envelope = 16,

    /// <summary>Packed votes of one replica.</summary>
    Votes = 17,

    /// <summary>Packed stream statuses of one replica.</summary>
    Status = 18,

    /// <summary>Asks for the payload of one instance.</summary>
    Fetch = 19,

    /// <summary>Header and payload of one instance.</summary>
    Payload = 20,

    /// <summary>What was asked for is below what this replica still holds.</summary>
    Gone = 21,

    /// <summary>A replica has started (protocols R13).</summary>
    Start = 22,

    /// <summary>Answers a start with the highest earlier start counter known.</summary>
    StartAnswer = 23,

    /// <summary>Asks for checkpoints of a life at or above a seq.</summary>
    CheckpointQuery = 24,

    /// <summary>Names a checkpoint that this replica holds.</summary>
    CheckpointOffer = 25,

    /// <summary>Asks for a part of a checkpoint's state.</summary>
    CheckpointFetch = 26,

    /// <summary>A part of a checkpoint's state.</summary>
    CheckpointPart = 27,
}
