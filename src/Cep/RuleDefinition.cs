namespace Massif.Cep;

/// <summary>How bad an alarm is, as the author of the rule judged it.</summary>
public enum AlarmSeverity : byte
{
    /// <summary>Worth a look when there is time.</summary>
    Low = 1,

    /// <summary>Worth a look today.</summary>
    Medium = 2,

    /// <summary>Somebody should look now.</summary>
    High = 3,

    /// <summary>Somebody should be woken.</summary>
    Critical = 4,
}

/// <summary>One rule as its author wrote it; <see cref="RuleSet.TryCreate"/> checks it.</summary>
/// <remarks>
/// A rule adds up <c>massif.count</c> of the events that <see cref="Where"/> accepts, per key, over a sliding window of
/// event time. The sum that first reaches <see cref="Threshold"/> makes one alarm.
/// </remarks>
public sealed record RuleDefinition
{
    /// <summary>Longest window in seconds: a week.</summary>
    public const int WindowSecondsMax = 7 * 24 * 3600;

    /// <summary>Longest silence in seconds: thirty days.</summary>
    public const int SuppressSecondsMax = 30 * 24 * 3600;

    /// <summary>
    /// Largest threshold, in events. A key keeps its newest <see cref="CorrelationLimits.OccurrencesPerKey"/> events
    /// and forgets a quarter of them at once when they are too many, so what is left must still reach the threshold.
    /// </summary>
    public const int ThresholdMax = 5_000;

    /// <summary>Most fields that a key can have.</summary>
    public const int KeyFieldsMax = 8;

    /// <summary>Gets the name of the rule: 1 to 64 characters of a-z, 0-9 and '-'.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the version, from 1; a change of meaning is a new version, and is part of an alarm's identity.</summary>
    public required int Version { get; init; }

    /// <summary>Gets what an operator reads, at most 200 characters.</summary>
    public required string Title { get; init; }

    /// <summary>Gets how bad the alarm is.</summary>
    public AlarmSeverity Severity { get; init; } = AlarmSeverity.Medium;

    /// <summary>Gets the condition on one event, in the predicate language (docs/RULES.md).</summary>
    public required string Where { get; init; }

    /// <summary>Gets the ECS names of the fields whose values make the key; an event that lacks one is not counted.</summary>
    public required IReadOnlyList<string> Key { get; init; }

    /// <summary>Gets the sum of <c>massif.count</c> that makes an alarm, 1 to <see cref="ThresholdMax"/>.</summary>
    public required int Threshold { get; init; }

    /// <summary>Gets the window w in seconds of event time, 1 to <see cref="WindowSecondsMax"/>.</summary>
    public required int WindowSeconds { get; init; }

    /// <summary>Gets how long a key is silent after an alarm, in seconds of event time, 0 to <see cref="SuppressSecondsMax"/>.</summary>
    public int SuppressSeconds { get; init; } = 60;
}

/// <summary>One mistake in a rule.</summary>
/// <param name="Rule">Index of the rule in the list, from 0.</param>
/// <param name="Property">Name of the property as in a rule file (<c>window_seconds</c>).</param>
/// <param name="Column">Column in the text of the property, from 1; 0 when it is about the whole value.</param>
/// <param name="Message">What is wrong, and what would be right.</param>
public sealed record RuleError(int Rule, string Property, int Column, string Message);
