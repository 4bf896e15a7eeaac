using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Massif.Cep;
using Massif.Events;
using Massif.Mis.Core.Alarms;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Massif.Mis.Core.Api;

/// <summary>Answers the questions of the API.</summary>
/// <param name="model">What to answer.</param>
/// <param name="limits">Limits.</param>
/// <param name="refused">Told why a client did not get what it asked for, for the counters.</param>
internal sealed class ApiRoutes(ICoreReadModel model, CoreApiLimits limits, Action<string> refused)
{
    private const int PageDefault = 100;
    private readonly LiveStreams _live = new(model, limits, refused);
    private readonly AnswerDesk _desk = new(limits, refused);

    public void Map(WebApplication web)
    {
        web.Use(ReportFailures);
        Get(web, "/v1/status", StatusAsync);
        Get(web, "/v1/streams", StreamsAsync);
        Get(web, "/v1/alarms", AlarmsAsync);
        Get(web, "/v1/alarms/{id}", AlarmAsync);
        Get(web, "/v1/alarms/{id}/events", AlarmEventsAsync);
        Get(web, "/v1/events/{edge}/{incarnation}/{seq}/{index}", EventAsync);
        web.MapGet("/v1/batches/{edge}/{incarnation}", new BatchExport(model, limits).AnswerAsync);
        web.MapGet("/v1/stream/alarms", _live.AlarmsAsync);
        web.MapGet("/v1/stream/events", _live.EventsAsync);
        web.MapFallback(context => ApiAnswers.ErrorAsync(context, StatusCodes.Status404NotFound, "there is nothing at this path"));
    }

    private void Get(IEndpointRouteBuilder web, string path, Func<HttpContext, CancellationToken, Task> answer) =>
        web.MapGet(path, async context =>
        {
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
            cancel.CancelAfter(limits.AnswerTimeout);
            await answer(context, cancel.Token);
        });

    // What a question can run into is told to the asker; nothing of it may end the process.
    private async Task ReportFailures(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (ClientTooSlowException)
        {
            refused("reads_too_slowly");
            context.Abort();
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (OperationCanceledException) when (!context.Response.HasStarted)
        {
            refused("no_answer_in_time");
            await ApiAnswers.ErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "the replica does not answer in time");
        }
    }

    private async Task StatusAsync(HttpContext context, CancellationToken cancel)
    {
        var status = await model.GetStatusAsync(cancel);
        await _desk.AnswerAsync(context, json => JsonSerializer.Serialize(json, status, ApiJsonContext.Default.CoreStatus), cancel);
    }

    private async Task StreamsAsync(HttpContext context, CancellationToken cancel)
    {
        var status = await model.GetStatusAsync(cancel);
        var streams = new StreamsAnswer(status.Streams);
        await _desk.AnswerAsync(context, json => JsonSerializer.Serialize(json, streams, ApiJsonContext.Default.StreamsAnswer), cancel);
    }

    private async Task AlarmsAsync(HttpContext context, CancellationToken cancel)
    {
        if (!TryNumber(context, "after", 0, out var after) || !TryNumber(context, "limit", PageDefault, out var limit))
        {
            await ApiAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "after and limit are whole numbers from 0");
            return;
        }

        var page = await model.GetAlarmsAsync(after, (int)Math.Min(limit, AlarmStore.PageMax), cancel);
        await _desk.AnswerAsync(context, json => ApiAnswers.Write(json, page), cancel);
    }

    private async Task AlarmAsync(HttpContext context, CancellationToken cancel)
    {
        if (await FindAlarmAsync(context, cancel) is { } alarm)
            await _desk.AnswerAsync(context, json => AlarmJson.Write(json, alarm), cancel);
    }

    private async Task AlarmEventsAsync(HttpContext context, CancellationToken cancel)
    {
        if (await FindAlarmAsync(context, cancel) is not { } alarm) return;
        await _desk.AnswerAsync(
            context,
            json => ApiAnswers.WriteEventsAsync(
                json,
                alarm,
                seq => model.FindBatchAsync(alarm.Stream.Edge, alarm.Stream.Incarnation, seq, cancel),
                () => _desk.IsFull(json)),
            cancel);
    }

    private async Task EventAsync(HttpContext context, CancellationToken cancel)
    {
        var route = context.Request.RouteValues;
        if (!EventId.TryParse($"{route["edge"]}/{route["incarnation"]}/{route["seq"]}/{route["index"]}", out var id))
        {
            await ApiAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "an event id is edge/incarnation/seq/index");
            return;
        }

        var batch = await model.FindBatchAsync(id.Edge, id.Incarnation, id.Seq, cancel);
        if (batch is null || !ApiAnswers.HasEvent(batch, id.Index))
            await ApiAnswers.ErrorAsync(context, StatusCodes.Status404NotFound, "this replica does not have the event");
        else
            await _desk.AnswerAsync(context, json => ApiAnswers.WriteEvent(json, batch, id.Index), cancel);
    }

    private async Task<Alarm?> FindAlarmAsync(HttpContext context, CancellationToken cancel)
    {
        if (!AlarmId.TryParse(context.Request.RouteValues["id"] as string, out var id))
        {
            await ApiAnswers.ErrorAsync(context, StatusCodes.Status400BadRequest, "an alarm id is 32 hex digits");
            return null;
        }

        var alarm = await model.FindAlarmAsync(id, cancel);
        if (alarm is null) await ApiAnswers.ErrorAsync(context, StatusCodes.Status404NotFound, "this replica does not have the alarm");
        return alarm;
    }

    private static bool TryNumber(HttpContext context, string name, long fallback, out long number)
    {
        number = fallback;
        return !context.Request.Query.TryGetValue(name, out var text)
            || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}

/// <summary>The answer of /v1/streams.</summary>
/// <param name="Streams">The streams, in the order of edge, class and incarnation.</param>
internal sealed record StreamsAnswer(ImmutableArray<StreamStatus> Streams);
