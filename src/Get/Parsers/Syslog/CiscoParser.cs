using System.Buffers;
using System.Buffers.Text;
using Massif.Events;
using Massif.Get.Recognition;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// Cisco IOS, IOS XR, NX-OS and ASA: "[seq: ][host: ][seq: ][node:][time: ]%FACILITY-SEVERITY-MNEMONIC: text", in which
/// the word with the percent sign is the only part that is always there. A relay may have put "time host " in front.
/// </summary>
internal static class CiscoParser
{
    private const int HeadMax = 160; // Where the percent word must begin; nothing in front of it is long.

    private static readonly SearchValues<byte> WordBytes =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    private static readonly SearchValues<byte> UptimeBytes = SearchValues.Create("0123456789ywdhms"u8);

    /// <summary>Reads the header into the draft; false, with nothing set, when there is none.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> text, scoped in ReceiveContext context, EventDraft draft, out ReadOnlySpan<byte> message)
    {
        message = [];
        var percent = text[..Math.Min(text.Length, HeadMax)].IndexOf((byte)'%');
        if (percent < 0 || (percent > 0 && text[percent - 1] is not ((byte)' ' or (byte)':'))) return false;
        if (!TryWord(text[percent..], out var word, out var behind)) return false;

        var head = new Head(text[..percent], context);
        if (!head.IsUnderstood) return false;
        Set(head, text, word, draft);

        // IOS XR names the process in front; the percent word then stays with the text.
        if (head.Tag.IsPresent)
        {
            head.Tag.Take(text[head.TagAt..], draft);
            message = text[percent..];
            return true;
        }

        draft.SetText(EventField.App, word);
        message = text[(percent + behind)..];
        return true;
    }

    private static void Set(scoped in Head head, ReadOnlySpan<byte> text, ReadOnlySpan<byte> word, EventDraft draft)
    {
        draft.Parser = EventParser.Cisco;
        draft.ConfidencePercent = 90;
        if (!head.Host.IsEmpty) draft.SetText(EventField.Host, head.Host);
        else draft.Flags |= EventFlags.NoHost;
        if (head.Time.Length > 0) head.Time.Set(text[head.TimeAt..], draft);
        else if (head.Uptime.IsEmpty) draft.Flags |= EventFlags.NoTimestamp;
        else SetUptime(head.Uptime, draft);
        if (head.Sequence >= 0) draft.AddAttribute("sequence_id"u8, head.Sequence);
        if (!head.Node.IsEmpty) draft.AddAttribute("node"u8, head.Node);

        var parts = word[1..];
        var mnemonic = parts.LastIndexOf((byte)'-');
        draft.AddAttribute("cisco.facility"u8, parts[..(mnemonic - 2)]);
        draft.AddAttribute("cisco.severity"u8, parts[mnemonic - 1] - '0');
        draft.AddAttribute("cisco.mnemonic"u8, parts[(mnemonic + 1)..]);
    }

    private static void SetUptime(ReadOnlySpan<byte> uptime, EventDraft draft)
    {
        draft.SetText(EventField.TimestampText, uptime);
        draft.Flags |= EventFlags.UptimeTimestamp;
    }

    // "%" FACILITY "-" digit "-" MNEMONIC, then ":" with or without a space in front.
    private static bool TryWord(ReadOnlySpan<byte> text, out ReadOnlySpan<byte> word, out int behind)
    {
        word = [];
        behind = 0;
        var length = text[1..].IndexOfAnyExcept(WordBytes);
        if (length < 5) return false;
        var end = 1 + length;
        behind = end + (text[end] == ' ' ? 1 : 0);
        if (behind >= text.Length || text[behind] != ':') return false;
        behind++;
        if (behind < text.Length && text[behind] == ' ') behind++;

        word = text[..end];
        var dash = word.LastIndexOf((byte)'-');
        return dash >= 4 && dash + 1 < end && word[dash - 2] == '-' && word[dash - 1] is >= (byte)'0' and <= (byte)'7';
    }

