using System.CommandLine;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary>How commands tell what is wrong.</summary>
internal static class Report
{
    /// <summary>Prints all mistakes, one a line, on standard error.</summary>
    /// <returns>The exit code; null when there is no mistake.</returns>
    public static int? Errors(IReadOnlyList<ConfigError> errors, ParseResult parse)
    {
        if (errors.Count == 0) return null;
        var error = parse.InvocationConfiguration.Error;
        foreach (var mistake in errors) error.WriteLine(mistake);
        if (errors.Count > 1) error.WriteLine($"{errors.Count} mistakes.");
        return ExitCodes.Usage;
    }
}
