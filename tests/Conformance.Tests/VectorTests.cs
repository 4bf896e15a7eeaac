using Massif.Get.Conformance;

namespace Massif.Conformance.Tests;

public sealed class VectorTests
{
    [Theory]
    [InlineData("syslog-vectors.jsonl", 103, 0)]
    [InlineData("syslog-framing-vectors.jsonl", 21, 6)] // RELP and the PROXY protocol.
    [InlineData("payload-vectors.jsonl", 12, 0)]
    [InlineData("own-syslog-vectors.jsonl", 419, 0)] // More of the three kinds, made from the same rules.
    [InlineData("own-framing-vectors.jsonl", 104, 0)]
    [InlineData("own-payload-vectors.jsonl", 115, 0)]
    public void Every_supported_vector_passes(string file, int passed, int notSupported)
    {
        var results = Run(file);

        var failures = results.Where(result => result.Outcome == ConformanceOutcome.Failed)
            .Select(result => $"{result.Id}: {string.Join("; ", result.Differences)}");
        Assert.Empty(failures);
        Assert.Equal(passed, results.Count(result => result.Outcome == ConformanceOutcome.Passed));
        Assert.Equal(notSupported, results.Count(result => result.Outcome == ConformanceOutcome.NotSupported));
    }

    [Theory]
    [InlineData("syslog-vectors.jsonl")]
    [InlineData("syslog-framing-vectors.jsonl")]
    [InlineData("payload-vectors.jsonl")]
    public void The_runner_notices_a_wrong_expectation(string file)
    {
        // Every number and every frame changed: no vector that is run may still pass.
        var lines = File.ReadAllLines(Path.Combine("Vectors", file)).Select(line => line
            .Replace("\"facility\": ", "\"facility\": 9", StringComparison.Ordinal)
            .Replace("\"frames\": [", "\"frames\": [\"another\", ", StringComparison.Ordinal)
            .Replace(", ]", "]", StringComparison.Ordinal)
            .Replace("\"count\": ", "\"count\": 9", StringComparison.Ordinal));

        var results = ConformanceRunner.Run(lines, file).ToList();

        Assert.DoesNotContain(results, result => result.Outcome == ConformanceOutcome.Passed);
    }

    [Fact]
    public void What_cannot_be_read_fails_and_says_why()
    {
        string[] lines = ["", "not json", "{}", """{"id":"a"}""", """{"id":"b","input":"x","expect":{"format":"morse"}}"""];

        var results = ConformanceRunner.Run(lines, "some").ToList();

        Assert.Equal([2, 3, 4, 5], results.Select(result => result.Line));
        Assert.All(results.Take(3), result => Assert.Equal(ConformanceOutcome.Failed, result.Outcome));
        Assert.All(results, result => Assert.NotEmpty(result.Differences));
        Assert.Equal(ConformanceOutcome.NotSupported, results[3].Outcome);
    }

    [Theory]
    [InlineData("""{"id":"a","proto":"tcp","limit":0,"chunks":["x"],"expect":{"frames":["x"],"flags":[]}}""")]
    [InlineData("""{"id":"a","proto":"tcp","limit":-1,"chunks":["x"],"expect":{"frames":["x"],"flags":[]}}""")]
    [InlineData("""{"id":"a","input":"<13>1 - - - - - [a]","expect":{"format":"rfc5424","structured_data":[{"id":"a","params":[[]]}]}}""")]
    [InlineData("""{"id":"a","input":"\ud800","expect":{"format":"raw"}}""")]
    [InlineData("""{"id":"a","app":"sshd","message":"x","expect":{"colour":"red"}}""")]
    public void A_vector_that_makes_no_sense_fails_alone(string line)
    {
        var results = ConformanceRunner.Run([line, """{"id":"b","input":"x","expect":{"format":"raw"}}"""], "some").ToList();

        Assert.Equal([ConformanceOutcome.Failed, ConformanceOutcome.Passed], results.Select(result => result.Outcome));
    }

    private static List<ConformanceResult> Run(string file) =>
        [.. ConformanceRunner.Run(File.ReadLines(Path.Combine("Vectors", file)), file)];
}
