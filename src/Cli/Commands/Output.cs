using System.CommandLine;
using Massif.Client;
using Massif.Events;
using Spectre.Console;

namespace Massif.Cli.Commands;

/// <summary>How commands print what a domain told. What replicas and sources wrote never reaches a terminal as it is.</summary>
internal static class Output
{
    /// <summary>Names on standard error who does not agree.</summary>
    public static void Notes(ParseResult parse, IEnumerable<ReplicaStatus> replicas)
    {
        foreach (var replica in replicas.Where(replica => replica.State != ReplicaState.Agrees))
            parse.InvocationConfiguration.Error.WriteLine($"{replica.Id}: {Word(replica.State)}: {Printable(replica.Note ?? "")}");
    }

    /// <summary>Returns the colour of a state or a severity; null for what needs no attention.</summary>
    public static Color? ColourOf(string word) => word switch
    {
        "agrees" or "ok" => Color.Green,
        "behind" or "medium" or "checking" => Color.Yellow,
        "differs" or "silent" or "lost" or "high" or "critical" => Color.Red,
        _ => null,
    };

    /// <summary>Returns a state as people read it.</summary>
    public static string Word(ReplicaState state) => state.ToString().ToLowerInvariant();

    /// <summary>Returns a text in which control characters are written out.</summary>
    public static string Printable(string text) => EventText.Printable(text);

    /// <summary>
    /// Returns JSON as the replicas sent it, byte for byte, where it goes to a program. On a terminal the characters that could
    /// disguise a line are written as escapes, which mean the same.
    /// </summary>
    public static string Json(ParseResult parse, string json) => IsTerminal(parse) ? Printable(json) : json;

    private static bool IsTerminal(ParseResult parse) =>
        ReferenceEquals(parse.InvocationConfiguration.Output, Console.Out) && !Console.IsOutputRedirected;
}
