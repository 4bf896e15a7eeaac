using Massif.Cli.Demo;
using Massif.Reb.Telemetry;

namespace Massif.Integration.Tests.Demo;

public sealed class StoryTests
{
    [Fact]
    public void Faults_come_at_the_quarters_of_the_lines()
    {
        var script = FaultScript.For(1_000, "core4", "relay1");
        Assert.Equal([250L, 500, 750], script.Checkpoints);
        Assert.Equal([FaultKind.Kill, FaultKind.Misbehave, FaultKind.Restart], script.Faults.Select(fault => fault.Kind));
        Assert.Equal(["core4", "relay1", "core4"], script.Faults.Select(fault => fault.Node));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_tiny_input_still_has_the_whole_story_in_order(long lines)
    {
        var script = FaultScript.For(lines, "core4", "relay1");
        Assert.Equal(3, script.Due(lines).Count());
        Assert.Equal(script.Checkpoints.Order(), script.Checkpoints);
    }

    [Fact]
    public void A_fault_is_due_once_and_nothing_is_detected_before_it_begins()
    {
        var script = FaultScript.For(4, "core4", "relay1");
        var kill = Assert.Single(script.Due(1));
        kill.Detect("too early");
        Assert.Null(kill.Detected);
        Assert.Equal(1, kill.At);
        kill.Begin(0); // Sending ended before its number of lines.
        Assert.Equal(0, kill.At);
        kill.Detect("silent");
        Assert.Equal("silent", kill.Detected);
        Assert.Empty(script.Due(1));
    }

    [Theory]
    [InlineData(null, null, 10_000, true, 10_000)]
    [InlineData(50, 10, 10_000, false, 500)]
    [InlineData(50, 10, 100, false, 100)]
    public void Faults_are_planned_for_the_lines_that_will_be_sent(int? rate, int? seconds, long lines, bool hasInput, long planned)
    {
        var request = new DemoRequest { Rate = rate, Seconds = seconds, Inputs = hasInput ? ["x.log"] : [] };
        Assert.Equal(planned, request.Planned(lines));
    }

    [Fact]
    public void Samples_run_at_a_speed_for_people_and_stay_up_and_an_input_does_neither()
    {
        Assert.Equal((100, false), (new DemoRequest().EffectiveRate, new DemoRequest().EndsByItself));
        var input = new DemoRequest { Inputs = ["x.log"] };
        Assert.Equal(((int?)null, true), (input.EffectiveRate, input.EndsByItself));
        Assert.True(new DemoRequest { Seconds = 5 }.EndsByItself);
    }

    [Fact]
    public void The_verdict_says_one_thing_a_line()
    {
        var fault = new Fault(FaultKind.Kill, "core4", 500);
        fault.Begin(1_500);
        var result = new DemoResult
        {
            Sent = 2_000,
            Delivered = new Dictionary<string, long> { ["core1"] = 1_999 },
            Duplicates = 0,
            Internal = 1,
            Late = 0,
            Agree = true,
            Alarms = [],
            Faults = [new(fault.At, fault.Node, fault.KindName, fault.Detected)],
            Broken = ["core1 lacks 1 of 2000 events", "nothing has moved for 60 s"],
        };
        Assert.Equal(
            [
                "2,000 lines sent, 1 lost, 0 duplicates, 0 alarms; the replicas agree.", "kill of core4 at line 1,500: not noticed",
                "Promises were broken:", "  core1 lacks 1 of 2000 events", "  nothing has moved for 60 s",
            ],
            DemoVerdict.Lines(result));
        Assert.Equal(
            "1 line sent, 0 lost, 1 duplicate, 0 alarms; the replicas agree.",
            DemoVerdict.Counted(result with { Sent = 1, Duplicates = 1 }));
    }

    [Fact]
    public void Metrics_are_read_by_name_and_label()
    {
        var metrics = MetricsText.Parse("""
            # HELP massif_path_faults_total x
            # TYPE massif_path_faults_total counter
            massif_path_faults_total{neighbour="relay1",reason="bad_mac"} 3
            massif_path_faults_total{neighbour="relay1",reason="replayed"} 4 1700000000
            massif_path_faults_total{neighbour="we\"ird\\",reason="replayed"} 5
            massif_events_received_total 1e3
            broken{ 7
            nonsense
            """);
        Assert.Equal(12, metrics.Sum("massif_path_faults_total"));
        Assert.Equal(7, metrics.Sum("massif_path_faults_total", ("neighbour", "relay1")));
        Assert.Equal(4, metrics.Sum("massif_path_faults_total", ("neighbour", "relay1"), ("reason", "replayed")));
        Assert.Equal(1000, metrics.Sum("massif_events_received_total"));
        Assert.Equal(0, metrics.Sum("massif_unknown"));
        Assert.Equal([("relay1", 7.0), ("we\"ird\\", 5.0)], metrics.By("massif_path_faults_total", "neighbour"));
    }

    [Fact]
    public void The_plain_view_tells_each_change_once()
    {
        using var output = new StringWriter();
        using var view = new PlainView(output);
        var script = FaultScript.For(100, "core4", "relay1");
        var key = new Dictionary<string, string> { ["source.ip"] = "127.0.0.66" };
        var alarm = new AgreedAlarm("00ff", "ssh-bruteforce", key, "11:15", "11:16", 5, []);
        view.Show(Snapshot(0, "up", script, []));
        view.Show(Snapshot(0.5, "up", script, []));
        script.Faults[0].Begin(25);
        view.Show(Snapshot(1, "killed", script, [alarm]));
        script.Faults[0].Detect("core4 is silent");
        view.Show(Snapshot(1.2, "killed", script, [alarm]));
        view.Show(Snapshot(1.4, "killed", script, [alarm]));
        var lines = output.ToString().Split('\n');
        Assert.Single(lines, line => line.EndsWith("node core4: up, process 42", StringComparison.Ordinal));
        Assert.Single(lines, line => line.EndsWith("node core4: killed", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains("FAULT core4 is killed (kill -9)", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains("DETECTED core4 kill: core4 is silent", StringComparison.Ordinal));
        Assert.Single(lines, line => line.Contains("ALARM ssh-bruteforce: source.ip=127.0.0.66, 5 events", StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', output.ToString());
    }

    [Fact]
    public void What_an_attacker_wrote_into_the_key_of_an_alarm_does_not_reach_the_terminal_as_it_is()
    {
        var key = new Dictionary<string, string> { ["user.name"] = "\u001b[2J\u009b31m\u202Eroot" };
        var alarm = new AgreedAlarm("00ff", "r", key, "11:15", "11:16", 5, []);
        Assert.Equal("user.name=\\u001b[2J\\u009b31m\\u202eroot", alarm.KeyText);
    }

    private static DemoSnapshot Snapshot(double seconds, string state, FaultScript script, IReadOnlyList<AgreedAlarm> alarms) => new()
    {
        Phase = "replaying",
        Elapsed = TimeSpan.FromSeconds(seconds),
        Sent = 1,
        Planned = 100,
        InPerSecond = 1,
        AgreedPerSecond = 1,
        CorrelatedPerSecond = 1,
        Nodes = [new("core4", "core", state == "up" ? 42 : null, state, 1)],
        Paths = [new("direct", "ok", 0, 0)],
        Alarms = alarms,
        Faults = script.Faults,
        TryIt = "logger",
    };
}
