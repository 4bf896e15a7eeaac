using System.Text.Json;
using Massif.Events;

namespace Massif.Cep;

/// <summary>Alarms as JSON with ECS names; equal alarms give equal text at every replica.</summary>
public static class AlarmJson
{
    /// <summary>Writes one alarm as an object.</summary>
    public static void Write(Utf8JsonWriter writer, Alarm alarm)
    {
        writer.WriteStartObject();
        writer.WriteString("id", alarm.Id.ToString());
        writer.WriteString("rule", alarm.RuleId);
        writer.WriteNumber("version", alarm.RuleVersion);
        writer.WriteString("title", alarm.Title);
        writer.WriteString("severity", WordOf(alarm.Severity));
        writer.WriteString("edge", alarm.Stream.Edge);
        writer.WriteString("class", alarm.Stream.Class == 0 ? "bulk"u8 : "urgent"u8);
        writer.WriteBoolean("replayed", alarm.Replayed);
        writer.WriteStartObject("key");
        foreach (var (field, value) in alarm.Key) writer.WriteString(field, value);
        writer.WriteEndObject();
        WriteTime(writer, "first", alarm.First);
        WriteTime(writer, "last", alarm.Last);
        writer.WriteNumber("count", alarm.Count);
        writer.WriteStartArray("events");
        foreach (var position in alarm.Events) writer.WriteStringValue(alarm.EventIdOf(position).ToString());
        writer.WriteEndArray();
        writer.WriteNumber("events_omitted", alarm.EventsOmitted);
        writer.WriteEndObject();
    }

    private static string WordOf(AlarmSeverity severity) => severity switch
    {
        AlarmSeverity.Low => "low",
        AlarmSeverity.Medium => "medium",
        AlarmSeverity.High => "high",
        _ => "critical",
    };

    private static void WriteTime(Utf8JsonWriter writer, string name, long nanoseconds)
    {
        Span<byte> text = stackalloc byte[Rfc3339.Length];
        Rfc3339.Format(nanoseconds, text);
        writer.WriteString(name, text);
    }
}
