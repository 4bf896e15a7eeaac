using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Cep;
using Massif.Events;
using Massif.Mis.Core.Alarms;
using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>Writes server-sent events (WHATWG HTML section 9.2). JSON has no line ends in it, so one data line is enough.</summary>
internal sealed class SseWriter(HttpResponse response, TimeSpan patience) : IDisposable
{
    private readonly ArrayBufferWriter<byte> _waiting = new();
    private readonly Utf8JsonWriter _json = new(Stream.Null, ApiAnswers.Readable);

    /// <inheritdoc />
    public void Dispose() => _json.Dispose();

    /// <summary>Sends the head, so that the client knows that it is connected.</summary>
    public async Task BeginAsync()
    {
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        WriteHeartbeat();
        await FlushAsync();
    }

    /// <summary>Writes an alarm; the id is its ordinal here.</summary>
    public void WriteAlarm(StoredAlarm stored)
    {
        Head("alarm", stored.Ordinal.ToString(CultureInfo.InvariantCulture));
        _json.Reset(_waiting);
        AlarmJson.Write(_json, stored.Alarm);
        End();
    }

    /// <summary>Writes each event of a batch. A batch of a faulty edge that is none has no events.</summary>
    public void WriteBatch(DeliveredBatch batch)
    {
        if (!BatchReader.TryOpen(batch.Payload.Span, out var reader, out _)) return;
        for (var index = 0; index < reader.Count; index++)
        {
            var id = new EventId(batch.Stream.Edge, batch.Stream.Incarnation, batch.Seq, index);
            Head("event", id.ToString());
            _json.Reset(_waiting);
            EventJson.Write(_json, reader[index], id);
            End();
        }
    }

    /// <summary>Writes that the client was too slow; it is the last thing that it gets.</summary>
    public void WriteCut() => _waiting.Write("event: cut\ndata: {\"reason\":\"too slow\"}\n\n"u8);

    /// <summary>Writes a comment: clients that wait learn that the replica is alive.</summary>
    public void WriteHeartbeat() => _waiting.Write(": alive\n\n"u8);

    /// <summary>Sends what was written; waits while the client does not read, but not for long: its place is another's too.</summary>
    /// <exception cref="ClientTooSlowException">The client does not read.</exception>
    public async Task FlushAsync()
    {
        if (_waiting.WrittenCount == 0) return;
        await SlowClient.WriteAsync(response, _waiting.WrittenMemory, patience);
        _waiting.ResetWrittenCount();
    }

    private void Head(string kind, string id) => Encoding.UTF8.GetBytes($"id: {id}\nevent: {kind}\ndata: ", _waiting);

    private void End()
    {
        _json.Flush();
        _waiting.Write("\n\n"u8);
    }
}
