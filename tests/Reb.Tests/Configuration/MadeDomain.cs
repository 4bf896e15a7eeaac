using Massif.Reb.Configuration;

namespace Massif.Reb.Tests.Configuration;

/// <summary>A domain made on disk, as massif init makes it; gone after the test.</summary>
internal sealed class MadeDomain : IDisposable
{
    public MadeDomain(Func<DomainMakerOptions, DomainMakerOptions>? change = null)
    {
        var options = new DomainMakerOptions { Name = "acme", RulesText = "rules: []\n" };
        Assert.Empty(DomainMaker.Create(Root, change?.Invoke(options) ?? options));
    }

    public string Root { get; } = Path.Combine(Path.GetTempPath(), "massif-test-" + Path.GetRandomFileName());

    public string At(params string[] parts) => Path.Combine([Root, .. parts]);

    public string Node(string id) => At("nodes", id, "node.yaml");

    /// <summary>Replaces text in a file; the text must be there.</summary>
    public static void Edit(string file, string old, string replacement)
    {
        var text = File.ReadAllText(file);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(file, text.Replace(old, replacement, StringComparison.Ordinal));
    }

    public static int LineOf(string file, string text) =>
        1 + File.ReadLines(file).TakeWhile(line => !line.Contains(text, StringComparison.Ordinal)).Count();

    public void Dispose()
    {
        if (Directory.Exists(Root)) Directory.Delete(Root, recursive: true);
    }
}
