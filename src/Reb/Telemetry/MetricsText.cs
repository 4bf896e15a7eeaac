using System.Globalization;

namespace Massif.Reb.Telemetry;

/// <summary>Numbers read from a node's <c>/metrics</c> (Prometheus text format, version 0.0.4).</summary>
public sealed class MetricsText
{
    private readonly List<Sample> _samples = [];

    /// <summary>Reads the text; lines that are no samples are left out.</summary>
    public static MetricsText Parse(string text)
    {
        var metrics = new MetricsText();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (!line.IsEmpty && line[0] != '#' && TryRead(line, out var sample)) metrics._samples.Add(sample);
        }

        return metrics;
    }

    /// <summary>Adds up all samples of the name whose labels have the given values; 0 when there is none.</summary>
    public double Sum(string name, params ReadOnlySpan<(string Label, string Value)> labels)
    {
        var sum = 0.0;
        foreach (var sample in _samples)
        {
            if (sample.Name == name && Matches(sample, labels)) sum += sample.Value;
        }

        return sum;
    }

    /// <summary>Returns the values of one label of a name with the sum of their samples, in the order of the text.</summary>
    public IReadOnlyList<(string Label, double Value)> By(string name, string label)
    {
        var found = new List<(string Label, double Value)>();
        foreach (var sample in _samples)
        {
            if (sample.Name != name || !sample.Labels.TryGetValue(label, out var value)) continue;
            var index = found.FindIndex(item => item.Label == value);
            if (index < 0) found.Add((value, sample.Value));
            else found[index] = (value, found[index].Value + sample.Value);
        }

        return found;
    }

    private static bool Matches(Sample sample, ReadOnlySpan<(string Label, string Value)> labels)
    {
        foreach (var (label, value) in labels)
        {
            if (!sample.Labels.TryGetValue(label, out var has) || has != value) return false;
        }

        return true;
    }

    private static bool TryRead(ReadOnlySpan<char> line, out Sample sample)
    {
        sample = null!;
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        var nameEnd = line.IndexOfAny('{', ' ');
        if (nameEnd <= 0) return false;
        var rest = line[nameEnd..];
        if (rest[0] == '{' && !TryReadLabels(ref rest, labels)) return false;
        rest = rest.Trim(' ');
        var valueEnd = rest.IndexOf(' '); // A time stamp may follow.
        if (valueEnd >= 0) rest = rest[..valueEnd];
        if (!double.TryParse(rest, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)) return false;
        sample = new(line[..nameEnd].ToString(), labels, value);
        return true;
    }

    private static bool TryReadLabels(ref ReadOnlySpan<char> rest, Dictionary<string, string> labels)
    {
        rest = rest[1..];
        while (!rest.IsEmpty && rest[0] != '}')
        {
            var equals = rest.IndexOf("=\"", StringComparison.Ordinal);
            if (equals <= 0) return false;
            var name = rest[..equals].Trim(", ").ToString();
            rest = rest[(equals + 2)..];
            var value = new System.Text.StringBuilder();
            while (!rest.IsEmpty && rest[0] != '"')
            {
                var escaped = rest[0] == '\\' && rest.Length > 1;
                value.Append(escaped ? (rest[1] == 'n' ? '\n' : rest[1]) : rest[0]);
                rest = rest[(escaped ? 2 : 1)..];
            }

            if (rest.IsEmpty) return false;
            labels[name] = value.ToString();
            rest = rest[1..];
        }

        if (rest.IsEmpty) return false;
        rest = rest[1..];
        return true;
    }

    private sealed record Sample(string Name, Dictionary<string, string> Labels, double Value);
}
