using System.CommandLine;
using Massif.Mis.Core.Rules;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary><c>massif check-config</c>: what a node does before it opens a socket, and nothing else.</summary>
internal static class CheckConfigCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var file = new Argument<string>("FILE")
        {
            Description = "A node.yaml (checked with all that it names), a domain.yaml, or a rule file.",
        };
        var command = new Command(
            "check-config",
            "Check a configuration completely and start nothing. Unknown keys, ranges, relations, certificates, file permissions, " +
            "rules: all mistakes are printed at once, each with file and line. Exit code 0: a node could start with it. 2: it could not.")
        {
            file,
        };
        command.SetAction(parse =>
        {
            var path = parse.GetValue(file)!;
            if (Report.Errors(Check(path), parse) is { } code) return code;
            parse.InvocationConfiguration.Output.WriteLine($"{path}: no mistake.");
            return ExitCodes.Ok;
        });
        return command.WithExamples(
            "massif check-config /etc/massif/nodes/core1/node.yaml",
            "massif check-config /etc/massif/domain.yaml");
    }

    private static IReadOnlyList<ConfigError> Check(string path) => Kind(path) switch
    {
        "nodes" => Domain.Load(path).Errors,
        "rules" => CheckRules(path),
        _ => CheckNode(path),
    };

    private static List<ConfigError> CheckNode(string path)
    {
        var errors = new List<ConfigError>(NodeConfig.Check(path));
        var rules = NodeOptions.Load(path).Options?.Core?.RulesFile;
        if (rules is not null && File.Exists(rules)) errors.AddRange(CheckRules(rules)); // A missing file is told already.
        return errors;
    }

    private static IReadOnlyList<ConfigError> CheckRules(string path)
    {
        var errors = new ConfigErrors();
        RuleFile.Load(path, errors);
        return errors.Items;
    }

    /// <summary>Returns the top-level key that tells a domain description or a rule file from a node's own file.</summary>
    private static string? Kind(string path)
    {
        try
        {
            return File.ReadLines(path).Select(line => line.TrimEnd()).FirstOrDefault(line => line is "nodes:" or "rules:")?.TrimEnd(':');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // The reader says what is wrong with it.
        }
    }
}
