using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using Massif.Events;

namespace Massif.Cep;

/// <summary>The rules of a replica, checked and compiled. Replicas with different rules make different alarms.</summary>
public sealed class RuleSet
{
    private RuleSet(ImmutableArray<Rule> rules)
    {
        Rules = rules;
        Digest = [.. SHA256.HashData(rules.SelectMany(rule => rule.Digest).ToArray())];
    }

    /// <summary>Gets a set without rules.</summary>
    public static RuleSet Empty { get; } = new([]);

    /// <summary>Gets the rules in the order of the file: alarms of one event are made in this order.</summary>
    public ImmutableArray<Rule> Rules { get; }

    /// <summary>Gets SHA-256 over the digests of the rules: replicas compare it.</summary>
    public ImmutableArray<byte> Digest { get; }

    /// <summary>Returns the most memory that the tables of all rules take for one life of a stream, live and replayed, in bytes.</summary>
    public long TableBytesMax(CorrelationLimits limits)
    {
        ArgumentNullException.ThrowIfNull(limits);
        return 2 * Rules.Sum(rule => KeyTable.BytesMax(rule, limits));
    }

    /// <summary>Checks and compiles rules; all mistakes are reported together.</summary>
    /// <returns>Whether there was no mistake.</returns>
    public static bool TryCreate(
        IReadOnlyList<RuleDefinition> definitions,
        [NotNullWhen(true)] out RuleSet? rules,
        out ImmutableArray<RuleError> errors)
    {
        ArgumentNullException.ThrowIfNull(definitions);
        var found = ImmutableArray.CreateBuilder<RuleError>();
        var compiled = ImmutableArray.CreateBuilder<Rule>();
        for (var i = 0; i < definitions.Count; i++)
        {
            if (Compile(i, definitions[i], found) is { } rule) compiled.Add(rule);
            for (var earlier = 0; earlier < i; earlier++)
            {
                if (definitions[earlier].Id == definitions[i].Id)
                    found.Add(new(i, "id", 0, $"'{definitions[i].Id}' is already the id of an earlier rule"));
            }
        }

        errors = found.ToImmutable();
        rules = errors.IsEmpty ? new(compiled.ToImmutable()) : null;
        return rules is not null;
    }

    /// <summary>Checks and compiles rules that are known to be right: tests and benchmarks.</summary>
    /// <exception cref="ArgumentException">A rule has a mistake.</exception>
    public static RuleSet Of(params RuleDefinition[] definitions)
    {
        if (TryCreate(definitions, out var rules, out var errors)) return rules;
        throw new ArgumentException(
            string.Join("; ", errors.Select(error => $"{error.Property}:{error.Column}: {error.Message}")),
            nameof(definitions));
    }

    private static Rule? Compile(int index, RuleDefinition definition, ImmutableArray<RuleError>.Builder errors)
    {
        var before = errors.Count;
        CheckTexts(index, definition, errors);
        CheckRange(index, "version", definition.Version, 1, int.MaxValue, errors);
        CheckRange(index, "threshold", definition.Threshold, 1, RuleDefinition.ThresholdMax, errors);
        CheckRange(index, "window_seconds", definition.WindowSeconds, 1, RuleDefinition.WindowSecondsMax, errors);
        CheckRange(index, "suppress_seconds", definition.SuppressSeconds, 0, RuleDefinition.SuppressSecondsMax, errors);
        var key = CheckKey(index, definition.Key, errors);
        if (!PredicateParser.TryParse(definition.Where, out var where, out var error))
            errors.Add(new(index, "where", error.Column, error.Message));
        return errors.Count == before && where is not null ? new(definition, where, key) : null;
    }

    private static void CheckTexts(int index, RuleDefinition definition, ImmutableArray<RuleError>.Builder errors)
    {
        var id = definition.Id;
        if (id.Length is 0 or > 64 || !id.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '-'))
            errors.Add(new(index, "id", 0, $"'{id}' is no rule id: 1 to 64 characters of a-z, 0-9 and '-'"));
        if (definition.Title.Length is 0 or > 200)
            errors.Add(new(index, "title", 0, "a title has 1 to 200 characters"));
        if (!Enum.IsDefined(definition.Severity))
            errors.Add(new(index, "severity", 0, "one of low, medium, high, critical"));
    }

    private static void CheckRange(
        int index, string property, int value, int least, int most, ImmutableArray<RuleError>.Builder errors)
    {
        if (value >= least && value <= most) return;
        errors.Add(new(index, property, 0, string.Create(CultureInfo.InvariantCulture, $"{value} is not in {least}..{most}")));
    }

    private static ImmutableArray<EventField> CheckKey(
        int index, IReadOnlyList<string> names, ImmutableArray<RuleError>.Builder errors)
    {
        if (names.Count is 0 or > RuleDefinition.KeyFieldsMax)
            errors.Add(new(index, "key", 0, $"a key has 1 to {RuleDefinition.KeyFieldsMax} fields"));
        var key = ImmutableArray.CreateBuilder<EventField>(names.Count);
        foreach (var name in names)
        {
            if (!FieldNames.TryParse(name, out var field))
                errors.Add(new(index, "key", 0, $"there is no field '{name}'"));
            else if (!KeyReader.CanRead(field))
                errors.Add(new(index, "key", 0, $"'{name}' cannot be part of a key: only texts, words, addresses and numbers"));
            else if (key.Contains(field))
                errors.Add(new(index, "key", 0, $"'{name}' is there twice"));
            else
                key.Add(field);
        }

        return key.ToImmutable();
    }
}