    /// <summary>What stands in front of the percent word.</summary>
    private ref struct Head
    {
        private readonly ReadOnlySpan<byte> _whole;
        private ReadOnlySpan<byte> _rest;

        public Head(ReadOnlySpan<byte> text, scoped in ReceiveContext context)
        {
            Sequence = -1;
            _whole = text;
            _rest = text;
            while (!_rest.IsEmpty && TakePart(context))
            {
            }
        }

        public readonly bool IsUnderstood => _rest.IsEmpty;

        public long Sequence { get; private set; }

        public ReadOnlySpan<byte> Host { get; private set; }

        public ReadOnlySpan<byte> Node { get; private set; }

        public ReadOnlySpan<byte> Uptime { get; private set; }

        public ClaimedTime Time { get; private set; }

        public int TimeAt { get; private set; }

        public SyslogTag Tag { get; private set; }

        public int TagAt { get; private set; }

        private readonly int At => _whole.Length - _rest.Length;

        private bool TakePart(scoped in ReceiveContext context)
        {
            if (_rest[0] is (byte)' ' or (byte)':')
            {
                _rest = _rest[1..];
                return true;
            }

            if (TakeTime(context) || TakeClock()) return true;
            if (Time.Length > 0) return TakeSequence() || TakeHostOrTag();
            return TakeSequence() || TakeWord();
        }

        // Of two times the first stays: it is the one of the header, whoever wrote that.
        private bool TakeTime(scoped in ReceiveContext context)
        {
            var time = BsdTimestamp.Read(
                _rest, context.ReceivedWallNanoseconds, context.DefaultOffsetMinutes, anyZone: true);
            if (time.Length == 0) time = Rfc3164Parser.ReadTime(_rest, context);
            if (time.Length == 0 || (time.Flags & EventFlags.EpochTimestamp) != 0) return false;
            if (Time.Length == 0) (Time, TimeAt) = (time, At);
            _rest = _rest[time.Length..];
            return true;
        }

        // "00:00:46:", the time since the start of the machine while it is below a day.
        private bool TakeClock()
        {
            var isClock = _rest.Length > 8 && _rest[2] == ':' && _rest[5] == ':' && _rest[8] == ':'
                && Digits.Two(_rest, 0) >= 0 && Digits.Two(_rest, 3) >= 0 && Digits.Two(_rest, 6) >= 0;
            if (!isClock) return false;
            Uptime = _rest[..8];
            _rest = _rest[8..];
            return true;
        }

        private bool TakeSequence()
        {
            if (!Utf8Parser.TryParse(_rest, out long number, out var digits) || number < 0) return false;
            if (!_rest[digits..].StartsWith(": "u8)) return false; // "2001:db8::1" is a host.
            Sequence = number;
            _rest = _rest[digits..];
            return true;
        }

        // Behind the time: "host : " (ASA), "host " (a relay) or "process[pid]: " (IOS XR).
        private bool TakeHostOrTag()
        {
            var tag = SyslogTag.Read(_rest);
            if (tag.IsPresent)
            {
                if (Tag.IsPresent) return false;
                (Tag, TagAt) = (tag, At);
                _rest = _rest[tag.Length..];
                return true;
            }

            var space = _rest.IndexOf((byte)' ');
            if (!Host.IsEmpty || Tag.IsPresent || space <= 0 || _rest[space - 1] == ':') return false;
            if (!_rest[..space].SequenceEqual("-"u8)) Host = _rest[..space];
            _rest = _rest[space..];
            return true;
        }

        private bool TakeWord()
        {
            var colon = _rest.IndexOf((byte)':');
            if (colon <= 0) return false;
            var part = _rest[..colon];
            var isNode = part.Contains((byte)'/'); // "RP/0/RSP0/CPU0", "CLC 6/0"
            if (!isNode && part.Contains((byte)' ')) return false;
            _rest = _rest[(colon + 1)..];
            if (part[0] is >= (byte)'0' and <= (byte)'9' && !part.ContainsAnyExcept(UptimeBytes)) Uptime = part;
            else if (isNode) Node = part;
            else if (Host.IsEmpty) Host = part;
            else return false;
            return true;
        }
    }
}
