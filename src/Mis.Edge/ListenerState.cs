using Massif.Reb.Configuration;
using Massif.Reb.Hosting;

namespace Massif.Mis.Edge;

/// <summary>One listener as the host sees it: its options and its counters.</summary>
internal sealed class ListenerState(SyslogListener options, Counters counters)
{
    public SyslogListener Options => options;

    public Counters.Counter Events { get; } = counters.Of($"massif_listener_events_total{{listener=\"{options.Name}\"}}");

    public Counters.Counter Truncated { get; } = counters.Of($"massif_listener_truncated_messages_total{{listener=\"{options.Name}\"}}");

    public Counters.Counter Discarded { get; } = counters.Of($"massif_listener_discarded_bytes_total{{listener=\"{options.Name}\"}}");

    public Counters.Counter Lost { get; } = counters.Of($"massif_listener_lost_datagrams_total{{listener=\"{options.Name}\"}}");
}
