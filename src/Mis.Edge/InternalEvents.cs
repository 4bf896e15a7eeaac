using System.Text;
using Massif.Events;

namespace Massif.Mis.Edge;

/// <summary>Makes the events that are born in the edge itself: what it lost, refused or noticed is an event too (promise G8).</summary>
internal sealed class InternalEvents(string edge)
{
    private const int FacilitySyslog = 5; // RFC 5424 table 1: messages generated internally by syslogd.
    private const int SeverityNotice = 5;
    private const int SeverityWarning = 4;

    public void Fill(EventDraft draft, EventAction action, string message, in TrustedTime trusted)
    {
        draft.Reset(Encoding.UTF8.GetBytes($"massif {edge}: {message}"));
        (draft.TimeObserved, draft.Quality, draft.ErrorMicros) = (trusted.Nanoseconds, trusted.Quality, trusted.ErrorMicros);
        if (trusted.ClockStep) draft.Flags |= EventFlags.ClockStep;
        draft.Facility = FacilitySyslog;
        draft.Severity = action is EventAction.Started or EventAction.Stopped ? SeverityNotice : SeverityWarning;
        (draft.Category, draft.Action, draft.SourceType, draft.Parser) =
            (EventCategory.Host, action, EventSourceType.Massif, EventParser.Internal);
        draft.SetText(EventField.Host, Encoding.UTF8.GetBytes(edge));
        draft.SetText(EventField.App, "massif"u8);
        draft.SetText(EventField.Message, Encoding.UTF8.GetBytes(message));
    }
}
