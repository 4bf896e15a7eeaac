using System.Text.Json;
using Massif.Integration.Tests.Cli;

namespace Massif.Integration.Tests.BadDays;

/// <summary>A replica that comes back with another disk than it went with: it notices, sends no ECHO any more, and follows.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class ReplicaDiskTests : IAsyncLifetime
{
    private LiveDomain It { get; } = new(options => options with { Relays = 0 });

    public async Task InitializeAsync()
    {
        await It.StartHereAsync([.. It.Cores, "edge1"]);
        await It.ReadyAsync([.. It.Cores, "edge1"]);
        await Senders.SendAsync(It.Listener("syslog-tcp"), Senders.BruteForce("192.0.2.1"));
        await It.AgreeAsync();
    }

    public async Task DisposeAsync() => await It.DisposeAsync();

    [Fact]
    public async Task A_replica_with_a_wiped_disk_says_so_catches_up_and_alarms_stay_equal()
    {
        await It.StopHereAsync("core4");
        Directory.Delete(It.DataOf("core4"), recursive: true);
        await It.StartHereAsync("core4");
        await IsKnownAsLostAsync();
    }

    [Fact]
    public async Task A_replica_with_an_old_copy_of_its_disk_says_so_catches_up_and_alarms_stay_equal()
    {
        await It.StopHereAsync("core4");
        DirectoryCopy.Make(It.DataOf("core4"), It.At("backup"));
        await It.StartHereAsync("core4");
        await It.ReadyAsync("core4");
        await Senders.SendAsync(It.Listener("syslog-tcp"), Senders.Numbered("between", 100));
        await It.DeliveredAsync("between", 100, It.Cores);

        await It.StopHereAsync("core4");
        Directory.Delete(It.DataOf("core4"), recursive: true);
        DirectoryCopy.Make(It.At("backup"), It.DataOf("core4"));
        await It.StartHereAsync("core4");
        await IsKnownAsLostAsync();
    }

    private async Task IsKnownAsLostAsync()
    {
        // The three others still agree on what is new, and the fourth follows.
        await Senders.SendAsync(It.Listener("syslog-tcp"), Senders.BruteForce("192.0.2.2"));
        await It.DeliveredAsync("192.0.2.2", 6, It.Cores);
        await It.AgreeAsync();

        var (code, output, _) = await CommandLineTests.Run("status", "--domain", It.Home);
        Assert.Equal(0, code);
        Assert.Contains("core4: lost its vote log; it sends no ECHO in epoch 1", output, StringComparison.Ordinal);
        Assert.DoesNotContain("core1: lost", output, StringComparison.Ordinal);
        await WhatTheySayOfThemselvesAsync();

        (code, output, _) = await CommandLineTests.Run("alarm", "ls", "--json", "--domain", It.Home);
        Assert.Equal(0, code);
        var keys = output.TrimEnd().Split('\n')
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("key").GetProperty("source.ip").GetString());
        Assert.Equal(["192.0.2.1", "192.0.2.2"], keys.Order(StringComparer.Ordinal));
    }

    private async Task WhatTheySayOfThemselvesAsync()
    {
        var (_, output, _) = await CommandLineTests.Run("status", "--json", "--domain", It.Home);
        var reports = JsonDocument.Parse(output).RootElement.GetProperty("replicas").EnumerateArray()
            .Select(replica => replica.GetProperty("report"))
            .ToArray();
        Assert.Equal(["ok", "ok", "ok", "lost"], reports.Select(report => report.GetProperty("vote_log").GetString()));
        Assert.All(reports, report =>
        {
            Assert.Equal(Environment.ProcessId, report.GetProperty("process_id").GetInt32());
            Assert.Equal(1, report.GetProperty("epoch").GetInt32());
            Assert.Equal(2, report.GetProperty("alarms").GetInt64());
            Assert.True(report.GetProperty("journal_bytes").GetInt64() > 0);
            Assert.Equal(JsonValueKind.Null, report.GetProperty("disk_trouble").ValueKind);
            Assert.Equal(64, report.GetProperty("rules_digest").GetString()!.Length);
            Assert.Equal("edge1", Assert.Single(report.GetProperty("streams").EnumerateArray()).GetProperty("edge").GetString());
            Assert.Equal(4, report.GetProperty("peers").GetArrayLength());
            Assert.All(report.GetProperty("peers").EnumerateArray(), peer => Assert.True(peer.GetProperty("up").GetBoolean()));
            // Votes that come when the others have decided are no news.
            var reasons = report.GetProperty("reasons").EnumerateArray().Select(reason => reason.GetProperty("reason").GetString());
            Assert.DoesNotContain("massif_verdicts_total{input=\"votes\",verdict=\"old\"}", reasons);
        });
        Assert.Equal(1UL, reports[0].GetProperty("start_counter").GetUInt64());
    }
}
