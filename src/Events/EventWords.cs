namespace Massif.Events;

/// <summary>What is known of the clock that made a trusted time (MASSIF D5.1.1 section 2.2.4).</summary>
public enum TimeQuality : byte
{
    /// <summary>Synchronised: the error has a bound from the clock daemon.</summary>
    Sync,

    /// <summary>Was synchronised: the bound grows with the drift since then.</summary>
    Holdover,

    /// <summary>Not synchronised: no bound.</summary>
    Unsync,
}

/// <summary>How an event reached the edge.</summary>
public enum EventTransport : byte
{
    /// <summary>Not over a network.</summary>
    None,

    /// <summary>A datagram.</summary>
    Udp,

    /// <summary>A plain stream.</summary>
    Tcp,

    /// <summary>A stream under TLS.</summary>
    Tls,
}

/// <summary>ECS <c>event.category</c>: the broadest class of what happened.</summary>
public enum EventCategory : byte
{
    /// <summary>Not classified.</summary>
    None,

    /// <summary>Somebody proved, or failed to prove, who they are.</summary>
    Authentication,

    /// <summary>A session began or ended.</summary>
    Session,

    /// <summary>A connection was made or ended.</summary>
    Network,

    /// <summary>The state of a machine or of a node of this system.</summary>
    Host,
}

/// <summary>ECS <c>event.action</c>: what was done.</summary>
public enum EventAction : byte
{
    /// <summary>Not known.</summary>
    None,

    /// <summary>A login attempt, with its outcome.</summary>
    Login,

    /// <summary>A session was opened.</summary>
    SessionOpened,

    /// <summary>A session was closed.</summary>
    SessionClosed,

    /// <summary>A connection was accepted.</summary>
    Connected,

    /// <summary>A connection ended.</summary>
    Disconnected,

    /// <summary>A name that the system does not know was given.</summary>
    InvalidUser,

    /// <summary>A limit on attempts was reached.</summary>
    AttemptsExceeded,

    /// <summary>This system lost input and says how much.</summary>
    Loss,

    /// <summary>A part of this system started.</summary>
    Started,

    /// <summary>A part of this system stopped.</summary>
    Stopped,

    /// <summary>A clock of this system stepped.</summary>
    ClockStepped,

    /// <summary>Something was refused, for the reason in the message.</summary>
    Refused,
}

/// <summary>ECS <c>event.outcome</c>.</summary>
public enum EventOutcome : byte
{
    /// <summary>Not stated.</summary>
    None,

    /// <summary>It succeeded.</summary>
    Success,

    /// <summary>It failed.</summary>
    Failure,

    /// <summary>The source says that it does not know.</summary>
    Unknown,
}

/// <summary>ECS <c>event.dataset</c>: what kind of source wrote the message, as the dispatcher decided.</summary>
public enum EventSourceType : byte
{
    /// <summary>Not recognised beyond its header.</summary>
    Generic,

    /// <summary>The OpenSSH server.</summary>
    Sshd,

    /// <summary>Pluggable authentication modules.</summary>
    Pam,

    /// <summary>This system itself: an event born in a node.</summary>
    Massif,
}

/// <summary>ECS <c>event.module</c>: the parser that read the header.</summary>
public enum EventParser : byte
{
    /// <summary>No header was recognised.</summary>
    Raw,

    /// <summary>The BSD syslog form (RFC 3164) with its many relatives.</summary>
    Rfc3164,

    /// <summary>The syslog protocol (RFC 5424).</summary>
    Rfc5424,

    /// <summary>Cisco IOS, IOS XR and ASA.</summary>
    Cisco,

    /// <summary>A record of the Linux kernel's message buffer.</summary>
    Kmsg,

    /// <summary>No parser: the event was born in a node of this system.</summary>
    Internal,
}

/// <summary>The written words of the small enumerations, as UTF-8.</summary>
public static class EventWords
{
    /// <summary>Returns the word, or nothing for <see cref="EventCategory.None"/>.</summary>
    public static ReadOnlySpan<byte> Of(EventCategory category) => category switch
    {
        EventCategory.Authentication => "authentication"u8,
        EventCategory.Session => "session"u8,
        EventCategory.Network => "network"u8,
        EventCategory.Host => "host"u8,
        _ => [],
    };

    /// <summary>Returns the word, or nothing for <see cref="EventAction.None"/>.</summary>
    public static ReadOnlySpan<byte> Of(EventAction action) => action switch
    {
        EventAction.Login => "login"u8,
        EventAction.SessionOpened => "session_opened"u8,
        EventAction.SessionClosed => "session_closed"u8,
        EventAction.Connected => "connected"u8,
        EventAction.Disconnected => "disconnected"u8,
        EventAction.InvalidUser => "invalid_user"u8,
        EventAction.AttemptsExceeded => "attempts_exceeded"u8,
        EventAction.Loss => "loss"u8,
        EventAction.Started => "started"u8,
        EventAction.Stopped => "stopped"u8,
        EventAction.ClockStepped => "clock_stepped"u8,
        EventAction.Refused => "refused"u8,
        _ => [],
    };

    /// <summary>Returns the word, or nothing for <see cref="EventOutcome.None"/>.</summary>
    public static ReadOnlySpan<byte> Of(EventOutcome outcome) => outcome switch
    {
        EventOutcome.Success => "success"u8,
        EventOutcome.Failure => "failure"u8,
        EventOutcome.Unknown => "unknown"u8,
        _ => [],
    };

    /// <summary>Returns the word.</summary>
    public static ReadOnlySpan<byte> Of(EventSourceType type) => type switch
    {
        EventSourceType.Sshd => "sshd"u8,
        EventSourceType.Pam => "pam"u8,
        EventSourceType.Massif => "massif"u8,
        _ => "generic"u8,
    };

    /// <summary>Returns the word.</summary>
    public static ReadOnlySpan<byte> Of(EventParser parser) => parser switch
    {
        EventParser.Rfc3164 => "rfc3164"u8,
        EventParser.Rfc5424 => "rfc5424"u8,
        EventParser.Cisco => "cisco"u8,
        EventParser.Kmsg => "kmsg"u8,
        EventParser.Internal => "internal"u8,
        _ => "raw"u8,
    };

    /// <summary>Returns the word.</summary>
    public static ReadOnlySpan<byte> Of(TimeQuality quality) => quality switch
    {
        TimeQuality.Sync => "sync"u8,
        TimeQuality.Holdover => "holdover"u8,
        _ => "unsync"u8,
    };

    /// <summary>Returns the word, or nothing for <see cref="EventTransport.None"/>.</summary>
    public static ReadOnlySpan<byte> Of(EventTransport transport) => transport switch
    {
        EventTransport.Udp => "udp"u8,
        EventTransport.Tcp => "tcp"u8,
        EventTransport.Tls => "tls"u8,
        _ => [],
    };

    /// <summary>Returns the name of a syslog severity (RFC 5424 section 6.2.1).</summary>
    public static ReadOnlySpan<byte> OfSeverity(int severity) => severity switch
    {
        0 => "emergency"u8,
        1 => "alert"u8,
        2 => "critical"u8,
        3 => "error"u8,
        4 => "warning"u8,
        5 => "notice"u8,
        6 => "informational"u8,
        7 => "debug"u8,
        _ => [],
    };
}
