using Microsoft.AspNetCore.Http;

namespace Massif.Mis.Core.Api;

/// <summary>A client did not read what was sent to it for too long.</summary>
internal sealed class ClientTooSlowException : Exception;

/// <summary>Writes to clients that may not read.</summary>
internal static class SlowClient
{
    private const int PieceBytes = 64 * 1024;

    /// <summary>Writes bytes; a client that reads nothing of them for too long is given up.</summary>
    /// <param name="response">Where to write.</param>
    /// <param name="bytes">What to write.</param>
    /// <param name="patience">How long each 64 KiB may take.</param>
    /// <exception cref="ClientTooSlowException">It does not read.</exception>
    /// <exception cref="OperationCanceledException">It is gone.</exception>
    public static async Task WriteAsync(HttpResponse response, ReadOnlyMemory<byte> bytes, TimeSpan patience)
    {
        using var late = new CancellationTokenSource();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(response.HttpContext.RequestAborted, late.Token);
        try
        {
            for (var at = 0; at < bytes.Length; at += PieceBytes)
            {
                late.CancelAfter(patience);
                await response.Body.WriteAsync(bytes.Slice(at, Math.Min(PieceBytes, bytes.Length - at)), end.Token);
            }
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new ClientTooSlowException(); // A write that is given up aborts the request too; that is no reason of its own.
        }
    }
}
