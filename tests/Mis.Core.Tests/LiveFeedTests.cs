using Massif.Mis.Core.Api;

namespace Massif.Mis.Core.Tests;

public sealed class LiveFeedTests
{
    [Fact]
    public async Task A_listener_that_is_too_slow_is_cut_and_the_others_go_on()
    {
        var feed = new LiveFeed<int>();
        using var slow = feed.Subscribe(2);
        using var quick = feed.Subscribe(10);
        for (var i = 0; i < 5; i++) feed.Publish(i);

        Assert.True(slow.WasCut);
        Assert.Equal([0, 1], await ReadAsync(slow));
        Assert.False(quick.WasCut);
        quick.Dispose();
        Assert.Equal([0, 1, 2, 3, 4], await ReadAsync(quick));
        Assert.False(feed.HasListeners);
    }

    private static async Task<List<int>> ReadAsync(LiveSubscription<int> subscription)
    {
        var read = new List<int>();
        while (await subscription.WaitToReadAsync(CancellationToken.None))
        {
            while (subscription.TryRead(out var item)) read.Add(item);
        }

        return read;
    }
}
