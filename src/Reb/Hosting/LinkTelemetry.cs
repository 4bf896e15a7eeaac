using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Telemetry;

namespace Massif.Reb.Hosting;

/// <summary>Metrics and health that come from a node's links.</summary>
public static class LinkTelemetry
{
    /// <summary>Returns the metrics of all links of a node.</summary>
    public static IEnumerable<Metric> Of(Domain domain, NodeIndex self, LinkManager links)
    {
        var statuses = Neighbours(domain, self).Select(node => (node.Id, Status: links.StatusOf(node.Index))).ToArray();
        yield return By("massif_link_up", MetricKind.Gauge, "Whether the link is established.", s => s.Up ? 1 : 0);
        yield return By("massif_link_connects_total", MetricKind.Counter, "Times that the link came up.", s => s.Connects);
        yield return By("massif_link_received_bytes_total", MetricKind.Counter, "Bytes of frames received.", s => s.BytesIn);
        yield return By("massif_link_sent_bytes_total", MetricKind.Counter, "Bytes of frames sent.", s => s.BytesOut);
        yield return By("massif_link_queued_bytes", MetricKind.Gauge, "Bytes that wait to be sent.", s => s.QueuedBytes);
        yield return By("massif_link_dropped_frames_total", MetricKind.Counter, "Frames dropped: link down or queue full.", s => s.Dropped);
        yield return Metric.By(
            "reason",
            "massif_connections_refused_total",
            MetricKind.Counter,
            "Connections that did not become a link.",
            links.Refusals.Select(pair => KeyValuePair.Create(pair.Key.ToString(), pair.Value)));

        Metric By(string name, MetricKind kind, string help, Func<LinkStatus, long> value) =>
            Metric.By("peer", name, kind, help, statuses.Select(s => KeyValuePair.Create(s.Id, value(s.Status))));
    }

    /// <summary>A node is ready when it has a link at all; a core when it has enough replicas to take part in decisions.</summary>
    public static NodeHealth Health(Domain domain, NodeIndex self, ILinks links)
    {
        ArgumentNullException.ThrowIfNull(domain);
        var up = Neighbours(domain, self).Count(node => links.IsUp(node.Index));
        if (domain[self].Role != NodeRole.Core) return up > 0 ? new(true, "ok") : new(false, "no link to any neighbour");
        var replicas = 1 + Neighbours(domain, self).Count(node => node.Role == NodeRole.Core && links.IsUp(node.Index));
        return replicas >= domain.Quorums.Available
            ? new(true, "ok")
            : new(false, $"{replicas} of {domain.Quorums.Replicas} replicas are linked, {domain.Quorums.Available} are needed");
    }

    private static IEnumerable<DomainNode> Neighbours(Domain domain, NodeIndex self) =>
        domain.Nodes.Where(node => domain.Dials(self, node.Index) || domain.Dials(node.Index, self));
}
