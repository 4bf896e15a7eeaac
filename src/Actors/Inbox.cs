using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Massif.Actors;

/// <summary>What an inbox has seen, read at one moment for metrics.</summary>
/// <param name="Name">The peer whose inbox it is.</param>
/// <param name="Capacity">Largest number of inputs that wait.</param>
/// <param name="Depth">Inputs waiting now.</param>
/// <param name="HighWater">Most inputs that ever waited.</param>
/// <param name="Posted">Inputs accepted since the start.</param>
/// <param name="Refused">Inputs that <see cref="Inbox{T}.TryPost"/> did not accept.</param>
/// <param name="Waited">Posts that had to wait for room.</param>
public readonly record struct InboxCounters(
    string Name, int Capacity, int Depth, int HighWater, long Posted, long Refused, long Waited);

/// <summary>The bounded inbox of one peer of an actor: a peer that floods fills its own and delays nobody else.</summary>
/// <typeparam name="T">The actor's input.</typeparam>
/// <remarks>Any thread may post; only the loop takes. First in, first out.</remarks>
public sealed class Inbox<T>
{
    private readonly Channel<T> _channel;
    private readonly WakeSignal _wake;

    // What posters have finished handing over. It may lag behind the channel, never for long and never for good: the
    // poster counts after it has written and wakes the reader after it has counted.
    private int _pending;
    private int _highWater;
    private long _taken;
    private long _refused;
    private long _waited;

    internal Inbox(string name, int capacity, WakeSignal wake)
    {
        Name = name;
        Capacity = capacity;
        _wake = wake;
        _channel = Channel.CreateBounded<T>(new BoundedChannelOptions(capacity) { SingleReader = true });
    }

    /// <summary>Gets the name of the peer.</summary>
    public string Name { get; }

    /// <summary>Gets the largest number of inputs that wait here.</summary>
    public int Capacity { get; }

    /// <summary>Gets the number of inputs that wait here now.</summary>
    public int Depth => Math.Clamp(Volatile.Read(ref _pending), 0, Capacity);

    /// <summary>Gets all counters, each exact and read one after another.</summary>
    public InboxCounters Counters
    {
        get
        {
            var taken = Volatile.Read(ref _taken);
            var depth = Depth;
            return new(
                Name, Capacity, depth, Volatile.Read(ref _highWater), taken + depth, Interlocked.Read(ref _refused),
                Interlocked.Read(ref _waited));
        }
    }

    /// <summary>Posts one input; returns false, and counts, when the inbox is full or the loop has ended.</summary>
    public bool TryPost(T input)
    {
        if (_channel.Writer.TryWrite(input))
        {
            Arrived();
            return true;
        }

        Interlocked.Increment(ref _refused);
        return false;
    }

    /// <summary>Posts one input and waits while the inbox is full; returns false when the loop has ended.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting: the input was not posted.</exception>
    public ValueTask<bool> PostAsync(T input, CancellationToken cancel = default)
    {
        if (!_channel.Writer.TryWrite(input)) return PostWhenRoomAsync(input, cancel);
        Arrived();
        return new(true);
    }

    /// <summary>Takes the oldest input; only the loop calls it.</summary>
    internal bool TryTake([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T input)
    {
        // The look at the counter makes an empty inbox cost a load instead of the channel's lock.
        if (Volatile.Read(ref _pending) > 0) return TryTakeUncounted(out input);
        input = default;
        return false;
    }

    /// <summary>Takes the oldest input even when its poster has not counted it yet: for the end, when nobody wakes us again.</summary>
    internal bool TryTakeUncounted([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T input)
    {
        if (!_channel.Reader.TryRead(out input)) return false;
        Volatile.Write(ref _taken, _taken + 1); // Only the loop writes it.
        Interlocked.Decrement(ref _pending);
        return true;
    }

    /// <summary>Accepts nothing more; whoever waits for room gets false.</summary>
    internal void Close() => _channel.Writer.TryComplete();

    internal bool HasWork => Volatile.Read(ref _pending) > 0;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> PostWhenRoomAsync(T input, CancellationToken cancel)
    {
        Interlocked.Increment(ref _waited);
        try
        {
            await _channel.Writer.WriteAsync(input, cancel);
        }
        catch (ChannelClosedException)
        {
            return false;
        }

        Arrived();
        return true;
    }

    private void Arrived()
    {
        var depth = Math.Min(Interlocked.Increment(ref _pending), Capacity); // An input just taken may still be counted.
        var high = Volatile.Read(ref _highWater);
        while (depth > high)
        {
            var seen = Interlocked.CompareExchange(ref _highWater, depth, high);
            if (seen == high) break;
            high = seen;
        }

        _wake.Wake();
    }
}
