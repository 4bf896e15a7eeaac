using System.Net.Sockets;
using Massif.Reb.Configuration;

namespace Massif.Reb.Links;

/// <summary>Keeps a link to one peer: tries its addresses in turn, pauses longer after each round that failed.</summary>
internal sealed class LinkDialer(
    DomainNode peer,
    LinkHandshake handshake,
    LinkOptions options,
    RefusalLog refusals,
    LinkSlot slot,
    Func<AuthenticatedConnection, Task> serve)
{
    // A link that ends sooner than this did not work either: the pause goes on growing.
    private static readonly long WorkedMilliseconds = 5_000;

    private string? _lastUnreachable;

    public async Task RunAsync(CancellationToken cancel)
    {
        var pause = options.RedialMin;
        try
        {
            while (true)
            {
                var worked = await RoundAsync(cancel);
                if (worked) pause = options.RedialMin;
                // Jitter: peers of a restarted node do not come at once.
                await Task.Delay(pause * (0.5 + (Random.Shared.NextDouble() / 2)), cancel);
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, options.RedialMax.Ticks));
            }
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    /// <summary>Tries every address once, the working one as long as it works.</summary>
    private async Task<bool> RoundAsync(CancellationToken cancel)
    {
        var worked = false;
        foreach (var address in peer.Addresses)
        {
            if (await ConnectAsync(address, cancel) is not { } connection) continue;
            _lastUnreachable = null;
            var began = Environment.TickCount64;
            await serve(connection);
            cancel.ThrowIfCancellationRequested();
            worked |= Environment.TickCount64 - began >= WorkedMilliseconds;
        }

        return worked;
    }

    private async Task<AuthenticatedConnection?> ConnectAsync(HostPort address, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.HandshakeTimeout);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        var connected = false;
        try
        {
            if (address.Address is { } ip) await socket.ConnectAsync(ip, address.Port, limit.Token);
            else await socket.ConnectAsync(address.Host, address.Port, limit.Token);
            connected = true;
            return await handshake.ConnectAsync(socket, peer, address.ToString(), limit.Token);
        }
        catch (LinkRefusedException e)
        {
            Refused(e.Reason, address, e.Detail);
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException && !cancel.IsCancellationRequested)
        {
            var isLate = limit.IsCancellationRequested;
            if (!connected) Unreachable(address, isLate ? "no answer" : e.Message);
            else if (isLate) Refused(LinkRefusal.HandshakeTimeout, address, "");
            else Refused(LinkRefusal.HandshakeFailed, address, e.Message);
        }
        catch
        {
            socket.Dispose();
            cancel.ThrowIfCancellationRequested(); // What breaks while the node stops is no failure.
            throw;
        }

        socket.Dispose();
        return null;
    }

    private void Refused(LinkRefusal reason, HostPort address, string detail)
    {
        slot.Trouble($"{address}: {reason.Text()}{(detail.Length > 0 ? $" ({detail})" : "")}");
        refusals.Add(reason, address.ToString(), peer.Index, detail);
    }

    // A peer that is down is down for long: it is told once, and again only when something changes.
    private void Unreachable(HostPort address, string detail)
    {
        var text = $"{address}: {detail}";
        slot.Trouble(text);
        if (text == _lastUnreachable) return;
        _lastUnreachable = text;
        refusals.Add(LinkRefusal.Unreachable, address.ToString(), peer.Index, detail);
    }
}
