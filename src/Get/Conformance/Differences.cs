using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Events;

namespace Massif.Get.Conformance;

/// <summary>Collects what differs between a vector's expectation and what was found.</summary>
internal sealed class Differences
{
    private readonly List<string> _found = [];

    public IReadOnlyList<string> Found => _found;

    /// <summary>Gets why this build cannot run the vector; null when it can.</summary>
    public string? NotSupported { get; private set; }

    public void Add(string difference) => _found.Add(difference);

    public void Unsupported(string reason) => NotSupported = reason;

    /// <summary>Compares one value, both sides as text; null means absent.</summary>
    public void Compare(string what, string? expected, string? found)
    {
        if (!string.Equals(expected, found, StringComparison.Ordinal))
            _found.Add($"{what}: expected {Show(expected)}, found {Show(found)}");
    }

    /// <summary>Compares flags as sets.</summary>
    public void CompareFlags(JsonElement expected, EventFlags found)
    {
        var wanted = expected.EnumerateArray().Select(flag => flag.GetString() ?? "").ToHashSet(StringComparer.Ordinal);
        var had = FlagNames.NamesOf(found).ToHashSet(StringComparer.Ordinal);
        if (wanted.SetEquals(had)) return;
        _found.Add($"flags: missing [{Join(wanted.Except(had))}], too many [{Join(had.Except(wanted))}]");
    }

    /// <summary>Returns a JSON value as the text that is compared: null as null, strings without quotes.</summary>
    public static string? TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String => value.GetString(),
        _ => value.GetRawText(),
    };

    private static string Join(IEnumerable<string> names) => string.Join(", ", names.Order(StringComparer.Ordinal));

    private static string Show(string? value)
    {
        if (value is null) return "nothing";
        var shown = value.Length > 200 ? value[..200] + "..." : value;
        var result = new StringBuilder("\"");
        foreach (var c in shown)
        {
            if (char.IsControl(c)) result.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            else result.Append(c);
        }

        return result.Append('"').ToString();
    }
}
