using Massif.Reb.Overlay;

namespace Massif.Integration.Tests.BadDays;

/// <summary>A relay in the wrong hands: with copies over 2t + 1 paths nothing is lost, and what it does is counted against it.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class BadRelayTests
{
    [Fact]
    public async Task A_relay_that_misroutes_corrupts_replays_delays_or_drops_loses_nothing_and_is_blamed()
    {
        await using var domain = new LiveDomain(options => options with { Demo = true });
        await domain.StartHereAsync([.. domain.Cores, "relay2", "edge1"]);
        foreach (var (kind, reason) in new[]
        {
            (Misbehaviours.Misroute, "misrouted"), (Misbehaviours.Corrupt, "bad_body"), (Misbehaviours.Replay, "replayed"),
            (Misbehaviours.Delay, null), (Misbehaviours.Drop, null),
        })
        {
            await domain.StartHereAsync("relay1", kind);
            await domain.MetricAsync("edge1", metrics => metrics.Sum("massif_link_up", ("peer", "relay1")) == 1, "no link to relay1");
            await domain.ReadyAsync(domain.Cores);
            var sent = 0;
            await Until.HoldsAsync(
                async () =>
                {
                    // Many small batches: a liar lies about some of what passes.
                    await Senders.SendAsync(domain.Listener("syslog-tcp"), Senders.Numbered($"{kind}-{sent++}-", 20));
                    return reason is null ? sent == 20 : await BlamedAsync(domain, "relay1", reason) > 0;
                },
                () => $"nobody blamed relay1 for {kind}");
            foreach (var lines in await domain.DeliveredAsync($"{kind}-", 20 * sent, domain.Cores))
                Assert.Equal(Enumerable.Range(0, sent).SelectMany(i => Senders.Numbered($"{kind}-{i}-", 20)), lines);
            await domain.StopHereAsync("relay1");
        }

        Assert.Equal(0, await BlamedAsync(domain, "relay2", null));
        await domain.AgreeAsync();
    }

    private static async Task<double> BlamedAsync(LiveDomain domain, string relay, string? reason)
    {
        var all = await Task.WhenAll(domain.Cores.Append("edge1").Select(domain.MetricsAsync));
        return all.Sum(metrics => reason is null
            ? metrics.Sum("massif_path_faults_total", ("neighbour", relay))
            : metrics.Sum("massif_path_faults_total", ("neighbour", relay), ("reason", reason)));
    }
}
