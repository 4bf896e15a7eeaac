namespace Massif.Events;

/// <summary>
/// The fields of an event. Numbers below 64 are bits of the binary form's field mask and never change.
/// </summary>
public enum EventField : byte
{
    /// <summary>The host that the source claims to be (text).</summary>
    Host = 0,

    /// <summary>Application name or tag (text).</summary>
    App = 1,

    /// <summary>Process id as written (text).</summary>
    ProcId = 2,

    /// <summary>RFC 5424 MSGID (text).</summary>
    MsgId = 3,

    /// <summary>RFC 5424 structured data as written (text; see <see cref="StructuredDataReader"/>).</summary>
    StructuredData = 4,

    /// <summary>The message (text).</summary>
    Message = 5,

    /// <summary>The claimed time as written (text).</summary>
    TimestampText = 6,

    /// <summary>Address of the peer from which the edge got the event: seen, not claimed.</summary>
    PeerAddress = 7,

    /// <summary>Port of that peer.</summary>
    PeerPort = 8,

    /// <summary>Subject of that peer's TLS certificate (text).</summary>
    PeerSubject = 9,

    /// <summary>Account that the event is about (text).</summary>
    UserName = 10,

    /// <summary>Address that the action came from.</summary>
    SourceAddress = 11,

    /// <summary>Port that the action came from.</summary>
    SourcePort = 12,

    /// <summary>Host name that the action came from, where the source gives no address (text).</summary>
    SourceHost = 13,

    /// <summary>Account that acted (text).</summary>
    SourceUser = 14,

    /// <summary>Hardware address that the action came from (text).</summary>
    SourceMac = 15,

    /// <summary>Address that the action went to.</summary>
    DestinationAddress = 16,

    /// <summary>Port that the action went to.</summary>
    DestinationPort = 17,

    /// <summary>Host name that the action went to (text).</summary>
    DestinationHost = 18,

    /// <summary>Account that was acted on, where it differs from <see cref="UserName"/> (text).</summary>
    DestinationUser = 19,

    /// <summary>Hardware address that the action went to (text).</summary>
    DestinationMac = 20,

    /// <summary>Application protocol (text).</summary>
    Protocol = 21,

    /// <summary>Authentication method (text).</summary>
    Method = 22,

    /// <summary>1 when the account does not exist, 0 when it does.</summary>
    InvalidUser = 23,

    /// <summary>Time of the first event of an aggregate.</summary>
    TimeFirst = 24,

    /// <summary>Time of the last event of an aggregate.</summary>
    TimeLast = 25,

    /// <summary>Everything else that a parser found (see <see cref="AttributeReader"/>).</summary>
    Attributes = 26,

    /// <summary>The time that the source claims; absent when it claims none.</summary>
    Time = 64,

    /// <summary>The edge's trusted time.</summary>
    TimeObserved = 65,

    /// <summary>Quality of the trusted time (word).</summary>
    TimeQuality = 66,

    /// <summary>Bound of the trusted time's error in microseconds; absent when there is none.</summary>
    TimeError = 67,

    /// <summary>Offset of the claimed time from UTC in minutes; absent when it came without one.</summary>
    TimeOffset = 68,

    /// <summary>Syslog facility, 0..23.</summary>
    Facility = 69,

    /// <summary>Syslog severity, 0 (emergency) .. 7 (debug).</summary>
    Severity = 70,

    /// <summary>Name of the severity (word).</summary>
    Level = 71,

    /// <summary>Category (word).</summary>
    Category = 72,

    /// <summary>Action (word).</summary>
    Action = 73,

    /// <summary>Outcome (word).</summary>
    Outcome = 74,

    /// <summary>Kind of source (word).</summary>
    SourceType = 75,

    /// <summary>Parser of the header (word).</summary>
    Parser = 76,

    /// <summary>Version of the parser.</summary>
    ParserVersion = 77,

    /// <summary>How sure the dispatcher is, in percent.</summary>
    Confidence = 78,

    /// <summary>How many events this one stands for; 1 when it is no aggregate.</summary>
    Count = 79,

    /// <summary>How the event reached the edge (word).</summary>
    Transport = 80,

    /// <summary>The flags (set of words).</summary>
    Flags = 81,

    /// <summary>The bytes as they came.</summary>
    Original = 82,
}

/// <summary>How a field's value is to be read.</summary>
public enum FieldKind : byte
{
    /// <summary>UTF-8 text of the source: <see cref="EventView.Text"/>.</summary>
    Text,

    /// <summary>An IP address: <see cref="EventView.TryGetAddress"/>.</summary>
    Address,

    /// <summary>A number: <see cref="EventView.TryGetNumber"/>.</summary>
    Number,

    /// <summary>Nanoseconds since 1970 UTC: <see cref="EventView.TryGetNumber"/>.</summary>
    Time,

    /// <summary>One word of a closed list: <see cref="EventView.Text"/>.</summary>
    Word,

    /// <summary>A set of words: <see cref="EventView.Flags"/>.</summary>
    Set,

    /// <summary>A list of attributes: <see cref="EventView.Attributes"/>.</summary>
    Attributes,
}
