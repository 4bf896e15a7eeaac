using System.Text.Json;

namespace Massif.Events;

/// <summary>
/// Events as JSON with the names of the Elastic Common Schema, one flat object with dotted names, as rules write them.
/// Times are RFC 3339 in UTC with nanoseconds; bytes that are not UTF-8 appear as U+FFFD.
/// </summary>
public static class EventJson
{
    /// <summary>Writes one event as an object. Fields that the event does not have are left out.</summary>
    public static void Write(Utf8JsonWriter writer, in EventView view, EventId id)
    {
        writer.WriteStartObject();
        writer.WriteString("event.id", id.ToString());
        if (!view.Has(EventField.Time)) WriteTime(writer, "@timestamp", view.TimeObserved); // ECS demands @timestamp.
        foreach (var field in FieldNames.All) WriteField(writer, view, field);
        writer.WriteEndObject();
    }

    private static void WriteField(Utf8JsonWriter writer, in EventView view, EventField field)
    {
        if (!view.Has(field)) return;

        var name = FieldNames.NameOf(field);
        switch (FieldNames.KindOf(field))
        {
            case FieldKind.Time when view.TryGetNumber(field, out var time):
                WriteTime(writer, name, time);
                break;
            case FieldKind.Number when view.TryGetNumber(field, out var number):
                writer.WriteNumber(name, number);
                break;
            case FieldKind.Address when view.TryGetAddress(field, out var address):
                writer.WriteString(name, address.ToString());
                break;
            case FieldKind.Text when field == EventField.StructuredData:
                WriteStructuredData(writer, name, view.Text(field));
                break;
            case FieldKind.Text or FieldKind.Word:
                writer.WriteString(name, EventText.Decode(view.Text(field)));
                break;
            case FieldKind.Set:
                WriteFlags(writer, name, view.Flags);
                break;
            case FieldKind.Attributes:
                WriteAttributes(writer, view.Attributes);
                break;
        }
    }

    private static void WriteTime(Utf8JsonWriter writer, string name, long nanoseconds)
    {
        Span<byte> text = stackalloc byte[Rfc3339.Length];
        Rfc3339.Format(nanoseconds, text);
        writer.WriteString(name, text);
    }

    private static void WriteFlags(Utf8JsonWriter writer, string name, EventFlags flags)
    {
        if (flags == EventFlags.None) return;
        writer.WriteStartArray(name);
        foreach (var flag in FlagNames.NamesOf(flags)) writer.WriteStringValue(flag);
        writer.WriteEndArray();
    }

    private static void WriteAttributes(Utf8JsonWriter writer, AttributeReader attributes)
    {
        while (attributes.MoveNext())
        {
            var name = "labels." + EventText.Decode(attributes.Name);
            if (attributes.IsNumber) writer.WriteNumber(name, attributes.Number);
            else writer.WriteString(name, EventText.Decode(attributes.Value));
        }
    }

    // ECS has this field "flattened": an object of objects, in which a name that occurs again has an array.
    private static void WriteStructuredData(Utf8JsonWriter writer, string name, ReadOnlySpan<byte> text)
    {
        writer.WriteStartObject(name);
        foreach (var (id, parameters) in Group(text))
        {
            writer.WriteStartObject(id);
            foreach (var (parameter, values) in parameters)
            {
                writer.WritePropertyName(parameter);
                if (values.Count > 1) writer.WriteStartArray();
                foreach (var value in values) writer.WriteStringValue(value);
                if (values.Count > 1) writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private static OrderedDictionary<string, OrderedDictionary<string, List<string>>> Group(ReadOnlySpan<byte> text)
    {
        var elements = new OrderedDictionary<string, OrderedDictionary<string, List<string>>>(StringComparer.Ordinal);
        var reader = new StructuredDataReader(text);
        var buffer = new byte[text.Length];
        while (reader.NextElement())
        {
            var id = EventText.Decode(reader.Id);
            if (!elements.TryGetValue(id, out var parameters)) elements.Add(id, parameters = new(StringComparer.Ordinal));
            while (reader.NextParameter())
            {
                var name = EventText.Decode(reader.Name);
                var value = buffer.AsSpan(0, StructuredDataReader.Unescape(reader.Value, buffer));
                if (!parameters.TryGetValue(name, out var values)) parameters.Add(name, values = []);
                values.Add(EventText.Decode(value));
            }
        }

        return elements;
    }
}
