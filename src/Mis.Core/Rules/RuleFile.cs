using Massif.Cep;
using Massif.Reb.Configuration;

namespace Massif.Mis.Core.Rules;

/// <summary>Reads a rule file: <c>rules:</c> and a list of rules, all mistakes at once with file and line.</summary>
public static class RuleFile
{
    /// <summary>Most rules of a file.</summary>
    public const int RulesMax = 1_000;

    /// <summary>Reads the file; null, with the reasons in <paramref name="errors"/>, when there is a mistake.</summary>
    public static RuleSet? Load(string path, ConfigErrors errors) => Read(YamlDocument.Load(path, errors), errors);

    /// <summary>Reads a text; <paramref name="file"/> is what messages call it.</summary>
    public static RuleSet? Parse(string file, string text, ConfigErrors errors) =>
        Read(YamlDocument.Parse(file, text, errors), errors);

    private static RuleSet? Read(YamlMap? root, ConfigErrors errors)
    {
        if (root is null) return null;
        var before = errors.Count;
        var maps = root.Maps("rules", 1, RulesMax);
        root.End();
        if (RuleSet.TryCreate([.. maps.Select(Definition)], out var rules, out var mistakes) && errors.Count == before) return rules;

        // A key that is missing or of the wrong form was told already; its harmless stand-in is no second mistake.
        var told = errors.Items.Select(error => error.Key).ToHashSet(StringComparer.Ordinal);
        foreach (var mistake in mistakes.Where(mistake => !told.Contains($"{maps[mistake.Rule].Path}.{mistake.Property}")))
        {
            var place = mistake.Column > 0 ? $"column {mistake.Column}: " : "";
            maps[mistake.Rule].Error(mistake.Property, place + mistake.Message);
        }

        return null;
    }

    private static RuleDefinition Definition(YamlMap map)
    {
        var definition = new RuleDefinition
        {
            Id = map.Text("id"),
            Version = (int)map.Integer("version", 1, int.MaxValue),
            Title = map.Text("title"),
            Severity = map.Enum<AlarmSeverity>("severity", AlarmSeverity.Medium),
            Where = map.Text("where"),
            Key = KeyOf(map),
            Threshold = (int)map.Integer("threshold", 1, RuleDefinition.ThresholdMax),
            WindowSeconds = (int)map.Integer("window_seconds", 1, RuleDefinition.WindowSecondsMax),
            SuppressSeconds = (int)map.Integer("suppress_seconds", 0, RuleDefinition.SuppressSecondsMax, 60),
        };
        map.End();
        return definition;
    }

    private static List<string> KeyOf(YamlMap map)
    {
        var fields = new List<string>();
        foreach (var item in map.List("key", 1, RuleDefinition.KeyFieldsMax))
        {
            if (item is YamlScalar scalar) fields.Add(scalar.Text);
            else map.Error(item, $"is {item.Kind}", "the name of a field");
        }

        return fields;
    }
}
