using System.Globalization;
using Massif.Events;
using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>Server-sent events: alarms and events as this replica delivers them.</summary>
/// <remarks>
/// A client that was away says where it stopped and gets what it missed first. One that is too slow is told
/// <c>event: cut</c> and closed; it can come back in the same way. Silence is broken by a comment each heartbeat.
/// </remarks>
internal sealed class LiveStreams(ICoreReadModel model, CoreApiLimits limits, Action<string> refused)
{
    private const int PageSize = 500;
    private int _open;

    /// <summary>Streams alarms; <c>after=N</c> begins behind that ordinal, else with what comes now.</summary>
    public async Task AlarmsAsync(HttpContext context)
    {
        var cancel = context.RequestAborted;
        long? after = null;
        if (context.Request.Query.TryGetValue("after", out var text))
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal))
            {
                await ApiAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "after is an ordinal");
                return;
            }

            after = ordinal;
        }

        if (!await TryEnterAsync(context)) return;
        try
        {
            using var live = model.Alarms.Subscribe(limits.AlarmsWaiting); // Before the backlog, so that nothing falls between.
            using var stream = new SseWriter(context.Response, limits.ReadTimeout);
            await stream.BeginAsync();
            var last = after ?? 0;
            while (after is not null)
            {
                var page = await model.GetAlarmsAsync(last, PageSize, cancel);
                foreach (var stored in page.Alarms) stream.WriteAlarm(stored);
                await stream.FlushAsync();
                last = page.Next; // May go back: a replica that lost its disk counts anew.
                if (page.Alarms.IsEmpty) break;
            }

            await PumpAsync(live, stream, stored =>
            {
                if (stored.Ordinal > last) stream.WriteAlarm(stored);
                return ValueTask.CompletedTask;
            }, cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    /// <summary>Streams events; each <c>after=edge/incarnation/seq</c> begins a stream's life behind that batch.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        var cancel = context.RequestAborted;
        var positions = new Dictionary<(string Edge, ulong Incarnation), ulong>();
        foreach (var text in context.Request.Query["after"])
        {
            // An event id without its index.
            if (!EventId.TryParse(text + "/0", out var id))
            {
                await ApiAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "after is edge/incarnation/seq");
                return;
            }

            positions[(id.Edge, id.Incarnation)] = id.Seq;
        }

        if (!await TryEnterAsync(context)) return;
        try
        {
            using var live = model.Batches.Subscribe(limits.BatchesWaiting); // Before the backlog, so that nothing falls between.
            using var stream = new SseWriter(context.Response, limits.ReadTimeout);
            await stream.BeginAsync();
            foreach (var (edge, incarnation) in positions.Keys.ToArray())
                await CatchUpAsync(stream, positions, edge, incarnation, ulong.MaxValue, cancel);
            await PumpAsync(live, stream, batch => TakeAsync(stream, positions, batch, cancel), cancel);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private async ValueTask TakeAsync(
        SseWriter stream,
        Dictionary<(string Edge, ulong Incarnation), ulong> positions,
        DeliveredBatch batch,
        CancellationToken cancel)
    {
        var life = (batch.Stream.Edge, batch.Stream.Incarnation);
        if (positions.TryGetValue(life, out var last))
        {
            if (batch.Seq <= last) return;
            await CatchUpAsync(stream, positions, life.Edge, life.Incarnation, batch.Seq - 1, cancel);
        }

        stream.WriteBatch(batch);
        positions[life] = batch.Seq;
    }

    // Ends early at a batch that is not here: not yet delivered, or removed by retention, which the ids then show.
    private async Task CatchUpAsync(
        SseWriter stream,
        Dictionary<(string Edge, ulong Incarnation), ulong> positions,
        string edge,
        ulong incarnation,
        ulong until,
        CancellationToken cancel)
    {
        for (var seq = positions[(edge, incarnation)] + 1; seq <= until; seq++)
        {
            if (await model.FindBatchAsync(edge, incarnation, seq, cancel) is not { } batch) return;
            stream.WriteBatch(batch);
            await stream.FlushAsync();
            positions[(edge, incarnation)] = seq;
        }
    }

    private async Task PumpAsync<T>(
        LiveSubscription<T> live, SseWriter stream, Func<T, ValueTask> write, CancellationToken cancel)
    {
        while (true)
        {
            while (live.TryRead(out var item))
            {
                await write(item);
                await stream.FlushAsync(); // Waits while the client does not read; meanwhile the subscription fills.
            }

            var more = live.WaitToReadAsync(cancel).AsTask();
            while (!more.IsCompleted)
            {
                // A time-out is no mistake here, so it is not an exception.
                await Task.WhenAny(more, Task.Delay(limits.Heartbeat, cancel));
                if (more.IsCompleted) break;
                cancel.ThrowIfCancellationRequested();
                stream.WriteHeartbeat();
                await stream.FlushAsync();
            }

            if (await more) continue;
            if (live.WasCut) stream.WriteCut();
            await stream.FlushAsync();
            return;
        }
    }

    private async Task<bool> TryEnterAsync(HttpContext context)
    {
        if (Interlocked.Increment(ref _open) <= limits.StreamsMax) return true;
        Interlocked.Decrement(ref _open);
        refused("streams_full");
        await ApiAnswers.ErrorAsync(context, StatusCodes.Status503ServiceUnavailable, $"{limits.StreamsMax} live streams are open already");
        return false;
    }
}
