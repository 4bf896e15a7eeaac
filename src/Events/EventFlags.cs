namespace Massif.Events;

/// <summary>
/// Marks on an event: the closed list of the event schema. A flag marks; it never drops. Bit numbers are part of the
/// binary form, so they never change; a new flag takes the next free bit.
/// </summary>
/// <remarks>
/// Two words of the schema's list are missing here because they describe a connection and never an event: a closed
/// connection and a protocol error of RELP. One bit is free; after it the binary form needs a second word of flags.
/// </remarks>
[Flags]
public enum EventFlags : ulong
{
    /// <summary>Nothing unusual.</summary>
    None = 0,

    /// <summary>No PRI: facility 1, severity 5 are assumed (RFC 3164 section 4.3.3).</summary>
    NoPri = 1UL << 0,

    /// <summary>Something like a PRI that is none (above 191, not closed, empty); the text is all message.</summary>
    BadPri = 1UL << 1,

    /// <summary>A PRI with a leading zero, which RFC 5424 section 6.2.1 does not allow.</summary>
    PriLeadingZero = 1UL << 2,

    /// <summary>No timestamp where the header has one.</summary>
    NoTimestamp = 1UL << 3,

    /// <summary>The NILVALUE in place of a timestamp (RFC 5424 section 6.2.3).</summary>
    NilTimestamp = 1UL << 4,

    /// <summary>A timestamp that names no instant, such as 30 February.</summary>
    BadTimestamp = 1UL << 5,

    /// <summary>The timestamp has no year; the year that puts it nearest to the time of receipt was taken.</summary>
    YearAssumed = 1UL << 6,

    /// <summary>A year in an RFC 3164 timestamp.</summary>
    YearInTimestamp = 1UL << 7,

    /// <summary>No zone, or one that is not known; the listener's default was taken.</summary>
    TimeZoneAssumed = 1UL << 8,

    /// <summary>The zone is given by name.</summary>
    TimeZoneName = 1UL << 9,

    /// <summary>An ISO 8601 timestamp in an RFC 3164 header.</summary>
    IsoTimestamp = 1UL << 10,

    /// <summary>A timestamp in seconds since 1970.</summary>
    EpochTimestamp = 1UL << 11,

    /// <summary>A timestamp relative to the start of the device.</summary>
    UptimeTimestamp = 1UL << 12,

    /// <summary>A month name in unusual case.</summary>
    TimestampCase = 1UL << 13,

    /// <summary>A lower-case T or Z (RFC 5424 section 6.2.3 asks for upper case).</summary>
    TimestampLowercase = 1UL << 14,

    /// <summary>A day or hour of one digit without its padding.</summary>
    TimestampSingleDigit = 1UL << 15,

    /// <summary>More than six digits of a second (RFC 5424 section 6.2.3).</summary>
    TimestampFractionOver6 = 1UL << 16,

    /// <summary>The source says that its clock is not synchronised.</summary>
    ClockUnsynced = 1UL << 17,

    /// <summary>No host name in the header.</summary>
    NoHost = 1UL << 18,

    /// <summary>A colon after the host name.</summary>
    HostColon = 1UL << 19,

    /// <summary>No tag in the header.</summary>
    NoTag = 1UL << 20,

    /// <summary>A tag with a process id and no colon after it.</summary>
    TagNoColon = 1UL << 21,

    /// <summary>A space where none belongs.</summary>
    ExtraSpace = 1UL << 22,

    /// <summary>Fields of an RFC 5424 header are left out, and text follows.</summary>
    MissingFields = 1UL << 23,

    /// <summary>The message ends inside its RFC 5424 header.</summary>
    TruncatedHeader = 1UL << 24,

    /// <summary>A field is longer than its standard allows.</summary>
    FieldOverLimit = 1UL << 25,

    /// <summary>A version of the syslog protocol other than 1.</summary>
    UnknownVersion = 1UL << 26,

    /// <summary>The header holds "Message forwarded from host:", as AIX writes it.</summary>
    AixForwarded = 1UL << 27,

