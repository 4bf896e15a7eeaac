using System.Text;
using System.Text.Json;
using Massif.Cli.Demo;
using Massif.Client;
using Massif.Events;

namespace Massif.Integration.Tests.Demo;

public sealed class AuditTests
{
    private static readonly string[] Lines = ["one", "two", "three", "four"];

    [Fact]
    public void What_was_sent_and_is_everywhere_once_keeps_every_promise()
    {
        var result = Judge(Audit(Lines), Audit(Lines));
        Assert.Empty(result.Broken);
        Assert.Equal((4, 0, 0, 0), (result.Sent, result.Lost, result.Duplicates, result.ExitCode));
    }

    [Fact]
    public void A_line_that_one_replica_lacks_is_lost()
    {
        var result = Judge(Audit(Lines), Audit(Lines[..3]));
        Assert.Equal((1, 0, 1), (result.Lost, result.Duplicates, result.ExitCode));
        Assert.Contains("core2 lacks 1", Assert.Single(result.Broken), StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_comes_again_under_its_id_is_a_duplicate_and_counts_once()
    {
        var audit = Audit(Lines);
        audit.Add(new("edge1", 7, 2, 0), EventFlags.Replayed, isInternal: false, "two"u8);
        var result = Judge(Audit(Lines), audit);
        Assert.Equal((0, 1, 1), (result.Lost, result.Duplicates, result.ExitCode));
        Assert.Equal(4, result.Delivered["core2"]);
    }

    [Fact]
    public void A_line_that_comes_again_under_another_id_is_a_duplicate()
    {
        var result = Judge(Audit(Lines), Audit([.. Lines, "four"]));
        Assert.Equal((0, 1, 1), (result.Lost, result.Duplicates, result.ExitCode));
    }

    [Fact]
    public void Another_order_and_a_changed_line_are_found_by_the_digest()
    {
        Assert.Equal(1, Judge(Audit(Lines), Audit(["two", "one", "three", "four"])).ExitCode);
        Assert.Equal(1, Judge(Audit(Lines), Audit(["one", "two", "three", "forged"])).ExitCode);
    }

    [Fact]
    public void Replicas_that_do_not_agree_break_a_promise_even_when_all_lines_are_there()
    {
        Assert.Equal(1, Judge(Audit(Lines), Audit(Lines), agree: false).ExitCode);
    }

    [Fact]
    public void Live_events_and_those_of_the_edge_itself_are_not_lines_sent()
    {
        var audit = Audit(Lines);
        audit.Add(new("edge1", 7, 9, 0), EventFlags.None, isInternal: false, "somebody tried logger"u8);
        audit.Add(new("edge1", 7, 9, 1), EventFlags.None, isInternal: true, "massif: started"u8);
        audit.Add(new("edge1", 7, 9, 2), EventFlags.Late, isInternal: true, "massif: late"u8);
        var result = Judge(Audit(Lines), audit);
        Assert.Equal((0, 2, 1, 0), (result.Duplicates, result.Internal, result.Late, result.ExitCode));
    }

    [Fact]
    public void The_result_has_the_names_that_scripts_read()
    {
        var fault = new Fault(FaultKind.Kill, "core2", 1);
        fault.Begin(1);
        fault.Detect("core2 is silent");
        var key = new Dictionary<string, string> { ["source.ip"] = "127.0.0.66" };
        var alarm = new AgreedAlarm(
            "00ff", "ssh-bruteforce", key, "2026-11-21T11:15:58Z", "2026-11-21T11:16:00Z", 5, ["edge1/7/1/0"]);
        using var audit = Audit(Lines);
        var audits = new Dictionary<string, DeliveryAudit> { ["core1"] = audit };
        var result = DemoResult.From(4, DigestOf(Lines), audits, true, [alarm], [fault], []);
        using var json = JsonDocument.Parse(result.ToJson());
        Assert.Equal(
            ["sent", "delivered", "lost", "duplicates", "internal", "late", "agree", "alarms", "faults"],
            json.RootElement.EnumerateObject().Select(property => property.Name));
        Assert.Equal(4, json.RootElement.GetProperty("delivered").GetProperty("core1").GetInt64());
        var first = json.RootElement.GetProperty("alarms")[0];
        Assert.Equal(["id", "rule", "key", "first", "last", "count", "events"], first.EnumerateObject().Select(property => property.Name));
        Assert.Equal("127.0.0.66", first.GetProperty("key").GetProperty("source.ip").GetString());
        var told = json.RootElement.GetProperty("faults")[0];
        Assert.Equal(["at", "node", "kind", "detected"], told.EnumerateObject().Select(property => property.Name));
    }

    [Fact]
    public async Task A_replica_that_is_slow_to_answer_is_asked_again_and_has_lost_nothing()
    {
        var report = new ReplicaReport { Version = "1" };
        var answers = new Queue<ReplicaStatus>([Silent(), Silent(), new("core1", ReplicaState.Agrees, null, report)]);
        Task<DomainStatus> Ask(CancellationToken cancel) => Task.FromResult(new DomainStatus("demo", 1, true, [answers.Dequeue()], []));
        Assert.Same(report, await DomainObserver.ReportAsync(Ask, "core1", TimeSpan.FromMinutes(1), CancellationToken.None));

        Task<DomainStatus> AskTheDead(CancellationToken cancel) => Task.FromResult(new DomainStatus("demo", 1, true, [Silent()], []));
        var silence = await Assert.ThrowsAsync<IOException>(() =>
            DomainObserver.ReportAsync(AskTheDead, "core1", TimeSpan.Zero, CancellationToken.None));
        Assert.Equal("no answer in 2 s", silence.Message);

        static ReplicaStatus Silent() => new("core1", ReplicaState.Silent, "no answer in 2 s", null);
    }

    private static DeliveryAudit Audit(IEnumerable<string> lines)
    {
        var audit = new DeliveryAudit(1024);
        var seq = 1UL;
        foreach (var line in lines)
            audit.Add(new("edge1", 7, seq++, 0), EventFlags.Replayed, isInternal: false, Encoding.UTF8.GetBytes(line));
        return audit;
    }

    private static DemoResult Judge(DeliveryAudit first, DeliveryAudit second, bool agree = true) => DemoResult.From(
        Lines.Length,
        DigestOf(Lines),
        new Dictionary<string, DeliveryAudit> { ["core1"] = first, ["core2"] = second },
        agree,
        [],
        [],
        []);

    private static string DigestOf(IEnumerable<string> lines)
    {
        using var digest = new LineDigest(1024);
        foreach (var line in lines) digest.Add(Encoding.UTF8.GetBytes(line));
        return digest.Current();
    }
}
