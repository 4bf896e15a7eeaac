using System.Text.Json;

namespace Massif.Get.Conformance;

/// <summary>
/// Runs conformance vectors, one JSON object a line, in the three forms that the vectors' conventions describe: a
/// syslog
/// message ("input"), the chunks of a connection ("chunks"), a message text of an application ("message").
/// </summary>
public static class ConformanceRunner
{
    /// <summary>
    /// Runs all vectors, blank lines apart. Pure: a line that cannot be read is a failure, not an exception.
    /// </summary>
    /// <param name="lines">The lines of one file.</param>
    /// <param name="name">Name of the file, for the results.</param>
    public static IEnumerable<ConformanceResult> Run(IEnumerable<string> lines, string name)
    {
        ArgumentNullException.ThrowIfNull(lines);
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            if (!string.IsNullOrWhiteSpace(line)) yield return RunLine(line, name, number);
        }
    }

    private static ConformanceResult RunLine(string line, string name, int number)
    {
        var id = "";
        var differences = new Differences();
        try
        {
            using var document = JsonDocument.Parse(line);
            var vector = document.RootElement;
            id = vector.GetProperty("id").GetString() ?? "";
            RunVector(vector, differences);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            differences.Add($"the vector cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            // A parser must never throw. One that does fails this vector, and the others are still run.
            differences.Add($"the parser threw {e.GetType().Name}: {e.Message}");
        }

        if (differences.NotSupported is { } reason)
            return new(name, number, id, ConformanceOutcome.NotSupported, [reason]);
        var outcome = differences.Found.Count == 0 ? ConformanceOutcome.Passed : ConformanceOutcome.Failed;
        return new(name, number, id, outcome, differences.Found);
    }

    private static void RunVector(JsonElement vector, Differences differences)
    {
        if (vector.TryGetProperty("chunks", out _)) FramingVector.Run(vector, differences);
        else if (vector.TryGetProperty("input", out _) || vector.TryGetProperty("input_b64", out _))
            SyslogVector.Run(vector, differences);
        else if (vector.TryGetProperty("message", out _)) PayloadVector.Run(vector, differences);
        else throw new FormatException("it has neither input nor chunks nor message");
    }
}
