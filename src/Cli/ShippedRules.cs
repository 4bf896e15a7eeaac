namespace Massif.Cli;

/// <summary>The rule file that comes with Massif (<c>configs/rules/ssh-bruteforce.yaml</c>), which a new domain starts with.</summary>
internal static class ShippedRules
{
    /// <summary>Gets its text.</summary>
    public static string Text { get; } = Read();

    private static string Read()
    {
        using var stream = typeof(ShippedRules).Assembly.GetManifestResourceStream("rules.yaml")
            ?? throw new InvalidOperationException("The program was built without configs/rules/ssh-bruteforce.yaml.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
