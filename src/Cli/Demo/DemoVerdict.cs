using System.Globalization;

namespace Massif.Cli.Demo;

/// <summary>The result in words for people.</summary>
internal static class DemoVerdict
{
    /// <summary>Returns what was counted, in one line.</summary>
    public static string Counted(DemoResult result) =>
        $"{Count(result.Sent, "line")} sent, {Number(result.Lost)} lost, {Count(result.Duplicates, "duplicate")}, " +
        $"{Count(result.Alarms.Count, "alarm")}; the replicas {(result.Agree ? "agree" : "do not agree")}.";

    /// <summary>Returns everything that is said at the end, line by line.</summary>
    public static IEnumerable<string> Lines(DemoResult result)
    {
        yield return Counted(result);
        foreach (var fault in result.Faults)
            yield return $"{fault.Kind} of {fault.Node} at line {Number(fault.At)}: {fault.Detected ?? "not noticed"}";
        yield return result.Broken.Count switch
        {
            0 => "Every promise was kept.",
            1 => "A promise was broken:",
            _ => "Promises were broken:",
        };
        foreach (var broken in result.Broken) yield return $"  {broken}";
    }

    /// <summary>Returns a number as all of them are written here.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Count(long number, string what) => $"{Number(number)} {what}{(number == 1 ? "" : "s")}";
}
