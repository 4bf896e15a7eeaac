using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>Makes answers and gets them to clients within bounds: so many are made at once, so many bytes wait to be read.</summary>
/// <remarks>
/// Small answers do not count among those that wait: whoever asks for large ones and does not read them keeps nobody from the status.
/// Bound: <see cref="CoreApiLimits.AnswersAtOnce"/> answers being made and <see cref="CoreApiLimits.AnswersWaitingBytesMax"/> bytes made.
/// </remarks>
[SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "It has no wait handle.")]
internal sealed class AnswerDesk(CoreApiLimits limits, Action<string> refused)
{
    /// <summary>Below this an answer is small, in bytes.</summary>
    public const int SmallBytes = 64 * 1024;

    private readonly SemaphoreSlim _making = new(limits.AnswersAtOnce);
    private long _waitingBytes;

    /// <summary>Gets how many bytes of answers wait to be read.</summary>
    public long WaitingBytes => Interlocked.Read(ref _waitingBytes);

    /// <summary>Answers with JSON.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes the answer; it is asked not to go on when the answer is full.</param>
    /// <param name="cancel">Ends the waiting for a turn.</param>
    public async Task AnswerAsync(HttpContext context, Func<Utf8JsonWriter, ValueTask> write, CancellationToken cancel)
    {
        var body = new ArrayBufferWriter<byte>();
        await _making.WaitAsync(cancel);
        try
        {
            await using var json = new Utf8JsonWriter(body, ApiAnswers.Readable);
            await write(json);
        }
        finally
        {
            _making.Release();
        }

        await SendAsync(context, body.WrittenMemory);
    }

    /// <inheritdoc cref="AnswerAsync(HttpContext, Func{Utf8JsonWriter, ValueTask}, CancellationToken)"/>
    public Task AnswerAsync(HttpContext context, Action<Utf8JsonWriter> write, CancellationToken cancel) =>
        AnswerAsync(
            context,
            json =>
            {
                write(json);
                return ValueTask.CompletedTask;
            },
            cancel);

    /// <summary>Returns whether an answer under way is full: what is not in it yet is named instead.</summary>
    public bool IsFull(Utf8JsonWriter json) => json.BytesCommitted + json.BytesPending >= limits.AnswerBytesMax;

    private async Task SendAsync(HttpContext context, ReadOnlyMemory<byte> body)
    {
        var counted = body.Length > SmallBytes ? body.Length : 0;
        try
        {
            if (Interlocked.Add(ref _waitingBytes, counted) > limits.AnswersWaitingBytesMax)
            {
                refused("answers_waiting");
                await ApiAnswers.ErrorAsync(context, StatusCodes.Status503ServiceUnavailable, "too many answers wait to be read");
                return;
            }

            context.Response.ContentType = "application/json; charset=utf-8";
            context.Response.ContentLength = body.Length;
            await SlowClient.WriteAsync(context.Response, body, limits.ReadTimeout);
        }
        finally
        {
            Interlocked.Add(ref _waitingBytes, -counted);
        }
    }
}
