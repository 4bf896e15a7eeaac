using Massif.Reb.Protocol;

namespace Massif.Simulation.Protocol;

/// <summary>What liars do. Each seed enables some of it.</summary>
[Flags]
internal enum Tactics
{
    None = 0,

    /// <summary>Says nothing at all.</summary>
    Silent = 1 << 0,

    /// <summary>Two correct processes with one identity, each for one half of the others.</summary>
    Twins = 1 << 1,

    /// <summary>Leaves some messages out, and some neighbours always.</summary>
    Selective = 1 << 2,

    /// <summary>Names one digest to one half and another to the other.</summary>
    Equivocate = 1 << 3,

    /// <summary>Changes seq, incarnation, epoch, kind or digest a little.</summary>
    Mutate = 1 << 4,

    /// <summary>Says again what somebody said before.</summary>
    Replay = 1 << 5,

    /// <summary>Forges the numbers of STATUS, to peers and sources.</summary>
    StatusLies = 1 << 6,

    /// <summary>Answers FETCH with something else, or not.</summary>
    FetchLies = 1 << 7,

    /// <summary>Says that everything is forgotten.</summary>
    GoneLies = 1 << 8,

    /// <summary>Announces starts, answers starts with what it likes.</summary>
    StartLies = 1 << 9,

    /// <summary>Speaks of seqs, incarnations and streams far away.</summary>
    FarSpam = 1 << 10,

    /// <summary>Votes, with what it likes, before there is anything to vote on.</summary>
    EarlyVotes = 1 << 11,

    /// <summary>Says DONE of what it likes.</summary>
    DoneLies = 1 << 12,

    /// <summary>Follows the plots of Byzantine sources to the letter.</summary>
    Split = 1 << 13,

    /// <summary>Invents INITIALs of correct sources, without a MAC that any replica would take.</summary>
    Forge = 1 << 14,

    All = (1 << 15) - 1,
}

/// <summary>The shape of one run: who, how much, and what may go wrong.</summary>
internal sealed record RunPlan
{
    public required Scenario Scenario { get; init; }

    public required FaultKinds Faults { get; init; }

    public required Tactics Tactics { get; init; }

    public required ReplicaSet Byzantine { get; init; }

    public required ReplicaSet Correct { get; init; }

    /// <summary>How many replicas may lose their state: together with the Byzantine ones at most f.</summary>
    public required int LossBudget { get; init; }

    public required int Replicas { get; init; }

    public required int Sources { get; init; }

    /// <summary>How many of the sources, the last ones, are Byzantine.</summary>
    public required int ByzantineSources { get; init; }

    public required int BatchesPerSource { get; init; }

    /// <summary>Length of the first phase in nanoseconds.</summary>
    public required long Trouble { get; init; }

    /// <summary>Mean pause between two faults of a kind in nanoseconds.</summary>
    public required long MeanPause { get; init; }

    public required int Window { get; init; }

    /// <summary>Records after which a journal begins a new segment with a snapshot.</summary>
    public required int SegmentRecords { get; init; }

    /// <summary>Digests in memory per stream; the others are read from the journal.</summary>
    public required int DigestMemory { get; init; }

    public int Nodes => Replicas + Sources;

    public bool IsCorrectSource(int node) => node >= Replicas && node < Nodes - ByzantineSources;

    public static RunPlan Draw(ProtocolSettings settings, Quorums quorums, Prng prng)
    {
        var scenario = settings.Scenario ?? DrawScenario(prng);
        var byzantine = settings.Byzantine ?? DrawByzantine(scenario, quorums.Faults, prng);
        var liars = default(ReplicaSet);
        while (liars.Count < byzantine) liars = liars.With(new((byte)prng.Below(quorums.Replicas)));
        var sources = 1 + prng.Below(3);
        var lyingSources = scenario == Scenario.Split ? Math.Max(1, prng.Below(sources + 1)) : prng.Below(sources + 1);
        return new()
        {
            Scenario = scenario,
            Faults = DrawFaults(scenario, prng),
            Tactics = DrawTactics(scenario, prng),
            Byzantine = liars,
            Correct = new(ReplicaSet.FirstOf(quorums.Replicas).Bits & ~liars.Bits),
            LossBudget = Math.Max(0, quorums.Faults - byzantine),
            Replicas = quorums.Replicas,
            Sources = sources,
            ByzantineSources = lyingSources,
            BatchesPerSource = 4 + prng.Below(scenario == Scenario.Starve ? 36 : 16),
            Trouble = prng.Between(100, 1_200) * VirtualTime.Millisecond,
            MeanPause = prng.Between(15, 150) * VirtualTime.Millisecond,
            Window = 16,
            SegmentRecords = prng.Below(10) switch
            {
                < 3 => (int)prng.Between(2, 12),
                < 7 => (int)prng.Between(10, 120),
                _ => int.MaxValue,
            },
            DigestMemory = prng.Chance(50) ? 1 : 1_024,
        };
    }

    private static Scenario DrawScenario(Prng prng) => prng.Below(20) switch
    {
        < 11 => Scenario.Random,
        < 15 => Scenario.Split,
        < 17 => Scenario.Starve,
        _ => Scenario.Storm,
    };

    private static int DrawByzantine(Scenario scenario, int faults, Prng prng) => scenario switch
    {
        Scenario.Split => faults,
        Scenario.Storm => prng.Below(faults + 1),
        _ => prng.Chance(70) ? faults : prng.Below(faults + 1),
    };

    private static FaultKinds DrawFaults(Scenario scenario, Prng prng)
    {
        var swarm = (FaultKinds)(int)prng.Subset((ulong)FaultKinds.All);
        return scenario switch
        {
            Scenario.Split => prng.Chance(60) ? FaultKinds.None : swarm,
            Scenario.Storm => swarm | FaultKinds.Crash | FaultKinds.PowerCut,
            Scenario.Starve => swarm & ~FaultKinds.LoseState,
            _ => swarm,
        };
    }

    private static Tactics DrawTactics(Scenario scenario, Prng prng) => scenario switch
    {
        Scenario.Split => Tactics.Split | (prng.Chance(50) ? Tactics.FetchLies : Tactics.None),
        Scenario.Starve when prng.Chance(50) => Tactics.Silent,
        _ when prng.Chance(8) => Tactics.Silent,
        _ => (Tactics)(int)prng.Subset(
            prng.Subset((ulong)(Tactics.All & ~Tactics.Silent)) | (prng.Next() & (ulong)(Tactics.All & ~Tactics.Silent))),
    };
}
