namespace Massif.Reb.Storage;

/// <summary>When written bytes count as durable.</summary>
public enum Durability : byte
{
    /// <summary>They survive a power cut: fdatasync has returned.</summary>
    Power,

    /// <summary>They survive the end of this process, kill -9 included, but not of the machine: write has returned.</summary>
    Process,
}

/// <summary>What an operator may choose about a node's data directory.</summary>
public sealed record FileDiskOptions
{
    /// <summary>Gets when written bytes count as durable. Default: a power cut loses nothing that was acknowledged.</summary>
    public Durability Durability { get; init; } = Durability.Power;

    /// <summary>
    /// Gets the share of the file system, in percent, that stays free: writing stops there. Default 5, range 0 to 50. It is
    /// also the reserve from which a delete can be reached when appends stand before it.
    /// </summary>
    public int FreePercentMin { get; init; } = 5;

    /// <summary>Gets the largest sum of the lengths of all files, in bytes. Default: no limit but the file system's.</summary>
    public long BytesMax { get; init; } = long.MaxValue;

    /// <summary>Gets the delay before the first new attempt after an error. Default 100 ms.</summary>
    public TimeSpan RetryFirst { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Gets the longest delay between attempts. Default 5 s: an operator who made room sees it work at once.</summary>
    public TimeSpan RetryLongest { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>What a disk has done, read at one moment for metrics.</summary>
/// <param name="BytesWritten">Bytes appended and acknowledged or about to be.</param>
/// <param name="BytesWaiting">Bytes appended by the host and not yet on the disk; they are held in memory.</param>
/// <param name="Rounds">Rounds of writing, each ended by one sync per file.</param>
/// <param name="Syncs">Calls of fdatasync that succeeded.</param>
/// <param name="Failures">Attempts that failed and were repeated.</param>
public readonly record struct DiskCounters(long BytesWritten, long BytesWaiting, long Rounds, long Syncs, long Failures);
