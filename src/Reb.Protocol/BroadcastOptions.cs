namespace Massif.Reb.Protocol;

/// <summary>Constants of the broadcast at one replica. What peers must agree on is in the domain description.</summary>
public sealed record BroadcastOptions
{
    /// <summary>Gets the epoch; instances of another one are refused. Default 1.</summary>
    public uint Epoch { get; init; } = 1;

    /// <summary>Gets the number of nodes of the domain: a stream's source is below it. Default 65,535.</summary>
    public int Nodes { get; init; } = ushort.MaxValue;

    /// <summary>Gets W, the instances in a stream's window. Default 256, range 16 to 1,024 (R8).</summary>
    public int Window { get; init; } = 256;

    /// <summary>Gets B, the largest payload in bytes. Default 256 KiB (docs/protocols/BROADCAST.md, budgets).</summary>
    public int PayloadBytesMax { get; init; } = 256 * 1024;

    /// <summary>Gets how many incarnations of a stream authentic INITIALs may enrol here in an epoch. Default 64.</summary>
    public int LivesPerStream { get; init; } = 64;

    /// <summary>
    /// Gets how many of them may hold undelivered payloads for a whole window at once, W·B bytes each; the others hold one payload.
    /// Default 4, range 1 to 64: a correct edge needs one, and leaves one behind when it loses its spool in the middle of something.
    /// </summary>
    public int HoldingLivesPerStream { get; init; } = 4;

    /// <summary>
    /// Gets how many decided digests are in memory per stream, in seqs; older ones are in the journal. Default 65,536 (R11).
    /// </summary>
    public int DigestMemory { get; init; } = 65_536;

    /// <summary>Gets the first retransmission time-out in milliseconds. Default 50; it doubles up to <see cref="RtoMaxMs"/>.</summary>
    public int RtoMs { get; init; } = 50;

    /// <summary>Gets the longest retransmission time-out in milliseconds. Default 1,000.</summary>
    public int RtoMaxMs { get; init; } = 1_000;

    /// <summary>Gets how often every STATUS is sent in full, in milliseconds. Default 1,000 (R9).</summary>
    public int StatusPeriodMs { get; init; } = 1_000;

    /// <summary>
    /// Gets the least time between two STATUS of one stream that changes, in milliseconds. Default 5; 0 reports every turn.
    /// </summary>
    public int StatusSpacingMs { get; init; } = 5;

    /// <summary>Gets how many FETCHes may be under way at once. Default 64: at most 16 MiB in flight (R7).</summary>
    public int FetchesInFlight { get; init; } = 64;

    /// <summary>Gets how fast one peer is served by FETCH, in bytes per second. Default 64 MiB (R7).</summary>
    public int FetchBytesPerSecond { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Gets how many digests of what is delivered are announced to a peer per second. Default 65,536: more than it can fetch payloads
    /// for, and 3 MB to read. A peer that claims to walk through a life would else have all of a journal read and sent at once (R9).
    /// </summary>
    public int DigestsPerSecond { get; init; } = 65_536;

    /// <summary>Gets after how many seqs of a life a checkpoint is made. Default 256; equal at all replicas (R11).</summary>
    /// <remarks>
    /// Not more than W: then of two correct replicas, whose tips are at most W apart, one can go on from the other's last.
    /// </remarks>
    public int CheckpointInterval { get; init; } = 256;

    /// <summary>Gets the longest state of a checkpoint that is taken, in bytes. Default 256 MiB.</summary>
    public int CheckpointBytesMax { get; init; } = 256 * 1024 * 1024;

    /// <summary>Throws when a value is out of its range; the configuration has checked them before.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its range.</exception>
    public void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Window, 16);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Window, HaveBits.Capacity);
        ArgumentOutOfRangeException.ThrowIfLessThan(LivesPerStream, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(HoldingLivesPerStream, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(HoldingLivesPerStream, 64);
        ArgumentOutOfRangeException.ThrowIfLessThan(PayloadBytesMax, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(DigestMemory, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RtoMs, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(RtoMaxMs, RtoMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(StatusPeriodMs, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(StatusSpacingMs);
        ArgumentOutOfRangeException.ThrowIfLessThan(FetchesInFlight, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(FetchBytesPerSecond, PayloadBytesMax);
        ArgumentOutOfRangeException.ThrowIfLessThan(DigestsPerSecond, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointInterval, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(CheckpointBytesMax, 1);
    }
}
