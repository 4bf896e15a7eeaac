using System.Text;

namespace Massif.Events.Tests;

/// <summary>Events that the tests share.</summary>
internal static class Samples
{
    public const long Observed = 1_795_177_801_123_456_789; // 2026-11-20T12:30:01.123456789Z
    public const string Line = "<38>Nov 20 12:00:01 host1 sshd[42]: Failed password for root from 203.0.113.7 port 51022 ssh2";

    /// <summary>An event with every kind of field.</summary>
    public static void FillFull(EventDraft draft)
    {
        draft.Reset(Encoding.UTF8.GetBytes(Line));
        draft.TimeObserved = Observed;
        draft.Quality = TimeQuality.Holdover;
        draft.ErrorMicros = 1500;
        draft.Time = Observed - 1_800_000_000_000;
        draft.TimeOffsetMinutes = -210;
        (draft.Facility, draft.Severity, draft.Count) = (4, 6, 3);
        draft.Flags = EventFlags.YearAssumed | EventFlags.SameAttempt;
        (draft.Category, draft.Action, draft.Outcome) =
            (EventCategory.Authentication, EventAction.Login, EventOutcome.Failure);
        (draft.SourceType, draft.Parser, draft.ParserVersion) = (EventSourceType.Sshd, EventParser.Rfc3164, 1);
        (draft.ConfidencePercent, draft.Transport) = (95, EventTransport.Tls);
        draft.SetText(EventField.Host, draft.Raw.Slice(20, 5));
        draft.SetText(EventField.App, draft.Raw.Slice(26, 4));
        draft.SetText(EventField.Message, draft.Raw[36..]);
        draft.SetText(EventField.UserName, "root"u8);
        draft.SetText(EventField.StructuredData, "[a@1 x=\"1\" x=\"q\\\"\"][b@1]"u8);
        draft.SetText(EventField.MsgId, []);
        draft.SetAddress(EventField.SourceAddress, Address("203.0.113.7"));
        draft.SetAddress(EventField.PeerAddress, Address("2001:db8::1"));
        draft.SetNumber(EventField.SourcePort, 51022);
        draft.SetSpan(Observed - 5, Observed);
        draft.AddAttribute("text"u8, "value"u8);
        draft.AddAttribute("number"u8, -7);
    }

    public static void FillPlain(EventDraft draft, string line)
    {
        draft.Reset(Encoding.UTF8.GetBytes(line));
        draft.TimeObserved = Observed;
        draft.SetText(EventField.Message, draft.Raw);
    }

    /// <summary>The batch of the golden file.</summary>
    public static byte[] Batch()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        FillFull(draft);
        builder.TryAdd(draft);
        FillPlain(draft, "plain");
        builder.TryAdd(draft);
        FillPlain(draft, new string('x', 70_000)); // The wide form of the table.
        builder.TryAdd(draft);
        FillPlain(draft, "");
        builder.TryAdd(draft);
        return builder.Build();
    }

    public static IpAddress Address(string text) =>
        IpAddress.TryParse(text, out var address) ? address : throw new ArgumentException(text, nameof(text));
}
