namespace Massif.Cli.Demo;

/// <summary>The files whose lines are replayed, each known to be there and to be readable more than once.</summary>
/// <param name="Files">The files, in order.</param>
/// <param name="Lines">How many lines they have.</param>
internal sealed record DemoInput(IReadOnlyList<string> Files, long Lines)
{
    /// <summary>The name under which standard input is replayed.</summary>
    public const string StandardInput = "-";

    private const string StandardInputFile = "/dev/stdin";

    /// <summary>Returns what is wrong with the names that were given; empty when nothing is.</summary>
    public static IReadOnlyList<string> MistakesIn(DemoRequest request)
    {
        if (request.UsesSamples) return Samples.Find().Count > 0 ? [] : ["The samples are not here; name a log file with --input FILE."];
        return [.. request.Inputs.Select(MistakeIn).OfType<string>()];
    }

    /// <summary>Counts the lines. What can be read once only, such as a pipe, is written to a file first.</summary>
    /// <param name="request">What was asked.</param>
    /// <param name="directory">Where such files go.</param>
    /// <param name="cancel">Ends waiting for a pipe.</param>
    /// <returns>The input; or what is wrong with it.</returns>
    public static async Task<(DemoInput? Input, string Mistake)> OpenAsync(DemoRequest request, string directory, CancellationToken cancel)
    {
        var files = new List<string>();
        try
        {
            foreach (var file in request.UsesSamples ? Samples.Find() : request.Inputs)
                files.Add(await SettleAsync(PathOf(file), Path.Combine(directory, $"input-{files.Count + 1}"), cancel));
            var lines = InputLines.Count(files);
            return lines > 0 ? (new(files, lines), "") : (null, $"--input: there is no line in {string.Join(", ", request.Inputs)}.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            return (null, $"--input: {e.Message}");
        }
    }

    private static string? MistakeIn(string file)
    {
        if (file == StandardInput || File.Exists(file)) return null;
        if (Directory.Exists(file)) return $"--input: {file} is a directory; name the files in it.";
        return file.StartsWith('-') ? $"--input: {file} is no file, and no option of massif demo." : $"--input: {file} does not exist.";
    }

    private static string PathOf(string file) => file == StandardInput ? StandardInputFile : file;

    // Opening a pipe waits for whoever writes into it, for as long as that takes; Ctrl-C does not.
    private static Task<string> SettleAsync(string file, string copy, CancellationToken cancel) => Task.Run(
        () =>
        {
            using var source = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            if (source.CanSeek) return file;
            Console.Error.WriteLine($"Reading {(file == StandardInputFile ? "standard input" : file)} to its end first.");
            using var kept = new FileStream(copy, FileMode.CreateNew, FileAccess.Write);
            source.CopyTo(kept);
            return copy;
        },
        CancellationToken.None).WaitAsync(cancel);
}

/// <summary>The log lines that come with Massif.</summary>
internal static class Samples
{
    /// <summary>Returns the files in the order of their names; none when they are not there.</summary>
    public static IReadOnlyList<string> Find()
    {
        for (var place = new DirectoryInfo(AppContext.BaseDirectory); place is not null; place = place.Parent)
        {
            var directory = Path.Combine(place.FullName, "samples");
            if (!Directory.Exists(directory)) continue;
            var files = Directory.GetFiles(directory, "*.log").Order(StringComparer.Ordinal).ToList();
            if (files.Count > 0) return files;
        }

        return [];
    }
}
