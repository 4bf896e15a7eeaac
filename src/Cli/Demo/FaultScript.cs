namespace Massif.Cli.Demo;

/// <summary>A fault of the demonstration.</summary>
internal enum FaultKind
{
    /// <summary>A replica ends without a word: kill -9.</summary>
    Kill,

    /// <summary>A relay corrupts, delays and replays what it forwards.</summary>
    Misbehave,

    /// <summary>The replica is started again and catches up.</summary>
    Restart,
}

/// <summary>One fault: what, to whom, when, and what the domain noticed of it.</summary>
internal sealed class Fault(FaultKind kind, string node, long at)
{
    /// <summary>Gets what happens.</summary>
    public FaultKind Kind => kind;

    /// <summary>Gets the node it happens to.</summary>
    public string Node => node;

    /// <summary>Gets the number of input lines sent before it: as planned, and once it has happened, as it was.</summary>
    public long At { get; private set; } = at;

    /// <summary>Gets whether it has happened.</summary>
    public bool Begun { get; private set; }

    /// <summary>Gets what was detected; null as long as nothing was.</summary>
    public string? Detected { get; private set; }

    /// <summary>Gets the kind as it is written in results.</summary>
    public string KindName => kind switch
    {
        FaultKind.Kill => "kill",
        FaultKind.Misbehave => "misbehave",
        _ => "restart",
    };

    /// <summary>Notes that it happens now.</summary>
    /// <param name="sent">The number of input lines sent so far: fewer than planned when sending ended early.</param>
    public void Begin(long sent) => (Begun, At) = (true, sent);

    /// <summary>Notes what was detected; the latest and fullest statement stays.</summary>
    public void Detect(string what)
    {
        if (Begun) Detected = what;
    }
}

/// <summary>The story of the demonstration: three faults at 1/4, 1/2 and 3/4 of the lines.</summary>
internal sealed class FaultScript
{
    private FaultScript(IReadOnlyList<Fault> faults) => Faults = faults;

    /// <summary>Gets the faults in order of time.</summary>
    public IReadOnlyList<Fault> Faults { get; }

    /// <summary>Gets the numbers of lines at which something happens.</summary>
    public IReadOnlyList<long> Checkpoints => [.. Faults.Select(fault => fault.At).Distinct()];

    /// <summary>Makes the story for so many lines.</summary>
    /// <param name="lines">Number of lines that will be sent.</param>
    /// <param name="replica">The replica that dies and comes back.</param>
    /// <param name="relay">The relay that turns bad.</param>
    public static FaultScript For(long lines, string replica, string relay) => new(
    [
        new(FaultKind.Kill, replica, lines / 4),
        new(FaultKind.Misbehave, relay, lines / 2),
        new(FaultKind.Restart, replica, lines * 3 / 4),
    ]);

    /// <summary>Makes the story in which nothing goes wrong.</summary>
    public static FaultScript None() => new([]);

    /// <summary>Returns the faults that are due when so many lines were sent and that have not happened yet.</summary>
    public IEnumerable<Fault> Due(long sent) => Faults.Where(fault => !fault.Begun && fault.At <= sent);
}
