using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Massif.Reb.Configuration;

/// <summary>
/// A map in a YAML file, read key by key. Each reader notes what is wrong with its key and returns a harmless value, so
/// that one pass finds every mistake; whoever reads looks at <see cref="ConfigErrors.None"/> before using anything.
/// Call <see cref="End"/> last: it reports the keys that nobody asked for.
/// </summary>
public sealed partial record YamlMap : YamlNode
{
    private readonly Dictionary<string, YamlNode> _entries;
    private readonly Dictionary<string, int> _lines;
    private readonly SortedSet<string> _asked = new(StringComparer.Ordinal);
    private readonly HashSet<string> _refused = new(StringComparer.Ordinal);
    private readonly ConfigErrors _errors;

    internal YamlMap(
        int line,
        string path,
        string file,
        Dictionary<string, YamlNode> entries,
        Dictionary<string, int> lines,
        ConfigErrors errors)
        : base(line, path) => (File, _entries, _lines, _errors) = (file, entries, lines, errors);

    /// <summary>Gets the file it stands in.</summary>
    public string File { get; }

    /// <inheritdoc />
    public override string Kind => "a map";

    /// <summary>Gets all keys and values in no particular order, for a map whose keys are data; all count as asked for.</summary>
    public IReadOnlyDictionary<string, YamlNode> Entries
    {
        get
        {
            _asked.UnionWith(_entries.Keys);
            return _entries;
        }
    }

    /// <summary>Returns whether the key is there with a value; it does not count as asked for.</summary>
    public bool Has(string key) => _entries.TryGetValue(key, out var node) && node is not YamlScalar { IsNull: true };

    /// <summary>Returns the line of a key; the line of the map when the key is missing.</summary>
    public int LineOf(string key) => _lines.GetValueOrDefault(key, Line);

    /// <summary>Notes a mistake in the value of a key.</summary>
    public void Error(string key, string message, string? allowed = null) =>
        _errors.Add(File, LineOf(key), PathOf(key), message, allowed);

    /// <summary>Notes a mistake at a value in this map's file.</summary>
    public void Error(YamlNode node, string message, string? allowed = null) =>
        _errors.Add(File, node.Line, node.Path, message, allowed);

    /// <summary>Reads text.</summary>
    /// <param name="key">The key.</param>
    /// <param name="fallback">The value when the key is missing; null makes the key required.</param>
    /// <param name="pattern">What the whole text must match.</param>
    /// <param name="allowed">The pattern in words.</param>
    public string Text(string key, string? fallback = null, Regex? pattern = null, string? allowed = null)
    {
        if (Scalar(key, fallback is not null) is not { } scalar) return fallback ?? "";
        if (scalar.Text.Length > 0 && pattern?.IsMatch(scalar.Text) != false) return scalar.Text;
        Error(key, scalar.Text.Length == 0 ? "is empty" : $"is {Shown(scalar)}", allowed);
        return fallback ?? "";
    }

    /// <summary>Reads a whole number in a range. Underscores may group digits: <c>65_536</c>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="min">Smallest value allowed.</param>
    /// <param name="max">Largest value allowed.</param>
    /// <param name="fallback">The value when the key is missing; null makes the key required.</param>
    [SuppressMessage("Naming", "CA1720:Identifier contains type name", Justification = "It is YAML's own word for such a value.")]
    public long Integer(string key, long min, long max, long? fallback = null)
    {
        if (Scalar(key, fallback is not null) is not { } scalar) return fallback ?? min;
        var digits = scalar.Text.Replace("_", "", StringComparison.Ordinal);
        var allowed = string.Create(CultureInfo.InvariantCulture, $"{min} to {max}");
        if (!scalar.IsQuoted && long.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            if (value >= min && value <= max) return value;
            Error(key, string.Create(CultureInfo.InvariantCulture, $"is {value}"), allowed);
        }
        else
        {
            Error(key, $"is {Shown(scalar)}, not a whole number", allowed);
        }

        return fallback ?? min;
    }

