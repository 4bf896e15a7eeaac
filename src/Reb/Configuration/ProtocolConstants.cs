using Massif.Reb.Wire;

namespace Massif.Reb.Configuration;

/// <summary>Constants that all nodes of a domain share; defaults are those of docs/protocols/BROADCAST.md.</summary>
public sealed record ProtocolConstants
{
    /// <summary>Gets W, the window of a stream in instances.</summary>
    public int Window { get; init; } = 256;

    /// <summary>Gets B, the largest batch in bytes. A frame of 1 MiB must hold it with its header and a MAC per replica.</summary>
    public int BatchBytesMax { get; init; } = 256 * 1024;

    /// <summary>Gets the largest number of votes in one frame.</summary>
    public int VotesPerFrameMax { get; init; } = 64;

    /// <summary>Gets the first time-out before something is repeated, in milliseconds; it doubles up to the longest.</summary>
    public int RtoMinMilliseconds { get; init; } = 50;

    /// <summary>Gets the longest time-out before something is repeated, in milliseconds.</summary>
    public int RtoMaxMilliseconds { get; init; } = 1_000;

    /// <summary>Gets how often a full STATUS is sent, in milliseconds.</summary>
    public int StatusIntervalMilliseconds { get; init; } = 1_000;

    /// <summary>Gets how many digests of delivered instances are in memory per stream; older ones are read from the journal.</summary>
    public int DigestMemory { get; init; } = 65_536;

    /// <summary>
    /// Gets after how many batches of a stream replicas make a checkpoint, for those that fell behind everybody's journal, and write a
    /// page of where they stand.
    /// </summary>
    public int CheckpointInterval { get; init; } = 256;

    /// <summary>
    /// Gets how many incarnations of a stream may hold payloads for their whole window at once, each W·B bytes, before they are delivered;
    /// others hold one payload. It bounds what an edge that invents incarnations can make a replica hold.
    /// </summary>
    public int HoldingLivesPerStream { get; init; } = 4;

    /// <summary>Gets how much memory payloads may take at a replica, in MiB.</summary>
    public int PayloadMemoryMebibytes { get; init; } = 64;

    /// <summary>Gets how fast FETCH is answered per peer, in MiB/s: a recovering peer must not starve the live traffic.</summary>
    public int FetchMebibytesPerSecond { get; init; } = 64;

    /// <summary>Gets every constant with its key, range and default, in the order of the canonical text.</summary>
    public static IReadOnlyList<ProtocolConstant> All { get; } =
    [
        new("window", 16, 1_024, c => c.Window, (c, v) => c with { Window = v },
            "instances of a stream under way at once"),
        new("batch_bytes_max", 262_144, 917_504, c => c.BatchBytesMax, (c, v) => c with { BatchBytesMax = v },
            "largest batch"),
        new("votes_per_frame_max", 1, VotesFrame.MaxVotes, c => c.VotesPerFrameMax, (c, v) => c with { VotesPerFrameMax = v },
            "votes packed into one frame"),
        new("rto_min_ms", 10, 10_000, c => c.RtoMinMilliseconds, (c, v) => c with { RtoMinMilliseconds = v },
            "first time-out before a repeat"),
        new("rto_max_ms", 100, 60_000, c => c.RtoMaxMilliseconds, (c, v) => c with { RtoMaxMilliseconds = v },
            "longest time-out before a repeat"),
        new("status_interval_ms", 100, 60_000, c => c.StatusIntervalMilliseconds, (c, v) => c with { StatusIntervalMilliseconds = v },
            "how often replicas tell all they have"),
        // At least four windows: votes for what a peer lacks within one come from here when retention has already taken the journal's.
        new("digest_memory", 4_096, 1_048_576, c => c.DigestMemory, (c, v) => c with { DigestMemory = v },
            "digests of delivered batches in memory per stream; older ones are read from the journal"),
        new("checkpoint_interval", 16, 4_096, c => c.CheckpointInterval, (c, v) => c with { CheckpointInterval = v },
            "batches of a stream between two checkpoints"),
        new("holding_lives_per_stream", 1, 64, c => c.HoldingLivesPerStream, (c, v) => c with { HoldingLivesPerStream = v },
            "incarnations of a stream whose undelivered batches are held, window x batch_bytes_max each"),
        new("payload_memory_mib", 16, 65_536, c => c.PayloadMemoryMebibytes, (c, v) => c with { PayloadMemoryMebibytes = v },
            "memory for payloads at a replica"),
        new("fetch_mib_per_second", 1, 10_240, c => c.FetchMebibytesPerSecond, (c, v) => c with { FetchMebibytesPerSecond = v },
            "how fast one peer is helped to catch up"),
    ];
}

/// <summary>One constant of the protocols: its key in <c>domain.yaml</c> and what values it may have.</summary>
/// <param name="Key">Key, with the unit in it.</param>
/// <param name="Min">Smallest value allowed.</param>
/// <param name="Max">Largest value allowed.</param>
/// <param name="Get">Reads it.</param>
/// <param name="With">Returns a copy with another value.</param>
/// <param name="Meaning">What it is, for the comment in the generated file.</param>
public sealed record ProtocolConstant(
    string Key,
    int Min,
    int Max,
    Func<ProtocolConstants, int> Get,
    Func<ProtocolConstants, int, ProtocolConstants> With,
    string Meaning);
