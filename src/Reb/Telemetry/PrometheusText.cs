using System.Globalization;
using System.Text;

namespace Massif.Reb.Telemetry;

/// <summary>Writes metrics in the text format of Prometheus, version 0.0.4.</summary>
public static class PrometheusText
{
    /// <summary>The value of the HTTP header Content-Type.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    /// <summary>Returns the text; every line ends with a line feed, as the format demands.</summary>
    /// <exception cref="ArgumentException">A name has a character that the format does not allow.</exception>
    public static string Write(IEnumerable<Metric> metrics)
    {
        ArgumentNullException.ThrowIfNull(metrics);
        var text = new StringBuilder();
        foreach (var metric in metrics)
        {
            CheckName(metric.Name);
            text.Append("# HELP ").Append(metric.Name).Append(' ');
            AppendEscaped(text, metric.Help, quotes: false);
            text.Append("\n# TYPE ").Append(metric.Name);
            text.Append(metric.Kind == MetricKind.Counter ? " counter\n" : " gauge\n");
            foreach (var sample in metric.Samples) AppendSample(text, metric.Name, sample);
        }

        return text.ToString();
    }

    private static void AppendSample(StringBuilder text, string name, MetricSample sample)
    {
        text.Append(name);
        for (var i = 0; i < sample.Labels.Length; i++)
        {
            CheckName(sample.Labels[i].Name);
            text.Append(i == 0 ? '{' : ',').Append(sample.Labels[i].Name).Append("=\"");
            AppendEscaped(text, sample.Labels[i].Value, quotes: true);
            text.Append('"');
        }

        if (!sample.Labels.IsEmpty) text.Append('}');
        text.Append(' ').Append(Number(sample.Value)).Append('\n');
    }

    private static string Number(double value) => value switch
    {
        double.PositiveInfinity => "+Inf",
        double.NegativeInfinity => "-Inf",
        _ => value.ToString("R", CultureInfo.InvariantCulture),
    };

    private static void AppendEscaped(StringBuilder text, string value, bool quotes)
    {
        foreach (var c in value)
        {
            if (c == '\\') text.Append("\\\\");
            else if (c == '\n') text.Append("\\n");
            else if (c == '"' && quotes) text.Append("\\\"");
            else text.Append(c);
        }
    }

    private static void CheckName(string name)
    {
        if (name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')) return;
        throw new ArgumentException($"'{name}' is no name of a metric or label.", nameof(name));
    }
}
