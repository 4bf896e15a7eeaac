using System.Buffers;
using System.Text.Unicode;
using Massif.Events;
using Massif.Get.Framing;
using Massif.Get.Parsers.Sshd;
using Massif.Get.Parsers.Syslog;

namespace Massif.Get.Recognition;

/// <summary>
/// Turns one received message into a generic event: finds out which format it is, lets that format's parser read the
/// header, then looks at the body. Pure, total and without allocation: any bytes make an event, and nothing is dropped
/// for being malformed.
/// </summary>
public static class EventTranslator
{
    private const byte ParserVersion = 1;

    // C0 and DEL; a tab is one too, because a terminal acts on it.
    private static readonly SearchValues<byte> Controls =
        SearchValues.Create([.. Enumerable.Range(0, 32).Append(127).Select(c => (byte)c)]);

    /// <summary>Fills the draft from one datagram or frame.</summary>
    /// <param name="frame">The bytes as they came; kept whole as the event's raw bytes.</param>
    /// <param name="context">What the receiver knows.</param>
    /// <param name="draft">The event to fill; what it held before is forgotten.</param>
    /// <param name="frameFlags">What the framing noticed about this frame.</param>
    public static void Translate(
        ReadOnlySpan<byte> frame, in ReceiveContext context, EventDraft draft, EventFlags frameFlags = EventFlags.None)
    {
        draft.Reset(frame);
        draft.Flags |= frameFlags;
        draft.ParserVersion = ParserVersion;
        SetSeen(draft, context);
        if (!Utf8.IsValid(draft.Raw)) draft.Flags |= EventFlags.InvalidUtf8;

        var text = draft.Raw[..SyslogTrailer.Strip(draft.Raw)];
        if (text.Length < draft.Raw.Length) draft.Flags |= EventFlags.TrailerStripped;
        if (text.IsEmpty)
        {
            draft.Flags |= EventFlags.Empty;
            draft.SetText(EventField.Message, text);
            return;
        }

        var message = StripByteOrderMark(ReadHeader(text, context, draft), EventFlags.Bom, draft);
        draft.SetText(EventField.Message, message);
        MarkControls(message, draft);
        message = message.TrimStart((byte)' '); // rsyslog puts a space before the MSG of RFC 5424; it stays in the event's message.
        BodyRecognizer.Read(message, draft);
        PayloadParser.Read(draft.Text(EventField.App), message, draft);
    }

    private static void SetSeen(EventDraft draft, in ReceiveContext context)
    {
        var trusted = context.Trusted;
        (draft.TimeObserved, draft.Quality, draft.ErrorMicros) = (trusted.Nanoseconds, trusted.Quality, trusted.ErrorMicros);
        draft.Transport = context.Transport;
        if (trusted.ClockStep) draft.Flags |= EventFlags.ClockStep;
        if (context.Replay) draft.Flags |= EventFlags.Replayed;
        if (context.PeerAddress is not { } address) return;
        draft.SetAddress(EventField.PeerAddress, address);
        draft.SetNumber(EventField.PeerPort, context.PeerPort);
    }

    /// <summary>Reads the header and returns the message behind it.</summary>
    private static ReadOnlySpan<byte> ReadHeader(ReadOnlySpan<byte> text, scoped in ReceiveContext context, EventDraft draft)
    {
        text = StripByteOrderMark(text, EventFlags.LeadingBom, draft);
        var whole = text;
        var spaces = text.IndexOfAnyExcept((byte)' ');
        if (spaces > 0 && text[spaces] == '<') text = SkipSpaces(text, spaces, draft);

        var pri = PriParser.Read(text, draft);
        if (pri < 0) return Raw(whole, draft);
        if (pri == 0) return ReadWithoutPri(whole, context, draft);

        text = text[pri..];
        spaces = text.IndexOfAnyExcept((byte)' ');
        if (spaces > 0) text = SkipSpaces(text, spaces, draft);
        if (Rfc5424Parser.IsHeader(text)) return Rfc5424Parser.Read(text, context, draft);
        if (CiscoParser.TryRead(text, context, draft, out var message)) return message;
        return Rfc3164Parser.TryRead(text, context, draft, out message) ? message : Raw(text, draft);
    }

    // A log file has no PRI; RFC 3164 section 4.3.3 gives such messages 13.
    private static ReadOnlySpan<byte> ReadWithoutPri(ReadOnlySpan<byte> text, scoped in ReceiveContext context, EventDraft draft)
    {
        if (KmsgParser.TryRead(text, draft, out var message)) return message;

        draft.Flags |= EventFlags.NoPri;
        if (Rfc5424Parser.IsCertainHeader(text)) return Rfc5424Parser.Read(text, context, draft);
        var header = text.TrimStart((byte)' ');
        if (!CiscoParser.TryRead(header, context, draft, out message)
            && !Rfc3164Parser.TryRead(header, context, draft, out message)) return Raw(text, draft); // Indented text stays so.

        if (header.Length < text.Length) draft.Flags |= EventFlags.ExtraSpace;
        return message;
    }

    // A byte order mark is no part of the text: not in front of everything, and not where the message begins (MSG-UTF8,
    // RFC 5424 section 6.4; programs that write RFC 3164 put it there too).
    private static ReadOnlySpan<byte> StripByteOrderMark(ReadOnlySpan<byte> text, EventFlags flag, EventDraft draft)
    {
        if (!text.StartsWith("\uFEFF"u8)) return text;
        draft.Flags |= flag;
        return text[3..];
    }

    private static ReadOnlySpan<byte> SkipSpaces(ReadOnlySpan<byte> text, int spaces, EventDraft draft)
    {
        draft.Flags |= EventFlags.ExtraSpace;
        return text[spaces..];
    }

    private static ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> text, EventDraft draft)
    {
        draft.Parser = EventParser.Raw;
        draft.ConfidencePercent = 0;
        draft.Flags |= EventFlags.NoHost | EventFlags.NoTimestamp;
        return text;
    }

    private static void MarkControls(ReadOnlySpan<byte> message, EventDraft draft)
    {
        var at = message.IndexOfAny(Controls);
        while (at >= 0 && (draft.Flags & EventFlags.ControlChars) == 0)
        {
            // A line break makes a message of several lines; CR belongs to it when LF follows.
            var lineBreak = message[at] == '\n' || message[at..].StartsWith("\r\n"u8);
            draft.Flags |= lineBreak ? EventFlags.Multiline : EventFlags.ControlChars;
            message = message[(at + 1)..];
            at = message.IndexOfAny(Controls);
        }

        if (message.Contains((byte)'\n')) draft.Flags |= EventFlags.Multiline;
    }
}
