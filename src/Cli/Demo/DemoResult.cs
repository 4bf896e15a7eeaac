using System.Text.Json;
using System.Text.Json.Serialization;

namespace Massif.Cli.Demo;

/// <summary>What came of a demonstration; the JSON object of <c>massif demo --json</c>.</summary>
internal sealed record DemoResult
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Gets the number of non-empty input lines sent.</summary>
    public required long Sent { get; init; }

    /// <summary>Gets the distinct replayed events per replica.</summary>
    public required IReadOnlyDictionary<string, long> Delivered { get; init; }

    /// <summary>Gets sent minus the smallest delivered.</summary>
    public long Lost => Math.Max(0, Sent - (Delivered.Count == 0 ? 0 : Delivered.Values.Min()));

    /// <summary>Gets what was delivered twice by id, or beyond what was sent, at the replica with most of it.</summary>
    public required long Duplicates { get; init; }

    /// <summary>Gets the number of events born in the edge itself.</summary>
    public required long Internal { get; init; }

    /// <summary>Gets the number of events marked late.</summary>
    public required long Late { get; init; }

    /// <summary>Gets whether chained digests and alarms are equal at all replicas.</summary>
    public required bool Agree { get; init; }

    /// <summary>Gets the alarms that f + 1 replicas agree on.</summary>
    public required IReadOnlyList<AgreedAlarm> Alarms { get; init; }

    /// <summary>Gets the faults of the story that happened.</summary>
    public required IReadOnlyList<FaultResult> Faults { get; init; }

    /// <summary>Gets the promises that were broken, in words; empty when all were kept.</summary>
    [JsonIgnore]
    public IReadOnlyList<string> Broken { get; init; } = [];

    /// <summary>Gets the exit code.</summary>
    [JsonIgnore]
    public int ExitCode => Broken.Count == 0 ? ExitCodes.Ok : ExitCodes.Failed;

    /// <summary>Returns the JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Options);

    /// <summary>Compares what was sent with what each replica delivered, and says what does not hold.</summary>
    /// <param name="sent">Lines sent.</param>
    /// <param name="sentDigest">Digest over them.</param>
    /// <param name="audits">What each replica delivered, read back from it.</param>
    /// <param name="agree">Whether chained digests and alarms are equal everywhere.</param>
    /// <param name="alarms">The agreed alarms.</param>
    /// <param name="faults">The faults.</param>
    /// <param name="troubles">What else went wrong, in words.</param>
    public static DemoResult From(
        long sent,
        string sentDigest,
        IReadOnlyDictionary<string, DeliveryAudit> audits,
        bool agree,
        IReadOnlyList<AgreedAlarm> alarms,
        IReadOnlyList<Fault> faults,
        IReadOnlyList<string> troubles)
    {
        var broken = new List<string>(troubles);
        foreach (var (replica, audit) in audits)
        {
            if (audit.Delivered < sent) broken.Add($"{replica} lacks {sent - audit.Delivered} of {sent} events");
            if (audit.Delivered > sent) broken.Add($"{replica} delivered {audit.Delivered - sent} events more than were sent");
            if (audit.Repeated > 0) broken.Add($"{replica} delivered {audit.Repeated} events again or out of order");
            if (audit.Delivered == sent && audit.Digest() != sentDigest)
                broken.Add($"{replica} delivered other lines, or in another order, than were sent");
        }

        if (!agree) broken.Add("the replicas do not agree");
        return new()
        {
            Sent = sent,
            Delivered = audits.ToDictionary(pair => pair.Key, pair => pair.Value.Delivered),
            Duplicates = audits.Values.Select(audit => audit.Repeated + Math.Max(0, audit.Delivered - sent)).DefaultIfEmpty(0).Max(),
            Internal = audits.Values.Select(audit => audit.Internal).DefaultIfEmpty(0).Max(),
            Late = audits.Values.Select(audit => audit.Late).DefaultIfEmpty(0).Max(),
            Agree = agree,
            Alarms = alarms,
            Faults =
            [
                .. faults.Where(fault => fault.Begun)
                    .Select(fault => new FaultResult(fault.At, fault.Node, fault.KindName, fault.Detected)),
            ],
            Broken = broken,
        };
    }
}

/// <summary>One fault in the result.</summary>
/// <param name="At">Number of input lines sent before it.</param>
/// <param name="Node">The node.</param>
/// <param name="Kind">kill, misbehave or restart.</param>
/// <param name="Detected">What the domain noticed of it; null when nothing was noticed.</param>
internal sealed record FaultResult(long At, string Node, string Kind, string? Detected);