    /// <summary>No structured data where an RFC 5424 header has it.</summary>
    MissingStructuredData = 1UL << 28,

    /// <summary>Structured data that does not follow RFC 5424 section 6.3; it stays in the message.</summary>
    BadStructuredData = 1UL << 29,

    /// <summary>The same SD-ID twice.</summary>
    DuplicateStructuredDataId = 1UL << 30,

    /// <summary>An unescaped ] in a parameter value.</summary>
    UnescapedBracket = 1UL << 31,

    /// <summary>A byte order mark in front of the message text, as RFC 5424 section 6.4 asks for; removed.</summary>
    Bom = 1UL << 32,

    /// <summary>A byte order mark in front of everything; removed.</summary>
    LeadingBom = 1UL << 33,

    /// <summary>Text that is not UTF-8; shown with replacement characters, the bytes are kept.</summary>
    InvalidUtf8 = 1UL << 34,

    /// <summary>Control characters in the message.</summary>
    ControlChars = 1UL << 35,

    /// <summary>A message of several lines.</summary>
    Multiline = 1UL << 36,

    /// <summary>LF, CR LF or NUL was removed from the end.</summary>
    TrailerStripped = 1UL << 37,

    /// <summary>Nothing at all.</summary>
    Empty = 1UL << 38,

    /// <summary>A delimiter between frames that ends no frame.</summary>
    StrayDelimiter = 1UL << 39,

    /// <summary>Bytes on the connection that follow neither framing of RFC 6587.</summary>
    FramingError = 1UL << 40,

    /// <summary>Reading went on at the next plausible start of a frame.</summary>
    Resync = 1UL << 41,

    /// <summary>LF framing over TLS (RFC 5425 section 4.3 knows octet counting only).</summary>
    NonconformantFraming = 1UL << 42,

    /// <summary>The connection ended inside this frame.</summary>
    Unterminated = 1UL << 43,

    /// <summary>The frame was cut at the listener's limit.</summary>
    Truncated = 1UL << 44,

    /// <summary>The announced or found length is above the listener's limit.</summary>
    Oversize = 1UL << 45,

    /// <summary>The sender may have sent this before, after a reconnect.</summary>
    PossibleDuplicate = 1UL << 46,

    /// <summary>The body is ArcSight Common Event Format.</summary>
    Cef = 1UL << 47,

    /// <summary>The body is QRadar Log Event Extended Format.</summary>
    Leef = 1UL << 48,

    /// <summary>The body is JSON behind the Lumberjack cookie @cee:.</summary>
    Cee = 1UL << 49,

    /// <summary>The body is a JSON object.</summary>
    Json = 1UL << 50,

    /// <summary>The body is a list of key=value pairs.</summary>
    KeyValue = 1UL << 51,

    /// <summary>The body is a Windows event as the Snare agent writes it.</summary>
    Snare = 1UL << 52,

    /// <summary>A syslogd's sign of life.</summary>
    Mark = 1UL << 53,

    /// <summary>The message stands for several equal ones; see the count.</summary>
    Repeat = 1UL << 54,

    /// <summary>Read from a replay listener: the claimed time is the event time.</summary>
    Replayed = 1UL << 55,

    /// <summary>The event came later than its deadline or its place in the order allows.</summary>
    Late = 1UL << 56,

    /// <summary>The claimed time lies in the future.</summary>
    Future = 1UL << 57,

    /// <summary>The edge's wall clock stepped; trusted time held or jumped at this event.</summary>
    ClockStep = 1UL << 58,

    /// <summary>The event was chosen from several by sampling.</summary>
    Sampled = 1UL << 59,

    /// <summary>The event stands for several; see count, first and last time.</summary>
    Aggregated = 1UL << 60,

    /// <summary>Some fields were anonymised.</summary>
    Anonymised = 1UL << 61,

    /// <summary>
    /// The line is about login attempts that another line tells too (a PAM line of sshd, for example), so that counting
    /// rules leave it out.
    /// </summary>
    SameAttempt = 1UL << 62,
}
