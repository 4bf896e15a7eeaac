namespace Massif.Cli.Demo;

/// <summary>One node as the view shows it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Role">edge, relay or core.</param>
/// <param name="ProcessId">Its process; null when it does not run.</param>
/// <param name="State">
/// A word or two: <c>up</c>, <c>starting</c>, <c>silent</c>, <c>killed</c>, <c>catching up</c>, <c>behind</c>,
/// <c>misbehaves</c>.
/// </param>
/// <param name="Events">Events that it delivered, the edge's own among them; null for what is no replica.</param>
internal sealed record NodeLine(string Id, string Role, int? ProcessId, string State, long? Events);

/// <summary>One overlay path from the edge.</summary>
/// <param name="Name"><c>direct</c>, or the relay it goes through.</param>
/// <param name="State"><c>starting</c>, <c>ok</c> or <c>blamed</c>.</param>
/// <param name="Corrupt">Envelopes whose MAC or digest was wrong.</param>
/// <param name="Replayed">Envelopes that had arrived before on the same path.</param>
internal sealed record PathLine(string Name, string State, long Corrupt, long Replayed);

/// <summary>An alarm that f + 1 replicas agree on.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Rule">The rule that made it.</param>
/// <param name="Key">ECS names and values of its key.</param>
/// <param name="First">Time of the first event, as the replicas write it.</param>
/// <param name="Last">Time of the last event, as the replicas write it.</param>
/// <param name="Count">How many events it counts.</param>
/// <param name="Events">The ids of the events.</param>
internal sealed record AgreedAlarm(
    string Id,
    string Rule,
    IReadOnlyDictionary<string, string> Key,
    string First,
    string Last,
    long Count,
    IReadOnlyList<string> Events)
{
    /// <summary>Gets the key in one line, for a terminal: what an attacker wrote into a field is in it.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public string KeyText => string.Join(' ', Key.Select(pair => $"{pair.Key}={Commands.Output.Printable(pair.Value)}"));
}

/// <summary>Everything that the view shows at one moment.</summary>
internal sealed record DemoSnapshot
{
    /// <summary>Gets what is being done, in a few words.</summary>
    public required string Phase { get; init; }

    /// <summary>Gets the time since the start.</summary>
    public required TimeSpan Elapsed { get; init; }

    /// <summary>Gets the lines sent so far.</summary>
    public required long Sent { get; init; }

    /// <summary>Gets the lines that will be sent.</summary>
    public required long Planned { get; init; }

    /// <summary>Gets the events per second that the edge took in.</summary>
    public required double InPerSecond { get; init; }

    /// <summary>Gets the events per second that f + 1 replicas delivered.</summary>
    public required double AgreedPerSecond { get; init; }

    /// <summary>Gets the events per second that f + 1 replicas correlated.</summary>
    public required double CorrelatedPerSecond { get; init; }

    /// <summary>Gets the nodes in the order of the domain.</summary>
    public required IReadOnlyList<NodeLine> Nodes { get; init; }

    /// <summary>Gets the paths from the edge.</summary>
    public required IReadOnlyList<PathLine> Paths { get; init; }

    /// <summary>Gets the alarms in the order in which they were agreed.</summary>
    public required IReadOnlyList<AgreedAlarm> Alarms { get; init; }

    /// <summary>Gets the faults of the story.</summary>
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>Gets what a person can type to send a line of their own.</summary>
    public required string TryIt { get; init; }
}

/// <summary>Shows the demonstration to people.</summary>
internal interface IDemoView : IDisposable
{
    /// <summary>Says something once.</summary>
    void Say(string text);

    /// <summary>Shows how things stand; called about twice a second.</summary>
    void Show(DemoSnapshot snapshot);
}
