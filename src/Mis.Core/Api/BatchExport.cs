using System.Buffers.Binary;
using Massif.Events;
using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>Hands out whole batches as they were delivered: what an archive or an audit reads, without a cost per event.</summary>
/// <remarks>
/// <c>/v1/batches/EDGE/INCARNATION?after=SEQ</c> answers application/octet-stream: for each batch from SEQ + 1 on its seq (8
/// bytes), the length of its payload (4 bytes) and the payload, numbers little-endian. It ends at the first batch that is
/// not here: not delivered yet, or removed by retention.
/// </remarks>
internal sealed class BatchExport(ICoreReadModel model, CoreApiLimits limits)
{
    private const int HeadBytes = 12;

    /// <summary>Answers one request.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var route = context.Request.RouteValues;
        var after = context.Request.Query.TryGetValue("after", out var text) ? text.ToString() : "0";
        if (!EventId.TryParse($"{route["edge"]}/{route["incarnation"]}/{after}/0", out var id))
        {
            await ApiAnswers.ErrorAsync(
                context, StatusCodes.Status400BadRequest, "the path is /v1/batches/edge/incarnation, and after is a seq");
            return;
        }

        var cancel = context.RequestAborted;
        context.Response.ContentType = "application/octet-stream";
        var head = new byte[HeadBytes];
        for (var seq = id.Seq + 1; await model.FindBatchAsync(id.Edge, id.Incarnation, seq, cancel) is { } batch; seq++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(head, seq);
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(8), batch.Payload.Length);
            await SlowClient.WriteAsync(context.Response, head, limits.ReadTimeout);
            await SlowClient.WriteAsync(context.Response, batch.Payload, limits.ReadTimeout); // Waits while the client does not read.
        }
    }
}
