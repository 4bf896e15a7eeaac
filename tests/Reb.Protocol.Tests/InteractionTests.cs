using System.Text;

namespace Massif.Reb.Protocol.Tests;

/// <summary>Text transcripts that people read: a command, a line of dashes, what came out. MASSIF_REWRITE=1 writes them anew.</summary>
public sealed class InteractionTests
{
    private const string Dashes = "----";

    public static TheoryData<string> Transcripts()
    {
        var names = new TheoryData<string>();
        foreach (var file in Directory.GetFiles(FolderOfOutput(), "*.txt").Order(StringComparer.Ordinal))
            names.Add(Path.GetFileNameWithoutExtension(file));
        return names;
    }

    [Theory]
    [MemberData(nameof(Transcripts))]
    public void The_transcript_is_what_happens(string name)
    {
        var expected = File.ReadAllText(Path.Combine(FolderOfOutput(), name + ".txt"));
        var actual = Replay(expected);
        if (Environment.GetEnvironmentVariable("MASSIF_REWRITE") == "1")
            File.WriteAllText(Path.Combine(FolderOfSources(), name + ".txt"), actual);
        else
            Assert.Equal(expected, actual, ignoreLineEndingDifferences: true);
    }

    /// <summary>Keeps comments and commands and writes the output that they have now.</summary>
    private static string Replay(string transcript)
    {
        var rig = new InteractionRig();
        var text = new StringBuilder();
        var inOutput = false;
        foreach (var line in transcript.ReplaceLineEndings("\n").TrimEnd('\n').Split('\n'))
        {
            if (line.Length == 0 && inOutput) inOutput = false;
            if (inOutput) continue;
            text.Append(line).Append('\n');
            if (line.Length == 0 || line[0] == '#') continue;
            if (line == Dashes)
            {
                text.Append(rig.TakeOutput());
                inOutput = true;
            }
            else
            {
                rig.Run(line);
            }
        }

        return text.ToString();
    }

    private static string FolderOfOutput() => Path.Combine(AppContext.BaseDirectory, "Interactions");

    private static string FolderOfSources()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!Directory.Exists(Path.Combine(folder.FullName, "Interactions")) || folder.Name == "net10.0")
            folder = folder.Parent ?? throw new DirectoryNotFoundException("Interactions");
        return Path.Combine(folder.FullName, "Interactions");
    }
}
