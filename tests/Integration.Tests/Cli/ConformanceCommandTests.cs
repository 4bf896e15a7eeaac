namespace Massif.Integration.Tests.Cli;

public sealed class ConformanceCommandTests
{
    private static string Vectors => Path.Combine(Checkout.Root, "tests", "Conformance.Tests", "Vectors");

    [Fact]
    public async Task All_vectors_that_this_build_supports_pass()
    {
        var (code, output, _) = await CommandLineTests.Run(["conformance", .. Directory.GetFiles(Vectors, "*.jsonl")]);
        Assert.EndsWith(" passed, 0 failed\n", output, StringComparison.Ordinal);
        Assert.Equal(0, code);
    }

    [Fact]
    public async Task A_vector_that_does_not_hold_is_shown_with_what_differed()
    {
        using var directory = new TemporaryDirectory();
        var first = File.ReadLines(Path.Combine(Vectors, "payload-vectors.jsonl")).First();
        var wrong = first.Replace("\"user\": \"root\"", "\"user\": \"nobody\"", StringComparison.Ordinal);
        var file = directory.Write("wrong.jsonl", wrong + "\n" + first + "\nno json\n");
        var (code, output, _) = await CommandLineTests.Run("conformance", file);
        Assert.Equal(1, code);
        Assert.Contains("wrong.jsonl:1: ssh-fail", output, StringComparison.Ordinal);
        Assert.Contains("nobody", output, StringComparison.Ordinal);
        Assert.Contains("wrong.jsonl:3", output, StringComparison.Ordinal);
        Assert.EndsWith("\n1 passed, 2 failed\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_a_usage_mistake()
    {
        Assert.Equal(2, (await CommandLineTests.Run("conformance", "/does/not/exist.jsonl")).Code);
        var (code, _, error) = await CommandLineTests.Run("conformance", Vectors);
        Assert.Equal((2, $"{Vectors} is a directory; name the files in it.\n"), (code, error));
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_a_usage_mistake()
    {
        // Every process may open its own memory on Linux, and nobody can read its first page.
        var (code, output, error) = await CommandLineTests.Run("conformance", "/proc/self/mem");
        Assert.Equal((2, ""), (code, output));
        Assert.StartsWith("Cannot be read: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Vectors_of_protocols_that_this_build_has_not_are_neither_passed_nor_failed()
    {
        using var directory = new TemporaryDirectory();
        var file = directory.Write("later.jsonl", """
            {"id":"one","proto":"relp","limit":8192,"chunks":["1 open 0\n"],"expect":{"frames":[]}}
            {"id":"two","input":"x","expect":{"format":"morse"}}
            """);
        var (code, output, _) = await CommandLineTests.Run("conformance", file);
        Assert.Equal(0, code);
        Assert.Contains("not supported: 1 (protocol relp): one\n", output, StringComparison.Ordinal);
        Assert.Contains("not supported: 1 (format morse): two\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\n0 passed, 0 failed\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_without_a_vector_proves_nothing()
    {
        using var directory = new TemporaryDirectory();
        var (code, output, _) = await CommandLineTests.Run("conformance", directory.Write("empty.jsonl", ""));
        Assert.Equal((1, "0 passed, 0 failed\n"), (code, output));
    }
}
