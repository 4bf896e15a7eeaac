using Massif.Reb.Telemetry;

namespace Massif.Reb.Tests.Telemetry;

public sealed class PrometheusTextTests
{
    [Fact]
    public void The_text_is_what_prometheus_reads()
    {
        Metric[] metrics =
        [
            Metric.Counter("massif_events_total", "Events taken in.", 1_234_567_890_123),
            Metric.Gauge("massif_load", "A \\ and a\nline end.", 0.25),
            Metric.By("reason", "massif_drops_total", MetricKind.Counter, "Drops.", [new("a\"b\\c\nd", 1), new("late", 2)]),
            new("massif_none", MetricKind.Gauge, "Nothing yet."),
            Metric.Gauge("massif_far", "Far.", double.PositiveInfinity),
        ];
        Assert.Equal(
            """
            # HELP massif_events_total Events taken in.
            # TYPE massif_events_total counter
            massif_events_total 1234567890123
            # HELP massif_load A \\ and a\nline end.
            # TYPE massif_load gauge
            massif_load 0.25
            # HELP massif_drops_total Drops.
            # TYPE massif_drops_total counter
            massif_drops_total{reason="a\"b\\c\nd"} 1
            massif_drops_total{reason="late"} 2
            # HELP massif_none Nothing yet.
            # TYPE massif_none gauge
            # HELP massif_far Far.
            # TYPE massif_far gauge
            massif_far +Inf

            """.ReplaceLineEndings("\n"),
            PrometheusText.Write(metrics));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1st")]
    [InlineData("with-hyphen")]
    public void A_name_that_the_format_does_not_allow_is_our_own_mistake(string name) =>
        Assert.Throws<ArgumentException>(() => PrometheusText.Write([Metric.Gauge(name, "", 1)]));
}
