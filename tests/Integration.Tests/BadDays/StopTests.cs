using System.Net;

namespace Massif.Integration.Tests.BadDays;

/// <summary>SIGTERM, and what a node's log looks like.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class StopTests
{
    private const double IdleBytesMax = 250e6;

    // Asked of the running process, because a runtime ignores a setting that it does not know, and the node grows past 250 MB under load.
    private const double Gen0BudgetBytes = 32 * 1024 * 1024;

    [Fact]
    public async Task Every_node_ends_with_0_on_sigterm_is_small_when_idle_and_logs_lines_that_people_and_programs_read()
    {
        await using var domain = new LiveDomain();
        string[] nodes = ["core1", "relay1", "edge1"];
        foreach (var node in nodes) domain.StartProcess(node);
        await Task.WhenAll(nodes.Select(node => Until.HoldsAsync(
            async () => (await domain.AskAsync(node, "healthz")).Status == HttpStatusCode.OK,
            () => $"{node} does not live. {domain.LastWords(node)}")));
        foreach (var node in nodes)
        {
            var metrics = await domain.MetricsAsync(node);
            Assert.InRange(metrics.Sum("process_resident_memory_bytes"), 1e6, IdleBytesMax);
            Assert.Equal(Gen0BudgetBytes, metrics.Sum("dotnet_gc_gen0_budget_max_bytes"));
            Assert.InRange(metrics.Sum("massif_memory_bound_bytes"), 100e6, 10e9);
        }

        var codes = await Task.WhenAll(nodes.Select(node => domain.Process(node).TerminateAsync()));
        Assert.Equal([0, 0, 0], codes);
        foreach (var node in nodes)
        {
            var log = await File.ReadAllLinesAsync(domain.Process(node).LogFile);
            var form = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ (debug|info |warn |error|fatal) " +
                $@"{node}: .+ event=[a-z_]+( [a-z_]+=(""[^""]*""|[^ ""]+))*$";
            Assert.All(log, line => Assert.Matches(form, line));
            Assert.Contains(log, line => line.Contains($"runs as process {domain.Process(node).Id}", StringComparison.Ordinal));
            Assert.Single(log, line => line.EndsWith("stopping event=stopping", StringComparison.Ordinal));
            Assert.InRange(log.Count(line => line.Contains(" event=memory_item ", StringComparison.Ordinal)), 5, 40);
            Assert.Single(log, line => line.Contains(" in all, besides the program itself event=memory_total ", StringComparison.Ordinal));
        }
    }
}
