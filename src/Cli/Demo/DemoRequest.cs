namespace Massif.Cli.Demo;

/// <summary>What the person asked of <c>massif demo</c>.</summary>
internal sealed record DemoRequest
{
    /// <summary>Events per second at which the samples are replayed when nothing else is said.</summary>
    public const int SampleRate = 100;

    /// <summary>Gets the files to replay, in order; empty for the samples.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Gets the events per second; null for as fast as they are accepted.</summary>
    public int? Rate { get; init; }

    /// <summary>Gets for how many seconds lines are sent; null for all of them.</summary>
    public int? Seconds { get; init; }

    /// <summary>Gets whether lines of text are printed instead of a live table.</summary>
    public bool Plain { get; init; }

    /// <summary>Gets whether nothing is killed and no relay misbehaves.</summary>
    public bool NoFaults { get; init; }

    /// <summary>Gets whether one JSON object is printed at the end, on standard output, and all else on standard error.</summary>
    public bool Json { get; init; }

    /// <summary>Gets whether the demo's directory stays.</summary>
    public bool Keep { get; init; }

    /// <summary>Gets whether the samples are what is replayed.</summary>
    public bool UsesSamples => Inputs.Count == 0;

    /// <summary>Gets whether the demo ends by itself; a person at a terminal who gave no input keeps it to try, until Ctrl-C.</summary>
    public bool EndsByItself => !UsesSamples || Seconds is not null || Plain || Json;

    /// <summary>Gets the events per second that hold: what was asked for, or a speed at which people can watch the samples.</summary>
    public int? EffectiveRate => Rate ?? (UsesSamples ? SampleRate : null);

    /// <summary>Returns how many of the lines will be sent; faults happen at quarters of it.</summary>
    public long Planned(long lines) =>
        Seconds is { } seconds && EffectiveRate is { } rate ? Math.Min(lines, (long)seconds * rate) : lines;
}
