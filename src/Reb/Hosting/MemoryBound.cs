using System.Globalization;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Telemetry;

namespace Massif.Reb.Hosting;

/// <summary>One thing that a node may hold in memory.</summary>
/// <param name="What">What it is, in words.</param>
/// <param name="Bytes">The most that it can take, in bytes.</param>
public readonly record struct MemoryItem(string What, long Bytes);

/// <summary>What others can make a node hold in memory, item by item; follows from its configuration and the domain alone.</summary>
/// <remarks>
/// It is a bound and no forecast: most of it is held only while somebody floods, lies or does not read. The program itself, about 80 MB,
/// and the garbage between two collections come on top.
/// </remarks>
public sealed class MemoryBound
{
    private readonly List<MemoryItem> _items = [];

    /// <summary>Gets the items in the order in which they were added.</summary>
    public IReadOnlyList<MemoryItem> Items => _items;

    /// <summary>Gets the sum.</summary>
    public long Total => _items.Sum(item => item.Bytes);

    /// <summary>Adds so many things of so many bytes each.</summary>
    public void Add(string what, long count, long bytes = 1) => _items.Add(new(what, count * bytes));

    /// <summary>Adds what every node has: its links, and the connections of those who watch it.</summary>
    public void AddNode(Domain domain, NodeIndex self)
    {
        ArgumentNullException.ThrowIfNull(domain);
        var links = new LinkOptions();
        var neighbours = domain.Nodes.Count(node => domain.Dials(self, node.Index) || domain.Dials(node.Index, self));
        var queue = links.QueueBytesMax + ((long)links.QueueFramesMax * NodeLimits.QueueEntryBytes);
        Add("frames that wait to be sent, by neighbour", neighbours, queue);
        Add("frames received that wait for their turn, by neighbour", neighbours, (NodeLimits.FramesPerNeighbour + 2L) * Frames.MaxLength);
        Add("buffers of links", neighbours, NodeLimits.LinkBufferBytes);
        if (domain[self].Role != NodeRole.Edge) // An edge only dials.
            Add("connections to the bus that have shown no certificate", links.UnauthenticatedMax, NodeLimits.NewcomerBytes);
        Add("connections to /metrics", MetricsServer.ConnectionsMax, NodeLimits.WebConnectionBytes);
    }

    /// <summary>Returns the items as metrics.</summary>
    public Metric ToMetric() => Metric.By(
        "what",
        "massif_memory_bound_bytes",
        MetricKind.Gauge,
        "Most that others can make this node hold in memory, as its configuration and the domain say.",
        _items.Select(item => KeyValuePair.Create(item.What, item.Bytes)));

    /// <summary>Returns a number of bytes as people read it.</summary>
    public static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0 / 1024:0.0} MiB");
}

/// <summary>Limits that every node's process has, and what things cost that are not ours to count.</summary>
public static class NodeLimits
{
    /// <summary>Frames of one neighbour that wait for the node's loop: at most 32 MiB, and 4 MiB of usual batches.</summary>
    public const int FramesPerNeighbour = 32;

    /// <summary>Bytes of an entry in a link's queue.</summary>
    public const int QueueEntryBytes = 48;

    /// <summary>Bytes of a link's own buffers: 2 of 256 KiB to the socket, 2 of 64 KiB for small frames, and what TLS has.</summary>
    public const int LinkBufferBytes = 768 * 1024;

    /// <summary>Bytes of a connection that is nobody yet, with half a TLS handshake; measured, rounded up.</summary>
    public const int NewcomerBytes = 64 * 1024;

    /// <summary>Bytes of a connection to a web server, with its request and the answer that waits; measured, rounded up.</summary>
    public const int WebConnectionBytes = 192 * 1024;
}
