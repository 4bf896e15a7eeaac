using System.CommandLine;
using System.Globalization;
using Massif.Get.Conformance;

namespace Massif.Cli.Commands;

/// <summary><c>massif conformance</c>: runs vectors against the parsers of this build.</summary>
internal static class ConformanceCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var files = new Argument<string[]>("FILE")
        {
            Description = "Files of vectors, one JSON object a line.",
            Arity = ArgumentArity.OneOrMore,
        };
        var command = new Command(
            "conformance",
            "Run conformance vectors against the parsers of this build. Three forms, as in tests/Conformance.Tests/Vectors: a syslog " +
            "message, the chunks of a connection, the text of an application. Prints each failure with what differed; what this build " +
            "does not support is counted apart. Exit code 0: none failed. 1: one failed, or there was none at all. 2: usage.")
        {
            files,
        };
        command.SetAction(parse => RunFiles(
            parse.GetValue(files)!, parse.InvocationConfiguration.Output, parse.InvocationConfiguration.Error));
        return command.WithExamples("massif conformance tests/Conformance.Tests/Vectors/*.jsonl");
    }

    private static int RunFiles(IReadOnlyList<string> files, TextWriter output, TextWriter error)
    {
        var missing = files.Where(file => !File.Exists(file)).ToList();
        foreach (var file in missing)
            error.WriteLine(Directory.Exists(file) ? $"{file} is a directory; name the files in it." : $"{file} does not exist.");
        if (missing.Count > 0) return ExitCodes.Usage;

        try
        {
            return Run(files, output);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            error.WriteLine($"Cannot be read: {e.Message}");
            return ExitCodes.Usage;
        }
    }

    private static int Run(IReadOnlyList<string> files, TextWriter output)
    {
        var (passed, failed) = (0, 0);
        var unsupported = new List<ConformanceResult>();
        foreach (var result in files.SelectMany(file => ConformanceRunner.Run(File.ReadLines(file), file)))
        {
            switch (result.Outcome)
            {
                case ConformanceOutcome.Passed: passed++; break;
                case ConformanceOutcome.NotSupported: unsupported.Add(result); break;
                default:
                    failed++;
                    output.WriteLine($"{result.Source}:{result.Line}: {result.Id}");
                    foreach (var difference in result.Differences) output.WriteLine($"    {difference}");
                    break;
            }
        }

        foreach (var reason in unsupported.GroupBy(result => result.Differences[0]))
            output.WriteLine($"not supported: {reason.Count()} ({reason.Key}): {string.Join(' ', reason.Select(result => result.Id))}");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{passed} passed, {failed} failed"));
        return failed > 0 || passed + unsupported.Count == 0 ? ExitCodes.Failed : ExitCodes.Ok;
    }
}
