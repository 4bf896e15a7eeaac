using System.CommandLine;
using System.Text.RegularExpressions;
using Massif.Mis.Core.Rules;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary><c>massif check-config</c>: what a node does before it opens a socket, and nothing else.</summary>
internal static partial class CheckConfigCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Each a node.yaml (checked with all that it names), a domain.yaml, or a rule file.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command(
            "check-config",
            "Check a configuration completely and start nothing. Unknown keys, ranges, relations, certificates, file permissions, " +
            "rules: all mistakes are printed at once, each with file and line. Exit code 0: a node could start with it. 2: it could not.")
        {
            files,
        };
        command.SetAction(parse =>
        {
            var mistakes = new List<ConfigError>();
            foreach (var path in parse.GetValue(files)!)
            {
                var found = Check(path);
                mistakes.AddRange(found.Except(mistakes)); // Nodes that name the same file tell the same of it.
                if (found.Count == 0) parse.InvocationConfiguration.Output.WriteLine($"{path}: no mistake.");
            }

            return Report.Errors(mistakes, parse) ?? ExitCodes.Ok;
        });
        return command.WithExamples(
            "massif check-config /etc/massif/nodes/core1/node.yaml",
            "massif check-config /etc/massif/domain.yaml /etc/massif/nodes/*/node.yaml");
    }

    /// <summary>Checks a <c>node.yaml</c> with all that it names, the rules included.</summary>
    public static IReadOnlyList<ConfigError> CheckNode(string path)
    {
        var errors = new List<ConfigError>(NodeConfig.Check(path));
        var rules = NodeOptions.RulesFileIn(path);
        if (File.Exists(rules)) errors.AddRange(CheckRules(rules)); // A missing file is told already.
        return errors;
    }

    private static IReadOnlyList<ConfigError> Check(string path) => Kind(path) switch
    {
        "nodes" => Domain.Load(path).Errors,
        "rules" => CheckRules(path),
        _ => CheckNode(path),
    };

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
            return File.ReadLines(path).Select(line => KindKey().Match(line)).FirstOrDefault(match => match.Success)?.Groups[1].Value;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // The reader says what is wrong with it.
        }
    }

    [GeneratedRegex(@"^(nodes|rules)\s*:(\s|$)")]
    private static partial Regex KindKey();
}
