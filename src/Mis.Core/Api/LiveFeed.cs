using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;

namespace Massif.Mis.Core.Api;

/// <summary>What happens now, for whoever listens. Publishing never waits: a listener that is too slow is cut off.</summary>
/// <typeparam name="T">What is published; immutable.</typeparam>
public sealed class LiveFeed<T>
{
    private ImmutableList<LiveSubscription<T>> _listeners = [];

    /// <summary>Gets whether anybody listens; when not, nothing need be prepared for publishing.</summary>
    public bool HasListeners => !Volatile.Read(ref _listeners).IsEmpty;

    /// <summary>Hands an item to every listener. Called by the host.</summary>
    public void Publish(T item)
    {
        foreach (var listener in Volatile.Read(ref _listeners)) listener.Offer(item);
    }

    /// <summary>Begins to listen; everything published from now on arrives. Dispose it to end.</summary>
    /// <param name="capacity">Items that wait for the listener; with one more it is cut off.</param>
    public LiveSubscription<T> Subscribe(int capacity)
    {
        var subscription = new LiveSubscription<T>(capacity, this);
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Add(one), subscription);
        return subscription;
    }

    internal void Remove(LiveSubscription<T> subscription) =>
        ImmutableInterlocked.Update(ref _listeners, static (all, one) => all.Remove(one), subscription);
}

/// <summary>One listener of a <see cref="LiveFeed{T}"/>.</summary>
/// <typeparam name="T">What is published.</typeparam>
public sealed class LiveSubscription<T> : IDisposable
{
    private readonly LiveFeed<T> _feed;
    private readonly Channel<T> _waiting;

    internal LiveSubscription(int capacity, LiveFeed<T> feed)
    {
        _feed = feed;
        _waiting = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true });
    }

    /// <summary>Gets whether the listener was too slow: what it reads ends early, and it must be told so.</summary>
    public bool WasCut { get; private set; }

    /// <summary>Takes the next item when there is one.</summary>
    public bool TryRead([MaybeNullWhen(false)] out T item) => _waiting.Reader.TryRead(out item);

    /// <summary>Waits for an item; false when there will be none because the listener was cut off.</summary>
    public ValueTask<bool> WaitToReadAsync(CancellationToken cancel) => _waiting.Reader.WaitToReadAsync(cancel);

    /// <inheritdoc />
    public void Dispose()
    {
        _feed.Remove(this);
        _waiting.Writer.TryComplete();
    }

    internal void Offer(T item)
    {
        if (_waiting.Writer.TryWrite(item) || WasCut) return;
        WasCut = true; // Before the end becomes visible to the reader.
        Dispose();
    }
}
