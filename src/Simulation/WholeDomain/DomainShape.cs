using Massif.Reb.Configuration;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;

namespace Massif.Simulation.WholeDomain;

/// <summary>Faults that only whole hosts can meet, beside those of <see cref="FaultKinds"/>.</summary>
[Flags]
internal enum DomainFaults
{
    None = 0,

    /// <summary>A disk is full for a while.</summary>
    DiskFull = 1 << 0,

    /// <summary>The wall clock of an edge goes back an hour, and perhaps comes again.</summary>
    ClockJump = 1 << 1,

    /// <summary>A relay lies.</summary>
    LyingRelay = 1 << 2,

    /// <summary>Replicas lie, as many as f allows.</summary>
    LyingReplica = 1 << 3,

    /// <summary>An edge equivocates.</summary>
    LyingEdge = 1 << 4,

    /// <summary>The journals are so small that segments are dropped while the run lasts.</summary>
    Retention = 1 << 5,

    /// <summary>Lines are long: segments roll, spools fill.</summary>
    LongLines = 1 << 6,

    /// <summary>Nodes take their time for a turn.</summary>
    SlowNodes = 1 << 7,

    All = (1 << 8) - 1,
}

/// <summary>What a Byzantine replica does to what its host wants to say. Each seed enables some of it.</summary>
[Flags]
internal enum ReplicaLies
{
    None = 0,
    Silent = 1 << 0,
    Withhold = 1 << 1,
    Votes = 1 << 2,
    Status = 1 << 3,
    SourceStatus = 1 << 4,
    Payloads = 1 << 5,
    Garbage = 1 << 6,
    Replay = 1 << 7,
    Gone = 1 << 8,
    All = (1 << 9) - 1,
}

/// <summary>The shape of one run: who, how much, and what may go wrong.</summary>
internal sealed record DomainShape
{
    public required FaultKinds Faults { get; init; }

    public required DomainFaults More { get; init; }

    public required ReplicaLies Lies { get; init; }

    public required Misbehaviours RelayLies { get; init; }

    /// <summary>The relay that lies; −1 when none does.</summary>
    public required int LyingRelay { get; init; }

    public required bool RelayLiesToTheEnd { get; init; }

    public required ReplicaSet Byzantine { get; init; }

    /// <summary>How many replicas may lose their disk: together with the Byzantine ones at most f.</summary>
    public required int LossBudget { get; init; }

    public required int CorrectEdges { get; init; }

    public required int LinesPerEdge { get; init; }

    public required int LineBytes { get; init; }

    /// <summary>Length of the first phase in nanoseconds.</summary>
    public required long Trouble { get; init; }

    /// <summary>Mean pause between two faults of a kind in nanoseconds.</summary>
    public required long MeanPause { get; init; }

    public required ProtocolConstants Constants { get; init; }

    public required ChannelPaths Paths { get; init; }

    public required long SpoolLimit { get; init; }

    public required long JournalLimit { get; init; }

    public required int BatchDelay { get; init; }

    // What a configuration allows at least, in windows. Without retention even 1 will do: the journal has the others.
    private const int LeastDigestMemory = 4 * 16;

    public bool Has(FaultKinds kind) => Faults.HasFlag(kind);

    public bool Has(DomainFaults kind) => More.HasFlag(kind);

    public static DomainShape Draw(int replicas, Prng prng)
    {
        var quorums = Quorums.ForGroupOf(replicas);
        var faults = (FaultKinds)prng.Subset((ulong)(FaultKinds.All & ~FaultKinds.Datagrams));
        var more = (DomainFaults)prng.Subset((ulong)DomainFaults.All);
        if (prng.OneIn(16)) (faults, more) = (FaultKinds.None, more & DomainFaults.LongLines);
        var retention = more.HasFlag(DomainFaults.Retention); // The journal holds a few windows, and the stream is some times as long.
        var byzantine = default(ReplicaSet);
        if (more.HasFlag(DomainFaults.LyingReplica))
        {
            var liars = 1 + prng.Below(quorums.Faults);
            while (byzantine.Count < liars) byzantine = byzantine.With(new((byte)prng.Below(replicas)));
        }

        var longLines = more.HasFlag(DomainFaults.LongLines);
        return new()
        {
            Faults = faults,
            More = more,
            Lies = (ReplicaLies)prng.Subset((ulong)ReplicaLies.All),
            RelayLies = (Misbehaviours)prng.Between(1, 31),
            LyingRelay = more.HasFlag(DomainFaults.LyingRelay) ? replicas + prng.Below(DomainKit.Relays) : -1,
            RelayLiesToTheEnd = prng.Chance(50),
            Byzantine = byzantine,
            LossBudget = faults.HasFlag(FaultKinds.LoseState) ? quorums.Faults - byzantine.Count : 0,
            CorrectEdges = 1 + prng.Below(2),
            LinesPerEdge = (int)prng.Between(30, 160) * (retention ? 2 : 1),
            LineBytes = retention ? (int)prng.Between(400, 900) : longLines ? (int)prng.Between(500, 3_500) : 0,
            Trouble = prng.Between(500, 3_000) * VirtualTime.Millisecond,
            MeanPause = prng.Between(60, 600) * VirtualTime.Millisecond,
            Constants = new()
            {
                Window = prng.Chance(60) || retention ? 16 : 64,
                DigestMemory = prng.Chance(50) ? (retention ? LeastDigestMemory : 1) : 256,
                CheckpointInterval = 8,
                StatusIntervalMilliseconds = 500,
                PayloadMemoryMebibytes = 16,
                FetchMebibytesPerSecond = 1,
            },
            Paths = prng.Chance(50) ? ChannelPaths.Copies : ChannelPaths.One,
            SpoolLimit = prng.Between(140, 400) * 1024,
            JournalLimit = retention ? 200 * 1024 : 64 * 1024 * 1024,
            BatchDelay = (int)prng.Between(1, 20),
        };
    }
}
