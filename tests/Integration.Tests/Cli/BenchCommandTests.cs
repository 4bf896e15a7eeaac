using System.Text.Json;
using Massif.Benchmarks;
using Massif.Cli;

namespace Massif.Integration.Tests.Cli;

public sealed class BenchCommandTests
{
    [Theory]
    [InlineData(
        "--only", "everything",
        "--only is everything; allowed: parse, ingest, broadcast-4, broadcast-7, whole-way, whole-way-3-paths.")]
    [InlineData("--peer", "syslogd", "--peer is syslogd; allowed: rsyslog.")]
    [InlineData("--seconds", "0", "--seconds is 0; allowed: 1 to 600.")]
    [InlineData("--seconds", "601", "--seconds is 601; allowed: 1 to 600.")]
    public async Task A_wrong_argument_is_told_before_anything_is_measured(string option, string value, string mistake)
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(ExitCodes.Usage, await CommandLine.RunAsync(["bench", option, value], output, error));
        Assert.Contains(mistake, error.ToString(), StringComparison.Ordinal);
        Assert.Equal("", output.ToString());
    }

    [Fact]
    public async Task Json_is_one_array_of_rows_with_the_machine_first()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        Assert.Equal(ExitCodes.Ok, await CommandLine.RunAsync(["bench", "--only", "parse", "--seconds", "1", "--json"], output, error));
        using var document = JsonDocument.Parse(output.ToString());
        var rows = document.RootElement.EnumerateArray().ToList();
        Assert.Equal(
            ["machine: memory copy", "machine: SHA-256", "machine: loopback TCP", "machine: TLS 1.3", "parse"],
            rows.Select(row => row.GetProperty("name").GetString()));
        Assert.Equal(JsonValueKind.Null, rows[0].GetProperty("limit").ValueKind);
        Assert.Equal("events/s", rows[4].GetProperty("unit").GetString());
        foreach (var number in (string[])["value", "cpu_us_per_event", "limit", "ratio"])
            Assert.True(rows[4].GetProperty(number).GetDouble() > 0, number);
        Assert.Contains("parse", error.ToString(), StringComparison.Ordinal); // Progress is not mixed with the result.
    }

    [Fact]
    public void A_row_of_nodes_names_their_memory_and_its_ratio_to_the_limit()
    {
        var memory = new Dictionary<string, double> { ["core1"] = 200.5 };
        var row = BenchRow.OfEvents("broadcast-4", 250_000, 4.5, 1_000_000, "TLS to 4 replicas", memory);
        using var document = JsonDocument.Parse(BenchRow.ToJson([row]));
        var only = Assert.Single(document.RootElement.EnumerateArray());
        Assert.Equal(0.25, only.GetProperty("ratio").GetDouble());
        Assert.Equal(200.5, only.GetProperty("memory_mib").GetProperty("core1").GetDouble());
        Assert.Empty(only.GetProperty("cpu_us_per_event_by_node").EnumerateObject());
    }

    [ToolFact("rsyslogd")]
    public async Task A_peer_is_measured_with_the_same_lines_and_says_what_it_spent()
    {
        var (output, error) = (new StringWriter(), new StringWriter());
        string[] command = ["bench", "--only", "parse", "--peer", "rsyslog", "--seconds", "1", "--json"];
        Assert.Equal(ExitCodes.Ok, await CommandLine.RunAsync(command, output, error));
        using var document = JsonDocument.Parse(output.ToString());
        var row = document.RootElement.EnumerateArray().Last();
        Assert.Equal("peer rsyslog: TCP to file", row.GetProperty("name").GetString());
        Assert.True(row.GetProperty("value").GetDouble() > 0);
        var byNode = row.GetProperty("cpu_us_per_event_by_node");
        Assert.Equal(row.GetProperty("cpu_us_per_event").GetDouble(), byNode.GetProperty("rsyslog").GetDouble());
        Assert.True(row.GetProperty("memory_mib").GetProperty("rsyslog").GetDouble() > 0);
    }
}
