using System.Diagnostics.CodeAnalysis;
using Massif.Get.Framing;
using Massif.Get.Recognition;

namespace Massif.Mis.Edge;

/// <summary>One connection of a sender: its framing, and what is the same of all its messages.</summary>
internal sealed class SenderConnection(long number, ListenerState listener, SyslogFraming framing, ReceiveContext context)
{
    public long Number => number;

    public ListenerState Listener => listener;

    public SyslogFraming Framing => framing;

    public ReceiveContext Context => context;

    /// <summary>Gets or sets its place among those that hold a partial frame; null when it holds none.</summary>
    public LinkedListNode<SenderConnection>? Partial { get; set; }

    /// <summary>Gets or sets the memory that was counted for it, in bytes.</summary>
    public int CountedBytes { get; set; }
}

/// <summary>The open connections, and the memory in which they hold bytes that are not a frame yet.</summary>
/// <remarks>
/// Busy connections keep their buffers for the next bytes, as long as all together stay below the bound; beyond it nobody keeps
/// more than it needs, and when partial frames alone fill the bound, the connection whose partial frame is the oldest has to go.
/// A sender that is in the middle of a message is there for milliseconds, so it is one that will never finish.
/// </remarks>
/// <param name="bytesMax">Most memory for all connections, in bytes.</param>
internal sealed class SenderConnections(long bytesMax)
{
    private readonly Dictionary<long, SenderConnection> _byNumber = [];
    private readonly LinkedList<SenderConnection> _partial = []; // The one that began first is first.

    /// <summary>Gets how many are open.</summary>
    public int Count => _byNumber.Count;

    /// <summary>Gets the memory that they hold, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Gets the numbers of all.</summary>
    public long[] Numbers => [.. _byNumber.Keys];

    public void Add(SenderConnection connection) => _byNumber.Add(connection.Number, connection);

    public bool TryGet(long number, [MaybeNullWhen(false)] out SenderConnection connection) =>
        _byNumber.TryGetValue(number, out connection);

    public bool Remove(long number, [MaybeNullWhen(false)] out SenderConnection connection)
    {
        if (!_byNumber.Remove(number, out connection)) return false;
        Bytes -= connection.CountedBytes;
        if (connection.Partial is { } place) _partial.Remove(place);
        connection.Partial = null;
        return true;
    }

    /// <summary>Takes note of what a connection holds, after the frames in its last bytes were read.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="framesBefore">How many frames it had brought before these bytes.</param>
    public void Note(SenderConnection connection, long framesBefore)
    {
        var isSame = connection.Partial is not null && connection.Framing.Frames == framesBefore && connection.Framing.BufferedBytes > 0;
        if (!isSame)
        {
            if (connection.Partial is { } place) _partial.Remove(place);
            connection.Partial = connection.Framing.BufferedBytes > 0 ? _partial.AddLast(connection) : null;
        }

        Recount(connection);
        if (Bytes > bytesMax) Compact(connection);
    }

    /// <summary>Returns the connection that has to go because partial frames fill the bound; null when none has to.</summary>
    public SenderConnection? Overflowing()
    {
        if (Bytes <= bytesMax) return null;
        foreach (var connection in _byNumber.Values) Compact(connection);
        return Bytes > bytesMax ? _partial.First?.Value : null;
    }

    private void Compact(SenderConnection connection)
    {
        connection.Framing.Compact();
        Recount(connection);
    }

    private void Recount(SenderConnection connection)
    {
        Bytes += connection.Framing.CapacityBytes - connection.CountedBytes;
        connection.CountedBytes = connection.Framing.CapacityBytes;
    }
}
