using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Massif.Cep;
using Massif.Events;
using Massif.Mis.Core.Alarms;
using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>Writes answers as JSON.</summary>
internal static class ApiAnswers
{
    /// <summary>Gets how answers are written: they are no part of a web page, so that only what JSON demands is escaped.</summary>
    public static JsonWriterOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Answers with an error, which is a few bytes long and needs no place among the answers.</summary>
    public static async Task ErrorAsync(HttpContext context, int status, string reason)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body, Readable))
        {
            json.WriteStartObject();
            json.WriteString("error", reason);
            json.WriteEndObject();
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json; charset=utf-8";
        context.Response.ContentLength = body.WrittenCount;
        await context.Response.Body.WriteAsync(body.WrittenMemory, context.RequestAborted);
    }

    public static void Write(Utf8JsonWriter json, AlarmPage page)
    {
        json.WriteStartObject();
        json.WriteNumber("next", page.Next);
        json.WriteNumber("oldest", page.Oldest);
        json.WriteStartArray("alarms");
        foreach (var (ordinal, alarm) in page.Alarms)
        {
            json.WriteStartObject();
            json.WriteNumber("ordinal", ordinal);
            json.WritePropertyName("alarm");
            AlarmJson.Write(json, alarm);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>
    /// Writes the events of an alarm; <c>missing</c> names those whose batches are gone, and those that the answer has no room for.
    /// </summary>
    /// <param name="json">Where to write.</param>
    /// <param name="alarm">The alarm.</param>
    /// <param name="find">Finds a batch; one at a time is held, for an alarm may be made of a thousand.</param>
    /// <param name="isFull">Says whether the answer is as long as it may be.</param>
    public static async ValueTask WriteEventsAsync(
        Utf8JsonWriter json, Alarm alarm, Func<ulong, Task<DeliveredBatch?>> find, Func<bool> isFull)
    {
        var missing = new List<EventId>();
        (ulong Seq, DeliveredBatch? Batch) last = default;
        json.WriteStartObject();
        json.WriteString("alarm", alarm.Id.ToString());
        json.WriteStartArray("events");
        foreach (var position in alarm.Events)
        {
            if (last.Seq != position.Seq) last = (position.Seq, isFull() ? null : await find(position.Seq));
            if (!isFull() && last.Batch is { } batch && HasEvent(batch, position.Index)) WriteEvent(json, batch, position.Index);
            else missing.Add(alarm.EventIdOf(position));
        }

        json.WriteEndArray();
        json.WriteStartArray("missing");
        foreach (var id in missing) json.WriteStringValue(id.ToString());
        json.WriteEndArray();
        json.WriteNumber("omitted", alarm.EventsOmitted);
        json.WriteEndObject();
    }

    public static bool HasEvent(DeliveredBatch batch, int index) =>
        BatchReader.TryOpen(batch.Payload.Span, out var reader, out _) && index < reader.Count;

    public static void WriteEvent(Utf8JsonWriter json, DeliveredBatch batch, int index)
    {
        if (BatchReader.TryOpen(batch.Payload.Span, out var reader, out _))
            EventJson.Write(json, reader[index], new(batch.Stream.Edge, batch.Stream.Incarnation, batch.Seq, index));
    }
}

/// <summary>How the status is written: snake_case names, absent values left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(CoreStatus))]
[JsonSerializable(typeof(StreamsAnswer))]
internal sealed partial class ApiJsonContext : JsonSerializerContext;
