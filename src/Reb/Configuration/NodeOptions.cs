using System.Net;
using Massif.Reb.Storage;

namespace Massif.Reb.Configuration;

/// <summary>Transport of a syslog listener.</summary>
public enum SyslogProtocol : byte
{
    /// <summary>One datagram, one message.</summary>
    Udp,

    /// <summary>A byte stream in either framing of RFC 6587.</summary>
    Tcp,
}

/// <summary>Whose clock gives an event its time.</summary>
public enum ListenerMode : byte
{
    /// <summary>The edge's trusted clock: a live source never chooses its own event time.</summary>
    Live,

    /// <summary>The claimed time, and the event is flagged as replayed.</summary>
    Replay,
}

/// <summary>Least severe log line that a node writes.</summary>
public enum LogThreshold : byte
{
    /// <summary>Everything.</summary>
    Debug,

    /// <summary>What an operator wants to know.</summary>
    Information,

    /// <summary>What needs a look.</summary>
    Warning,

    /// <summary>What does not work.</summary>
    Error,
}

/// <summary>One syslog listener of an edge.</summary>
/// <param name="Name">Unique name at this edge; counters and events carry it.</param>
/// <param name="Protocol">UDP or TCP.</param>
/// <param name="Address">Where it listens.</param>
/// <param name="Mode">Live or replay.</param>
/// <param name="MaxMessageBytes">Longer messages are cut and flagged.</param>
/// <param name="DefaultTimezoneMinutes">Offset from UTC, in minutes, of claimed times that name no zone.</param>
/// <param name="AllowedSenders">Networks whose messages are taken; others are counted and dropped.</param>
/// <param name="MaxConnections">Most TCP connections at once; means nothing for UDP.</param>
public sealed record SyslogListener(
    string Name,
    SyslogProtocol Protocol,
    IPEndPoint Address,
    ListenerMode Mode,
    int MaxMessageBytes,
    int DefaultTimezoneMinutes,
    IReadOnlyList<IPNetwork> AllowedSenders,
    int MaxConnections);

/// <summary>Settings that only an edge has.</summary>
/// <param name="Syslog">Its listeners, at least one.</param>
/// <param name="SpoolLimitBytes">Largest spool in bytes; when it is full, TCP senders wait and UDP loss is counted.</param>
/// <param name="StopAtFreePercent">The spool counts as full when less of the file system is free, in percent.</param>
/// <param name="BatchDelayMilliseconds">A batch is closed after so long even when it is not full.</param>
/// <param name="PartialFrameBytesMax">Memory for messages whose end is still to come, over all connections, in bytes.</param>
public sealed record EdgeOptions(
    IReadOnlyList<SyslogListener> Syslog,
    long SpoolLimitBytes,
    int StopAtFreePercent,
    int BatchDelayMilliseconds,
    long PartialFrameBytesMax = EdgeOptions.PartialFrameBytesDefault)
{
    /// <summary>Memory for messages whose end is still to come: 32 MiB, as many as 512 of 64 KiB.</summary>
    public const long PartialFrameBytesDefault = 32 * 1024 * 1024;
}

/// <summary>Settings that only a core has.</summary>
/// <param name="ApiListen">Where the HTTPS read API listens.</param>
/// <param name="RulesFile">Full path of the correlation rules.</param>
/// <param name="JournalLimitBytes">Largest segment log in bytes; the oldest segments go first.</param>
/// <param name="StopAtFreePercent">The log counts as full when less of the file system is free, in percent.</param>
public sealed record CoreOptions(IPEndPoint ApiListen, string RulesFile, long JournalLimitBytes, int StopAtFreePercent);

/// <summary>What is a node's own: paths, listeners, limits. Read from <c>node.yaml</c>; all paths are full paths.</summary>
public sealed record NodeOptions
{
    /// <summary>Gets the node's id in the domain description.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the node's role, which must be the one in the domain description.</summary>
    public required NodeRole Role { get; init; }

    /// <summary>Gets the path of the domain description.</summary>
    public required string DomainFile { get; init; }

    /// <summary>Gets the directory for everything the node writes.</summary>
    public required string DataDirectory { get; init; }

    /// <summary>Gets the path of the certificate (PEM).</summary>
    public required string CertificateFile { get; init; }

    /// <summary>Gets the path of the private key (PEM), readable by its owner alone.</summary>
    public required string KeyFile { get; init; }

    /// <summary>Gets the path of the domain's CA certificate (PEM).</summary>
    public required string CaFile { get; init; }

    /// <summary>Gets where relays and cores wait for links; null for an edge, which only dials.</summary>
    public IPEndPoint? BusListen { get; init; }

    /// <summary>Gets the loopback address of <c>/healthz</c> and <c>/metrics</c>.</summary>
    public required IPEndPoint HttpListen { get; init; }

    /// <summary>Gets what durable means at this node.</summary>
    public Durability Durability { get; init; }

    /// <summary>Gets the least severe line logged.</summary>
    public LogThreshold LogLevel { get; init; } = LogThreshold.Information;

    /// <summary>Gets the settings of an edge; null for other roles.</summary>
    public EdgeOptions? Edge { get; init; }

    /// <summary>Gets the settings of a core; null for other roles.</summary>
    public CoreOptions? Core { get; init; }

    /// <summary>Reads and checks <c>node.yaml</c> by itself; the options are null exactly when there are errors.</summary>
    /// <remarks><see cref="NodeConfig.Load"/> also checks it against the domain, the certificates and the files.</remarks>
    public static (NodeOptions? Options, IReadOnlyList<ConfigError> Errors) Load(string path)
    {
        var errors = new ConfigErrors();
        var map = YamlDocument.Load(path, errors);
        var options = map is null ? null : NodeOptionsReader.Read(map, errors);
        return (errors.None ? options : null, errors.Items);
    }

    /// <summary>
    /// Returns the rule file that a <c>node.yaml</c> names, also when other things in it are wrong; null when it names none.
    /// </summary>
    public static string? RulesFileIn(string path)
    {
        var errors = new ConfigErrors();
        var rules = YamlDocument.Load(path, errors) is { } map ? NodeOptionsReader.Read(map, errors).Core?.RulesFile : null;
        return string.IsNullOrEmpty(rules) ? null : rules;
    }
}
