using System.Runtime.InteropServices;
using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>A relay of the overlay: forwards envelopes along the route that their source wrote, and needs no trust.</summary>
/// <remarks>
/// It opens no body and holds no key of anybody else. One copy comes in, and every destination behind it gets the same bytes
/// (docs/ARCHITECTURE.md). What it cannot forward is dropped and counted: the source repeats over another path.
/// </remarks>
public sealed class RelayHost(NodeIndex self, int nodes, ILinks links, Counters counters)
{
    private readonly Counters.Counter _forwarded = counters.Of("massif_relay_forwarded_frames_total");
    private readonly Counters.Counter _forwardedBytes = counters.Of("massif_relay_forwarded_bytes_total");
    private readonly Counters.Counter _malformed = counters.Of("massif_relay_dropped_frames_total{reason=\"malformed\"}");
    private readonly Counters.Counter _notMine = counters.Of("massif_relay_dropped_frames_total{reason=\"not_on_route\"}");
    private readonly Counters.Counter _unreachable = counters.Of("massif_relay_dropped_frames_total{reason=\"link_down_or_full\"}");

    /// <summary>Takes one input.</summary>
    public void Step(in HostInput input)
    {
        switch (input.Kind)
        {
            case HostInputKind.Frame: Forward(input.Node, input.Frame); break;
            case HostInputKind.Request: input.Request!.Answer(this); break;
            case HostInputKind.LinkUp or HostInputKind.LinkDown or HostInputKind.DiskSynced: break;
            default: throw new InvariantViolationException($"No rule for input {input.Kind}.");
        }
    }

    private void Forward(NodeIndex from, ReadOnlyMemory<byte> frame)
    {
        // Only envelopes: any other type would make its destination blame this relay for it.
        if ((FrameType)Frames.TypeOf(frame.Span) != FrameType.Envelope || !Envelope.TryOpen(frame.Span, out var envelope))
        {
            _malformed.Add();
            links.Close(from, "malformed envelope");
            return;
        }

        var hop = envelope.Hop;
        var expectedFrom = hop == 0 ? envelope.Source : hop <= envelope.RouteLength ? envelope.Relay(hop - 1) : self;
        if (hop >= envelope.RouteLength || envelope.Relay(hop) != self || expectedFrom != from)
        {
            _notMine.Add();
            return;
        }

        // The host owns the bytes of a received frame, and this is the one change that a relay makes.
        Envelope.CountHop(MemoryMarshal.AsMemory(frame).Span);
        if (hop + 1 < envelope.RouteLength)
        {
            SendTo(envelope.Relay(hop + 1), frame);
            return;
        }

        for (var i = 0; i < envelope.DestinationCount; i++) SendTo(envelope.Destination(i), frame);
    }

    private void SendTo(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (to.Value < nodes && to != self && links.TrySend(to, frame))
        {
            _forwarded.Add();
            _forwardedBytes.Add(frame.Length);
        }
        else
        {
            _unreachable.Add();
        }
    }
}
