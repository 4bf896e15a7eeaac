using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Threading.Channels;
using Massif.Events;

namespace Massif.Client;

/// <summary>Something that a tail tells: an item that f+1 replicas sent alike, or news of a replica.</summary>
/// <param name="Json">The item; null for news.</param>
/// <param name="Replica">Id of the replica that the news is of; null for an item.</param>
/// <param name="News">What happened to it, in a few words; null for an item.</param>
public sealed record TailEntry(string? Json, string? Replica, string? News);

/// <summary>Follows all replicas at once: one reader each, one vote.</summary>
internal sealed class Tail(TailKind kind, ClientOptions options, ReplicaConnection[] replicas)
{
    private const int MessagesWaiting = 4_096;

    // A replica whose messages are not taken waits in its connection; it fills no memory here.
    private readonly Channel<Message> _messages = Channel.CreateBounded<Message>(MessagesWaiting);
    private readonly ConcurrentDictionary<(string Edge, ulong Incarnation), ulong> _reached = new();

    /// <summary>Runs until cancelled.</summary>
    public async IAsyncEnumerable<TailEntry> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var readers = Enumerable.Range(0, replicas.Length).Select(i => FollowAsync(i, stop.Token)).ToArray();
        var vote = new TailVote(kind, replicas.Length, options.OneCorrect);
        var liars = new HashSet<int>();
        try
        {
            await foreach (var message in _messages.Reader.ReadAllAsync(cancel))
            {
                if (message.News is { } news)
                {
                    yield return new(null, replicas[message.Replica].Address.Id, news);
                    continue;
                }

                var believed = vote.Offer(message.Replica, message.Id, message.Data, out var differs);
                foreach (var liar in differs.Where(liars.Add))
                    yield return new(null, replicas[liar].Address.Id, $"differs: told {message.Id} otherwise");
                if (believed is null) continue;
                if (EventId.TryParse(message.Id, out var id)) _reached[(id.Edge, id.Incarnation)] = id.Seq;
                yield return new(believed, null, null);
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(readers);
        }
    }

    private async Task FollowAsync(int replica, CancellationToken cancel)
    {
        var place = new TailPlace(kind);
        try
        {
            while (true)
            {
                var trouble = await FollowOnceAsync(replica, place, cancel);
                if (!place.OutageTold || place.Connected) await _messages.Writer.WriteAsync(new(replica, "", "", trouble), cancel);
                place.OutageTold = true;
                await Task.Delay(options.RetryPause, cancel);
            }
        }
        catch (OperationCanceledException)
        {
            // The tail ends.
        }
    }

    private async Task<string> FollowOnceAsync(int replica, TailPlace place, CancellationToken cancel)
    {
        place.Connected = false;
        try
        {
            var opening = replicas[replica].OpenStreamAsync(place.PathFrom(_reached), cancel);
            await TellWhenSlowAsync(replica, opening, place, cancel);
            using var response = await opening;
            using var body = await response.Content.ReadAsStreamAsync(cancel);
            place.Connected = true;
            if (place.OutageTold) await _messages.Writer.WriteAsync(new(replica, "", "", "is back"), cancel);
            await foreach (var message in SseReader.ReadAsync(body, options.StreamTimeout, cancel))
            {
                if (message.Kind == "cut") return "cut us off: we read too slowly";
                if (place.Advance(message) is { } id)
                    await _messages.Writer.WriteAsync(new(replica, id, message.Data, null), cancel);
            }

            return "silent: ended the stream";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return $"silent: no answer in {options.LongestTimeout.TotalSeconds} s";
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or JsonException)
        {
            return $"silent: {replicas[replica].TroubleOf(exception)}";
        }
    }

    // The attempt goes on: on a busy machine it would never come to an end if it began again every two seconds.
    private async Task TellWhenSlowAsync(int replica, Task opening, TailPlace place, CancellationToken cancel)
    {
        if (place.OutageTold) return;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var slow = await Task.WhenAny(opening, Task.Delay(options.Timeout, end.Token)) != opening && !cancel.IsCancellationRequested;
        await end.CancelAsync();
        if (!slow) return;
        var news = $"silent: no answer in {options.Timeout.TotalSeconds} s; still waiting";
        await _messages.Writer.WriteAsync(new(replica, "", "", news), cancel);
        place.OutageTold = true;
    }

    /// <summary>Something that a reader hands to the vote: an item, or news when <paramref name="News"/> is there.</summary>
    private readonly record struct Message(int Replica, string Id, string Data, string? News);
}
