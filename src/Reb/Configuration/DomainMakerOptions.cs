using Massif.Reb.Storage;

namespace Massif.Reb.Configuration;

/// <summary>What a new domain should be like; the defaults are one domain on one machine.</summary>
public sealed record DomainMakerOptions
{
    /// <summary>Gets the name of the domain.</summary>
    public string Name { get; init; } = "massif";

    /// <summary>Gets n, the number of cores; their ids are <c>core1</c>, <c>core2</c>, ...</summary>
    public int Replicas { get; init; } = 4;

    /// <summary>Gets the number of edges; their ids are <c>edge1</c>, ...</summary>
    public int Edges { get; init; } = 1;

    /// <summary>Gets the number of relays; their ids are <c>relay1</c>, ...</summary>
    public int Relays { get; init; } = 2;

    /// <summary>Gets f; null for the largest that n allows.</summary>
    public int? Faults { get; init; }

    /// <summary>Gets t; null for the largest that the relays allow.</summary>
    public int? PathFaults { get; init; }

    /// <summary>Gets the host name or IP address of every node that <see cref="Addresses"/> does not name.</summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Gets host names or IP addresses by node id.</summary>
    public IReadOnlyDictionary<string, string> Addresses { get; init; } = new Dictionary<string, string>();

    /// <summary>Gets the first port of the bus; each relay and core takes the next.</summary>
    public int BusPort { get; init; } = 7400;

    /// <summary>Gets the first port of the read API; each core takes the next.</summary>
    public int ApiPort { get; init; } = 7500;

    /// <summary>Gets the first port of health and metrics; each node takes the next.</summary>
    public int HttpPort { get; init; } = 7600;

    /// <summary>Gets the syslog port of the first edge; each further edge takes the next but one.</summary>
    public int SyslogPort { get; init; } = 5514;

    /// <summary>Gets the replay port of the first edge; each further edge takes the next but one.</summary>
    public int ReplayPort { get; init; } = 5515;

    /// <summary>Gets where every port comes from instead, as a demonstration does that must not collide with anything.</summary>
    public Func<int>? PickPort { get; init; }

    /// <summary>Gets whether relays may be told to misbehave.</summary>
    public bool Demo { get; init; }

    /// <summary>Gets what durable means at the nodes.</summary>
    public Durability Durability { get; init; }

    /// <summary>Gets how bulk events cross the overlay. Copies are the default: they bear t faulty paths from the first batch on.</summary>
    public ChannelPaths Paths { get; init; } = ChannelPaths.Copies;

    /// <summary>Gets the limit of an edge's spool and of a core's journal, in MiB.</summary>
    public int DiskLimitMebibytes { get; init; } = 10 * 1024;

    /// <summary>Gets the text of the rule file that each core gets.</summary>
    public required string RulesText { get; init; }

    /// <summary>Gets how long the certificates are valid, in days.</summary>
    public int CertificateDays { get; init; } = CertificateAuthority.DefaultDays;
}
