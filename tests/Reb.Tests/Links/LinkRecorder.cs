using System.Threading.Channels;
using Massif.Reb.Hosting;
using Massif.Reb.Links;

namespace Massif.Reb.Tests.Links;

/// <summary>Keeps what a node's links told, so that a test waits for it.</summary>
internal sealed class LinkRecorder : ILinkObserver
{
    // Only a broken test waits so long.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<(NodeIndex From, byte[] Frame)> _frames = Channel.CreateUnbounded<(NodeIndex, byte[])>();
    private readonly Channel<string> _events = Channel.CreateUnbounded<string>();
    private readonly Channel<LinkRefused> _refusals = Channel.CreateUnbounded<LinkRefused>();

    /// <summary>While it is not completed, the receiver takes no frame.</summary>
    public Task Gate { get; set; } = Task.CompletedTask;

    public async ValueTask OnFrameAsync(NodeIndex from, ReadOnlyMemory<byte> frame, CancellationToken closed)
    {
        await Gate.WaitAsync(closed);
        await _frames.Writer.WriteAsync((from, frame.ToArray()), closed);
    }

    public ValueTask OnUpAsync(NodeIndex peer, ulong startNonce) =>
        _events.Writer.WriteAsync($"up {TestDomain.Members[peer.Value].Id} {startNonce}");

    public ValueTask OnDownAsync(NodeIndex peer, string reason) =>
        _events.Writer.WriteAsync($"down {TestDomain.Members[peer.Value].Id}: {reason}");

    public void OnRefused(LinkRefused refused) => _refusals.Writer.TryWrite(refused);

    public Task<(NodeIndex From, byte[] Frame)> NextFrame() => Next(_frames);

    public Task<string> NextEvent() => Next(_events);

    public async Task<string> WaitForEvent(string start)
    {
        while (true)
        {
            var told = await NextEvent();
            if (told.StartsWith(start, StringComparison.Ordinal)) return told;
        }
    }

    public async Task<LinkRefused> WaitForRefusal(LinkRefusal reason)
    {
        while (true)
        {
            var refused = await Next(_refusals);
            if (refused.Reason == reason) return refused;
        }
    }

    public Task<LinkRefused> NextRefusal() => Next(_refusals);

    private static async Task<T> Next<T>(Channel<T> channel)
    {
        using var limit = new CancellationTokenSource(Patience);
        return await channel.Reader.ReadAsync(limit.Token);
    }
}
