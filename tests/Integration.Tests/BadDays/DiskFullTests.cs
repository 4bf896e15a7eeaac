using System.Diagnostics;
using System.Net;
using Massif.Client;

namespace Massif.Integration.Tests.BadDays;

/// <summary>No room: senders wait, nothing that was taken is lost, and it goes on when there is room.</summary>
[Collection(BadDaysCollection.Name)]
public sealed class DiskFullTests
{
    private const int Lines = 12_000;
    private const int LineBytes = 1_000;
    private const long Mebibyte = 1024 * 1024;

    [Fact]
    public async Task At_the_spools_limit_tcp_senders_wait_datagrams_are_counted_and_all_goes_on_when_there_is_room()
    {
        await using var domain = new LiveDomain(
            options => options with { Relays = 0 },
            made => made.Edit("edge1", "spool_limit_mib: 10240", "spool_limit_mib: 1"));
        await domain.StartHereAsync("edge1");
        var sender = Senders.SendAsync(domain.Listener("syslog-tcp"), Senders.Numbered("full", Lines, LineBytes));
        await FullAsync(domain);
        var taken = (await domain.MetricsAsync("edge1")).Sum("massif_events_received_total");
        Assert.False(sender.IsCompleted);
        Assert.InRange(taken, 900, Lines - 1_000);
        Assert.InRange((await domain.MetricsAsync("edge1")).Sum("massif_spool_bytes"), Mebibyte, 6 * Mebibyte);
        await Until.HoldsAsync(
            async () =>
            {
                await Senders.SendDatagramAsync(domain.Listener("syslog-udp"), "<13>no room for this");
                return (await domain.MetricsAsync("edge1")).Sum("massif_listener_datagrams_dropped_total", ("reason", "edge_full")) > 0;
            },
            () => "no datagram was counted as dropped");

        await domain.StartHereAsync(domain.Cores);
        await sender;
        foreach (var lines in await domain.DeliveredAsync("full", Lines, domain.Cores))
            Assert.Equal(Senders.Numbered("full", Lines, LineBytes), lines);
        await domain.ReadyAsync("edge1");
        await domain.DeliveredAsync("syslog-udp lost", 1, "core1"); // The loss is an event itself.
    }

    [Fact]
    public async Task A_stop_while_the_spool_is_full_ends_and_loses_nothing_that_was_taken()
    {
        await using var domain = new LiveDomain(
            options => options with { Relays = 0 },
            made => made.Edit("edge1", "spool_limit_mib: 10240", "spool_limit_mib: 1"));
        await domain.StartHereAsync("edge1");
        var sender = Senders.SendAsync(domain.Listener("syslog-tcp"), Senders.Numbered("halted", Lines, LineBytes));
        await FullAsync(domain);
        var taken = (int)(await domain.MetricsAsync("edge1")).Sum("massif_events_received_total");
        await domain.StopHereAsync("edge1");
        await Assert.ThrowsAnyAsync<IOException>(() => sender);

        await domain.StartHereAsync(["edge1", .. domain.Cores]);
        await domain.ReadyAsync("edge1");
        foreach (var lines in await domain.DeliveredAsync("halted", taken, domain.Cores))
            Assert.Equal(Senders.Numbered("halted", lines.Count - 1, LineBytes), lines[..^1]); // The stop may have cut the last.
    }

    [TmpfsFact]
    public async Task When_the_file_system_of_the_spool_is_full_tcp_senders_wait_until_there_is_room()
    {
        await using var domain = new LiveDomain(
            options => options with { Relays = 0 },
            made => made.Edit("edge1", "stop_at_free_percent: 5 ", "stop_at_free_percent: 50"));
        await using var disk = await Tmpfs.MountAsync(domain.DataOf("edge1"), 16);
        await domain.StartHereAsync("edge1");
        var sender = Senders.SendAsync(domain.Listener("syslog-tcp"), Senders.Numbered("room", Lines, LineBytes));
        await FullAsync(domain);
        // The last lines may be in the buffers of the kernel by now; that they wait there is what the delivery below shows.
        await disk.ResizeAsync(64);
        await domain.StartHereAsync(domain.Cores);
        await sender;
        foreach (var lines in await domain.DeliveredAsync("room", Lines, domain.Cores))
            Assert.Equal(Senders.Numbered("room", Lines, LineBytes), lines);
        await domain.StopHereAsync("edge1");
    }