    /// <summary>Reads a duration in a range: a whole number and one of ms, s, m, h, d, as in <c>250ms</c>.</summary>
    /// <param name="key">The key.</param>
    /// <param name="min">Shortest allowed.</param>
    /// <param name="max">Longest allowed.</param>
    /// <param name="fallback">The value when the key is missing; null makes the key required.</param>
    public TimeSpan Duration(string key, TimeSpan min, TimeSpan max, TimeSpan? fallback = null)
    {
        if (Scalar(key, fallback is not null) is not { } scalar) return fallback ?? min;
        var allowed = $"{DurationText(min)} to {DurationText(max)}";
        if (ParseDuration(scalar.Text) is not { } value)
            Error(key, $"is {Shown(scalar)}, not a duration such as 250ms, 5s or 10m", allowed);
        else if (value < min || value > max)
            Error(key, $"is {scalar.Text}", allowed);
        else
            return value;
        return fallback ?? min;
    }

    /// <summary>Reads <c>true</c> or <c>false</c>; no other word counts.</summary>
    public bool Flag(string key, bool? fallback = null)
    {
        if (Scalar(key, fallback is not null) is not { } scalar) return fallback ?? false;
        if (!scalar.IsQuoted && scalar.Text is "true" or "false") return scalar.Text == "true";
        Error(key, $"is {Shown(scalar)}", "true, false");
        return fallback ?? false;
    }

    /// <summary>Reads one of the names of an enumeration, in snake_case.</summary>
    public TEnum Enum<TEnum>(string key, TEnum? fallback = null)
        where TEnum : struct, System.Enum => EnumOrNull<TEnum>(key, fallback is not null) ?? fallback ?? default;

    /// <summary>
    /// Reads one of the names of an enumeration; null when it is missing or wrong, so that no relation is checked on a guess.
    /// </summary>
    public TEnum? EnumOrNull<TEnum>(string key, bool optional = false)
        where TEnum : struct, System.Enum
    {
        if (Scalar(key, optional) is not { } scalar) return null;
        foreach (var value in System.Enum.GetValues<TEnum>())
        {
            if (Word(value) == scalar.Text) return value;
        }

        Error(key, $"is {Shown(scalar)}", string.Join(", ", System.Enum.GetValues<TEnum>().Select(Word)));
        return null;
    }

    /// <summary>Reads a value by a function of the caller's own.</summary>
    /// <param name="key">The key.</param>
    /// <param name="parse">Returns null when the text has another form.</param>
    /// <param name="allowed">The form in words.</param>
    /// <param name="required">Whether the key must be there.</param>
    /// <returns>The value; null when it is missing or wrong.</returns>
    public T? Value<T>(string key, Func<string, T?> parse, string allowed, bool required = true)
    {
        if (Scalar(key, !required) is not { } scalar) return default;
        var value = parse(scalar.Text);
        if (value is null) Error(key, $"is {Shown(scalar)}", allowed);
        return value;
    }

    /// <summary>Reads a map inside this one; null when it is missing.</summary>
    public YamlMap? Map(string key, bool required = true)
    {
        if (Find(key, !required) is not { } node) return null;
        if (node is YamlMap map) return map;
        Error(key, $"is {node.Kind}", "a map of keys and values");
        return null;
    }

    /// <summary>Reads a list; empty when it is missing.</summary>
    /// <param name="key">The key.</param>
    /// <param name="min">Fewest items; above 0 the key is required.</param>
    /// <param name="max">Most items.</param>
    public IReadOnlyList<YamlNode> List(string key, int min, int max)
    {
        if (Find(key, optional: min == 0) is not { } node) return [];
        var allowed = string.Create(CultureInfo.InvariantCulture, $"a list of {min} to {max} items");
        if (node is not YamlList list)
        {
            Error(key, $"is {node.Kind}", allowed);
            return [];
        }

        if (list.Items.Count < min || list.Items.Count > max)
            Error(key, string.Create(CultureInfo.InvariantCulture, $"has {list.Items.Count} items"), allowed);
        return list.Items;
    }

    /// <summary>Reads a list of maps; items of another kind are noted and left out.</summary>
    public IReadOnlyList<YamlMap> Maps(string key, int min, int max)
    {
        var items = List(key, min, max);
        foreach (var item in items.Where(item => item is not YamlMap)) Error(item, $"is {item.Kind}", "a map of keys and values");
        return [.. items.OfType<YamlMap>()];
    }

