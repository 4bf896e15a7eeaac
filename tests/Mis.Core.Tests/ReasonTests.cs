using Massif.Reb.Hosting;

namespace Massif.Mis.Core.Tests;

public sealed class ReasonTests
{
    [Theory]
    [InlineData("massif_verdicts_total{input=\"initial\",verdict=\"unauthentic\"}", true)]
    [InlineData("massif_evidence_total{kind=\"wrong_payload\"}", true)]
    [InlineData("massif_path_faults_total{neighbour=\"relay1\",reason=\"replayed\"}", true)]
    [InlineData("massif_verdicts_total{input=\"initial\",verdict=\"accepted\"}", false)]
    [InlineData("massif_verdicts_total{input=\"initial\",verdict=\"duplicate\"}", false)]
    [InlineData("massif_verdicts_total{input=\"initial\",verdict=\"early\"}", false)]
    [InlineData("massif_verdicts_total{input=\"votes\",verdict=\"old\"}", false)]
    [InlineData("massif_verdicts_total{input=\"votes\",verdict=\"unknown_life\"}", false)]
    [InlineData("massif_events_total", false)]
    public void An_operator_sees_what_raises_a_suspicion_and_not_what_every_start_brings(string counter, bool isReason)
    {
        var counters = new Counters();
        Assert.False(CoreHost.IsReason(counters.Of(counter)), "nothing happened yet");
        counters.Of(counter).Add();
        Assert.Equal(isReason, CoreHost.IsReason(counters.Of(counter)));
    }
}