    [TmpfsFact]
    public async Task When_the_file_system_of_one_replica_is_full_the_others_go_on_and_it_follows_when_there_is_room()
    {
        await using var domain = new LiveDomain(
            options => options with { Relays = 0 },
            made => made.Edit("core4", "stop_at_free_percent: 5 ", "stop_at_free_percent: 50"));
        await using var disk = await Tmpfs.MountAsync(domain.DataOf("core4"), 16);
        await domain.StartHereAsync([.. domain.Cores, "edge1"]);
        await domain.ReadyAsync([.. domain.Cores, "edge1"]);
        const int Many = 2 * Lines;
        await Senders.SendAsync(domain.Listener("syslog-tcp"), Senders.Numbered("log", Many, LineBytes));
        foreach (var lines in await domain.DeliveredAsync("log", Many, domain.Cores.SkipLast(1)))
            Assert.Equal(Senders.Numbered("log", Many, LineBytes), lines);
        await Until.HoldsAsync(
            async () => (await ReportAsync(domain, "core4")).DiskTrouble?.Contains("Make room", StringComparison.Ordinal) == true,
            () => "core4 does not say that its disk is full");
        Assert.True(DurableOf(await ReportAsync(domain, "core4")) < DurableOf(await ReportAsync(domain, "core1")));

        await disk.ResizeAsync(128);
        await Until.HoldsAsync(
            async () => await ReportAsync(domain, "core4") is { DiskTrouble: null } report
                && DurableOf(report) == DurableOf(await ReportAsync(domain, "core1")),
            () => "core4 does not follow");
        Assert.Equal(Senders.Numbered("log", Many, LineBytes), await domain.LinesAsync("core4", "log"));
        await domain.AgreeAsync();
        await domain.StopHereAsync("core4");
    }

    private static async Task<ReplicaReport> ReportAsync(LiveDomain domain, string replica) =>
        (await domain.Client.GetStatusAsync(CancellationToken.None)).Replicas.Single(one => one.Id == replica).Report!;

    private static ulong DurableOf(ReplicaReport report) => report.Streams.Single().Durable;

    private static Task FullAsync(LiveDomain domain) => Until.HoldsAsync(
        async () => await domain.AskAsync("edge1", "readyz") is { Status: HttpStatusCode.ServiceUnavailable } answer
            && answer.Text.Contains("spool is full", StringComparison.Ordinal),
        () => "the spool does not become full");

    /// <summary>A file system of a known size.</summary>
    private sealed class Tmpfs : IAsyncDisposable
    {
        private readonly string _path;

        private Tmpfs(string path) => _path = path;

        public static async Task<Tmpfs> MountAsync(string path, int mebibytes)
        {
            Directory.CreateDirectory(path);
            string[] arguments = ["-t", "tmpfs", "-o", $"size={mebibytes}m,mode=0700", "massif-test", path];
            Assert.Equal(0, (await Shell.RunAsync("mount", arguments)).Code);
            return new(path);
        }

        public async Task ResizeAsync(int mebibytes) =>
            Assert.Equal(0, (await Shell.RunAsync("mount", ["-o", $"remount,size={mebibytes}m", _path])).Code);

        public async ValueTask DisposeAsync() => await Shell.RunAsync("umount", ["--lazy", _path]);
    }

    /// <summary>A test that needs to mount a file system: root in a machine or container that allows it.</summary>
    [AttributeUsage(AttributeTargets.Method)]
    private sealed class TmpfsFactAttribute : FactAttribute
    {
        public TmpfsFactAttribute()
        {
            if (!CanMount.Value && Environment.GetEnvironmentVariable("CI") != "true")
                Skip = "massif-not-run: mounting a tmpfs needs root and the right to mount";
        }

        private static Lazy<bool> CanMount { get; } = new(() =>
        {
            var place = Directory.CreateTempSubdirectory("massif-mount-").FullName;
            try
            {
                string[] arguments = ["-t", "tmpfs", "-o", "size=1m", "massif-test", place];
                using var mount = Process.Start(new ProcessStartInfo("mount", arguments) { RedirectStandardError = true })!;
                mount.WaitForExit();
                if (mount.ExitCode != 0) return false;
                using var unmount = Process.Start("umount", [place]);
                unmount.WaitForExit();
                return true;
            }
            finally
            {
                Directory.Delete(place);
            }
        });
    }
}
