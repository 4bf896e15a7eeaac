using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Events;
using Massif.Get.Parsers.Syslog;
using Massif.Get.Recognition;

namespace Massif.Get.Conformance;

/// <summary>A vector of one syslog message, run all the way through the binary form and back.</summary>
internal static class SyslogVector
{
    private static readonly string[] Formats = ["raw", "rfc3164", "rfc5424", "cisco", "kmsg"];

    public static void Run(JsonElement vector, Differences differences)
    {
        var expected = vector.GetProperty("expect");
        var format = expected.GetProperty("format").GetString();
        if (!Formats.Contains(format))
        {
            differences.Unsupported($"format {format}");
            return;
        }

        var input = Input(vector);
        var draft = new EventDraft();
        EventTranslator.Translate(input, Context(vector), draft);
        var builder = new BatchBuilder();
        if (!builder.TryAdd(draft) || !BatchReader.TryOpen(builder.Build(), out var batch, out var reason))
        {
            differences.Add("the event does not go through the binary form");
            return;
        }

        Compare(expected, batch[0], differences);
        if (!batch[0].Raw.SequenceEqual(input)) differences.Add("raw: the bytes cannot be recovered");
    }

    private static byte[] Input(JsonElement vector) => vector.TryGetProperty("input_b64", out var base64)
        ? base64.GetBytesFromBase64()
        : Encoding.Latin1.GetBytes(vector.GetProperty("input").GetString() ?? "");

    // Without a context: 2026-11-20T12:30:00Z and UTC, as the conventions say.
    private static ReceiveContext Context(JsonElement vector)
    {
        var (receivedAt, zone) = ("2026-11-20T12:30:00Z", "+00:00");
        if (vector.TryGetProperty("context", out var context))
        {
            if (context.TryGetProperty("received_at", out var at)) receivedAt = at.GetString() ?? receivedAt;
            if (context.TryGetProperty("default_tz", out var tz)) zone = tz.GetString() ?? zone;
        }

        if (Instant(receivedAt) is not { } received) throw new FormatException("received_at is no instant");
        if (!NumericOffset.TryRead(Encoding.ASCII.GetBytes(zone), out _, out var minutes))
            throw new FormatException("default_tz is no offset");
        return new()
        {
            Trusted = new(received, null, TimeQuality.Unsync, ClockStep: false),
            ReceivedWallNanoseconds = received,
            DefaultOffsetMinutes = minutes,
        };
    }

    private static void Compare(JsonElement expected, in EventView view, Differences differences)
    {
        foreach (var property in expected.EnumerateObject())
        {
            var (name, value) = (property.Name, property.Value);
            switch (name)
            {
                case "format":
                    differences.Compare(name, value.GetString(), EventText.Decode(EventWords.Of(view.Parser)));
                    break;
                case "facility":
                    differences.Compare(name, value.GetRawText(), Number(view.Facility));
                    break;
                case "severity":
                    differences.Compare(name, value.GetRawText(), Number(view.Severity));
                    break;
                case "timestamp_iso_or_null":
                    differences.Compare(name, Time(value.GetString() is { } text ? Instant(text) : null), Time(view.Time));
                    break;
                case "flags":
                    differences.CompareFlags(value, view.Flags);
                    break;
                case "structured_data":
                    differences.Compare(name, StructuredData(value), StructuredData(view));
                    break;
                case "extra":
                    CompareExtra("", value, view, differences);
                    break;
                default:
                    differences.Compare(name, Differences.TextOf(value), Text(view, Field(name)));
                    break;
            }
        }
    }

    private static EventField Field(string name) => name switch
    {
        "timestamp_raw" => EventField.TimestampText,
        "host" => EventField.Host,
        "app" => EventField.App,
        "procid" => EventField.ProcId,
        "msgid" => EventField.MsgId,
        "message" => EventField.Message,
        _ => throw new FormatException($"unknown expectation {name}"),
    };

    private static string? Text(in EventView view, EventField field) =>
        view.Has(field) ? EventText.Decode(view.Text(field)) : null;

    // Nested objects have their names joined by points, as in the event's attributes.
    private static void CompareExtra(string prefix, JsonElement expected, in EventView view, Differences differences)
    {
        foreach (var property in expected.EnumerateObject())
        {
            var name = prefix + property.Name;
            if (property.Value.ValueKind == JsonValueKind.Object)
                CompareExtra(name + ".", property.Value, view, differences);
            else differences.Compare("extra." + name, Differences.TextOf(property.Value), Attribute(view, name));
        }
    }

    private static string? Attribute(in EventView view, string name)
    {
        var attributes = view.Attributes;
        if (!attributes.Find(Encoding.UTF8.GetBytes(name))) return null;
        return attributes.IsNumber
            ? attributes.Number.ToString(CultureInfo.InvariantCulture)
            : EventText.Decode(attributes.Value);
    }

    // One text for both sides, in which order and repeats count: id{name=value,name=value}id{}
    private static string? StructuredData(JsonElement expected)
    {
        if (expected.ValueKind == JsonValueKind.Null) return null;
        var text = new StringBuilder();
        foreach (var element in expected.EnumerateArray())
        {
            text.Append(element.GetProperty("id").GetString()).Append('{');
            foreach (var parameter in element.GetProperty("params").EnumerateArray())
            {
                if (parameter.GetArrayLength() != 2) throw new FormatException("a parameter is a name and a value");
                text.Append(parameter[0].GetString()).Append('=').Append(parameter[1].GetString()).Append(',');
            }

            text.Append('}');
        }

        return text.ToString();
    }

    private static string? StructuredData(in EventView view)
    {
        if (!view.Has(EventField.StructuredData)) return null;
        var text = new StringBuilder();
        var reader = new StructuredDataReader(view.Text(EventField.StructuredData));
        while (reader.NextElement())
        {
            text.Append(EventText.Decode(reader.Id)).Append('{');
            while (reader.NextParameter())
            {
                var value = new byte[reader.Value.Length];
                var length = StructuredDataReader.Unescape(reader.Value, value);
                text.Append(EventText.Decode(reader.Name)).Append('=').Append(EventText.Decode(value.AsSpan(0, length))).Append(',');
            }

            text.Append('}');
        }

        return text.ToString();
    }

    private static long? Instant(string text)
    {
        var bytes = Encoding.ASCII.GetBytes(text);
        var time = IsoTimestamp.Read(bytes, 0);
        return time.Length == bytes.Length ? time.Nanoseconds : throw new FormatException($"{text} is no time");
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static string? Time(long? nanoseconds) => nanoseconds is { } value ? Rfc3339.ToString(value) : null;
}
