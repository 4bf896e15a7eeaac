namespace Massif.Events;

/// <summary>
/// Field names of the Elastic Common Schema, and ours where it has none; used by rules, JSON and the API.
/// </summary>
public static class FieldNames
{
    private static readonly (EventField Field, string Name, FieldKind Kind)[] Table =
    [
        (EventField.Time, "@timestamp", FieldKind.Time),
        (EventField.TimeObserved, "event.created", FieldKind.Time),
        (EventField.TimeQuality, "massif.time.quality", FieldKind.Word),
        (EventField.TimeError, "massif.time.error_us", FieldKind.Number),
        (EventField.TimeOffset, "massif.time.offset_minutes", FieldKind.Number),
        (EventField.TimestampText, "massif.time.raw", FieldKind.Text),
        (EventField.Category, "event.category", FieldKind.Word),
        (EventField.Action, "event.action", FieldKind.Word),
        (EventField.Outcome, "event.outcome", FieldKind.Word),
        (EventField.SourceType, "event.dataset", FieldKind.Word),
        (EventField.Parser, "event.module", FieldKind.Word),
        (EventField.ParserVersion, "massif.parser.version", FieldKind.Number),
        (EventField.Confidence, "massif.parser.confidence_percent", FieldKind.Number),
        (EventField.Severity, "log.syslog.severity.code", FieldKind.Number),
        (EventField.Level, "log.level", FieldKind.Word),
        (EventField.Facility, "log.syslog.facility.code", FieldKind.Number),
        (EventField.Host, "host.name", FieldKind.Text),
        (EventField.App, "process.name", FieldKind.Text),
        (EventField.ProcId, "log.syslog.procid", FieldKind.Text),
        (EventField.MsgId, "log.syslog.msgid", FieldKind.Text),
        (EventField.StructuredData, "log.syslog.structured_data", FieldKind.Text),
        (EventField.UserName, "user.name", FieldKind.Text),
        (EventField.SourceAddress, "source.ip", FieldKind.Address),
        (EventField.SourcePort, "source.port", FieldKind.Number),
        (EventField.SourceHost, "source.domain", FieldKind.Text),
        (EventField.SourceUser, "source.user.name", FieldKind.Text),
        (EventField.SourceMac, "source.mac", FieldKind.Text),
        (EventField.DestinationAddress, "destination.ip", FieldKind.Address),
        (EventField.DestinationPort, "destination.port", FieldKind.Number),
        (EventField.DestinationHost, "destination.domain", FieldKind.Text),
        (EventField.DestinationUser, "destination.user.name", FieldKind.Text),
        (EventField.DestinationMac, "destination.mac", FieldKind.Text),
        (EventField.Protocol, "network.protocol", FieldKind.Text),
        (EventField.Transport, "network.transport", FieldKind.Word),
        (EventField.PeerAddress, "log.source.address", FieldKind.Address),
        (EventField.PeerPort, "log.source.port", FieldKind.Number),
        (EventField.PeerSubject, "log.source.tls.subject", FieldKind.Text),
        (EventField.Method, "labels.method", FieldKind.Text),
        (EventField.InvalidUser, "labels.invalid_user", FieldKind.Number),
        (EventField.Count, "massif.count", FieldKind.Number),
        (EventField.TimeFirst, "event.start", FieldKind.Time),
        (EventField.TimeLast, "event.end", FieldKind.Time),
        (EventField.Flags, "tags", FieldKind.Set),
        (EventField.Attributes, "labels", FieldKind.Attributes),
        (EventField.Message, "message", FieldKind.Text),
        (EventField.Original, "event.original", FieldKind.Text),
    ];

    // Second names that ECS gives to the same thing.
    private static readonly (string Name, EventField Field)[] Aliases =
    [
        ("log.syslog.hostname", EventField.Host),
        ("log.syslog.appname", EventField.App),
    ];

    private static readonly Dictionary<string, EventField> ByName = Table
        .Select(row => (row.Name, row.Field)).Concat(Aliases)
        .ToDictionary(row => row.Name, row => row.Field, StringComparer.Ordinal);

    private static readonly string[] NameByField = IndexByField(row => row.Name, "");
    private static readonly FieldKind[] KindByField = IndexByField(row => row.Kind, FieldKind.Text);

    /// <summary>Gets all fields in the order in which they are written.</summary>
    public static IReadOnlyList<EventField> All { get; } = [.. Table.Select(row => row.Field)];

    /// <summary>Returns the written name of a field.</summary>
    public static string NameOf(EventField field) => NameByField[(int)field];

    /// <summary>Returns how the values of a field are to be read.</summary>
    public static FieldKind KindOf(EventField field) => KindByField[(int)field];

    /// <summary>Finds a field by its written name.</summary>
    public static bool TryParse(string name, out EventField field) => ByName.TryGetValue(name, out field);

    private static T[] IndexByField<T>(Func<(EventField Field, string Name, FieldKind Kind), T> value, T none)
    {
        var index = new T[byte.MaxValue + 1];
        Array.Fill(index, none);
        foreach (var row in Table) index[(int)row.Field] = value(row);
        return index;
    }
}
