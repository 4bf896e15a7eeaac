using System.Net;
using Massif.Reb.Links;
using Microsoft.AspNetCore.Connections;

namespace Massif.Reb.Telemetry;

/// <summary>Bounds the connections of a web server of which nobody knows yet who they are, as the bus does for its own.</summary>
/// <remarks>
/// A web server's own limit closes the newcomer: as many connections as it allows, which say nothing and need no certificate, would
/// keep everybody out. Here a newcomer gets in, and an older one that is nobody goes, first one that has not sent a byte.
/// </remarks>
/// <param name="max">Most of them at once.</param>
/// <param name="perAddressMax">Most of one address at once.</param>
/// <param name="firstByte">How long one may say nothing.</param>
public sealed class Doorkeeper(int max, int perAddressMax, TimeSpan firstByte)
{
    private readonly Admission _admission = new(max, perAddressMax);
    private long _evicted;
    private long _silent;

    /// <summary>Gets how many connections have made room for others.</summary>
    public long Evicted => Interlocked.Read(ref _evicted);

    /// <summary>Gets how many connections were closed because they said nothing.</summary>
    public long Silent => Interlocked.Read(ref _silent);

    /// <summary>Lets connections in; before everything else, TLS included.</summary>
    public void Guard(IConnectionBuilder builder) => builder.Use(next => connection => AdmitAsync(connection, next));

    /// <summary>From here on a connection is somebody's: behind TLS, whose handshake has checked the certificate.</summary>
    public static void Pass(IConnectionBuilder builder) => builder.Use(next => connection =>
    {
        // One that was evicted at the very end of its handshake is being closed.
        return connection.Items.TryGetValue(typeof(Doorkeeper), out var visit) && !((Admission.Visit)visit!).Leave()
            ? Task.CompletedTask
            : next(connection);
    });

    private async Task AdmitAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        var visit = _admission.Enter((connection.RemoteEndPoint as IPEndPoint)?.Address ?? IPAddress.None);
        connection.Items[typeof(Doorkeeper)] = visit;
        await using var closing = visit.Evicted.UnsafeRegister(static state => ((ConnectionContext)state!).Abort(), connection);
        try
        {
            if (await SpeaksAsync(connection, visit)) await next(connection);
        }
        finally
        {
            visit.Leave();
            if (visit.IsEvicted) Interlocked.Increment(ref _evicted);
        }
    }

    private async Task<bool> SpeaksAsync(ConnectionContext connection, Admission.Visit visit)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(visit.Evicted, connection.ConnectionClosed);
        patience.CancelAfter(firstByte);
        var input = connection.Transport.Input;
        try
        {
            var read = await input.ReadAsync(patience.Token);
            input.AdvanceTo(read.Buffer.Start); // Looked at and left: what is behind reads it again.
            visit.HasSpoken = !read.Buffer.IsEmpty;
            return visit.HasSpoken;
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
        {
            if (!visit.IsEvicted && !connection.ConnectionClosed.IsCancellationRequested) Interlocked.Increment(ref _silent);
            return false;
        }
    }
}