    /// <summary>Reads a list of single values by a function of the caller's own; wrong items are noted and left out.</summary>
    public IReadOnlyList<T> Values<T>(string key, Func<string, T?> parse, string allowed, int min, int max)
        where T : struct
    {
        var values = new List<T>();
        foreach (var item in List(key, min, max))
        {
            if (item is YamlScalar scalar && parse(scalar.Text) is { } value) values.Add(value);
            else Error(item, item is YamlScalar wrong ? $"is {Shown(wrong)}" : $"is {item.Kind}", allowed);
        }

        return values;
    }

    /// <summary>Reports a key that exists but does not belong here, with a better reason than that it is unknown.</summary>
    public void Refuse(string key, string message)
    {
        if (_entries.ContainsKey(key) && _refused.Add(key)) Error(key, message);
    }

    /// <summary>Reports every key that no reader asked for. An unknown key is mostly a misspelt one, so it is never ignored.</summary>
    public void End()
    {
        foreach (var key in _entries.Keys.Where(key => !_asked.Contains(key) && !_refused.Contains(key)))
            Error(key, "unknown key", string.Join(", ", _asked));
    }

    /// <summary>Returns the word of an enumeration's member: <c>WarnOnly</c> is <c>warn_only</c>.</summary>
    public static string Word<TEnum>(TEnum value)
        where TEnum : struct, System.Enum =>
        string.Concat(value.ToString().Select((c, i) => char.IsUpper(c) ? (i == 0 ? "" : "_") + char.ToLowerInvariant(c) : c.ToString()));

    private static TimeSpan? ParseDuration(string text)
    {
        var match = DurationForm().Match(text);
        if (!match.Success) return null;
        if (!long.TryParse(match.Groups[1].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return null;
        if (number > 1_000_000_000) return null; // Far above every range, and below the overflow of a TimeSpan in days.
        return match.Groups[2].Value switch
        {
            "ms" => TimeSpan.FromMilliseconds(number),
            "s" => TimeSpan.FromSeconds(number),
            "m" => TimeSpan.FromMinutes(number),
            "h" => TimeSpan.FromHours(number),
            _ => number > 10_000_000 ? null : TimeSpan.FromDays((int)number),
        };
    }

    private static string DurationText(TimeSpan value) => value switch
    {
        { TotalDays: >= 1 } when value.Ticks % TimeSpan.TicksPerDay == 0 => Quantity(value.TotalDays, "d"),
        { TotalHours: >= 1 } when value.Ticks % TimeSpan.TicksPerHour == 0 => Quantity(value.TotalHours, "h"),
        { TotalMinutes: >= 1 } when value.Ticks % TimeSpan.TicksPerMinute == 0 => Quantity(value.TotalMinutes, "m"),
        { TotalSeconds: >= 1 } when value.Ticks % TimeSpan.TicksPerSecond == 0 => Quantity(value.TotalSeconds, "s"),
        _ => Quantity(value.TotalMilliseconds, "ms"),
    };

    private static string Quantity(double number, string unit) => string.Create(CultureInfo.InvariantCulture, $"{number}{unit}");

    private static string Shown(YamlScalar scalar) =>
        scalar.Text.Length > 60 ? $"\"{scalar.Text[..60]}...\"" : $"\"{scalar.Text}\"";

    [GeneratedRegex(@"^([0-9]{1,18})(ms|s|m|h|d)\z")]
    private static partial Regex DurationForm();

    private YamlScalar? Scalar(string key, bool optional)
    {
        if (Find(key, optional) is not { } node) return null;
        if (node is YamlScalar scalar) return scalar;
        Error(key, $"is {node.Kind}", "a single value");
        return null;
    }

    private YamlNode? Find(string key, bool optional)
    {
        _asked.Add(key);
        if (_entries.TryGetValue(key, out var node) && node is not YamlScalar { IsNull: true }) return node;
        if (!optional) Error(key, "is missing");
        return null;
    }

    private string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";
}
