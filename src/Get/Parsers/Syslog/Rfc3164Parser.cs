using System.Buffers;
using Massif.Events;
using Massif.Get.Recognition;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// The BSD syslog form: TIMESTAMP SP HOSTNAME SP TAG MSG (RFC 3164 section 4.1), with what devices change about it. The
/// RFC describes what was seen rather than what must be, so this parser decides by what is likely and flags it.
/// </summary>
internal static class Rfc3164Parser
{
    private const int HostMax = 255;

    // A word with one of these is the beginning of a message, not a host.
    private static readonly SearchValues<byte> NoHostBytes = SearchValues.Create("\"{}=<>|()';"u8);

    /// <summary>Reads the header into the draft; false when there is none.</summary>
    public static bool TryRead(
        ReadOnlySpan<byte> text, scoped in ReceiveContext context, EventDraft draft, out ReadOnlySpan<byte> message)
    {
        var time = ReadTime(text, context);
        if (time.Length == 0) return TryReadWithoutTime(text, draft, out message);

        Recognised(draft, 95);
        time.Set(text, draft);
        text = SkipSpace(text[time.Length..].TrimStart((byte)':'), draft);
        message = ReadHostAndTag(text, draft);
        return true;
    }

    /// <summary>Reads a timestamp of any kind that such headers have; its length is 0 when there is none.</summary>
    public static ClaimedTime ReadTime(ReadOnlySpan<byte> text, scoped in ReceiveContext context)
    {
        if (text.IsEmpty) return default;
        var time = BsdTimestamp.Read(text, context.ReceivedWallNanoseconds, context.DefaultOffsetMinutes);
        if (time.Length > 0 || text[0] is < (byte)'0' or > (byte)'9') return time;

        time = IsoTimestamp.Read(text, context.DefaultOffsetMinutes);
        if (time.Length > 0)
        {
            if (time.Length < text.Length && text[time.Length] is not ((byte)' ' or (byte)':')) return default;
            var flags = time.Nanoseconds is null ? time.Flags : time.Flags | EventFlags.IsoTimestamp;
            return time with { Flags = flags };
        }

        return IsoTimestamp.ReadEpoch(text);
    }

    private static void Recognised(EventDraft draft, byte confidencePercent)
    {
        draft.Parser = EventParser.Rfc3164;
        draft.ConfidencePercent = confidencePercent;
    }

    // Embedded devices leave out time and host: "<30>dnsmasq[7]: query". Only a process id is proof of a tag when there
    // is not even a PRI.
    private static bool TryReadWithoutTime(ReadOnlySpan<byte> text, EventDraft draft, out ReadOnlySpan<byte> message)
    {
        message = [];
        var hasPri = (draft.Flags & EventFlags.NoPri) == 0;
        var tag = SyslogTag.Read(text);
        if (tag.IsPresent && tag.HasColon && (hasPri || tag.ProcIdLength > 0))
        {
            Recognised(draft, 60);
            draft.Flags |= EventFlags.NoHost | EventFlags.NoTimestamp;
            message = tag.Take(text, draft);
            return true;
        }

        var space = text.IndexOf((byte)' ');
        if (!hasPri || space <= 0 || !IsHost(text[..space])) return false;
        tag = SyslogTag.Read(text[(space + 1)..]);
        if (!tag.HasColon || tag.ProcIdLength <= 0) return false;
        Recognised(draft, 50);
        draft.Flags |= EventFlags.NoTimestamp;
        draft.SetText(EventField.Host, text[..space]);
        message = tag.Take(text[(space + 1)..], draft);
        return true;
    }

    private static ReadOnlySpan<byte> ReadHostAndTag(ReadOnlySpan<byte> text, EventDraft draft)
    {
        if (TryTakeForwarded(ref text, draft)) return SyslogTag.TakeFrom(text, draft);

        var end = text.IndexOfAny((byte)' ', (byte)'\t');
        if (end < 0) end = text.Length;
        var word = text[..end];
        var rest = SkipSpace(text[end..], null);
        if (word.SequenceEqual("-"u8))
        {
            // NILVALUE, from relays that know RFC 5424.
            draft.Flags |= EventFlags.NoHost;
            return SyslogTag.TakeFrom(SkipSpace(text[end..], draft), draft);
        }

        if (IsHostWithColon(word, rest))
        {
            draft.Flags |= EventFlags.HostColon;
            word = word[..^1];
        }
        else if (!IsHost(word) || IsTag(word) || IsBareMessage(text))
        {
            draft.Flags |= EventFlags.NoHost;
            return SyslogTag.TakeFrom(text, draft);
        }

        if (word.Length > HostMax) draft.Flags |= EventFlags.FieldOverLimit;
        draft.SetText(EventField.Host, word);
        return SyslogTag.TakeFrom(SkipSpace(text[end..], draft), draft);
    }

    // AIX writes "Message forwarded from host: " where the host belongs.
    private static bool TryTakeForwarded(ref ReadOnlySpan<byte> text, EventDraft draft)
    {
        var words = "Message forwarded from "u8;
        if (!text.StartsWith(words)) return false;
        var host = text[words.Length..];
        var colon = host.IndexOf(": "u8);
        if (colon <= 0 || host[..colon].Contains((byte)' ')) return false;
        draft.Flags |= EventFlags.AixForwarded;
        draft.SetText(EventField.Host, host[..colon]);
        text = host[(colon + 2)..];
        return true;
    }

    // "U7PG2,788a20aabbcc,v4.0.66: hostapd: ..." (Ubiquiti): a tag follows, and the word itself is hardly one.
    private static bool IsHostWithColon(ReadOnlySpan<byte> word, ReadOnlySpan<byte> rest)
    {
        if (word.Length < 2 || word[^1] != ':' || !IsHost(word)) return false;
        var tag = SyslogTag.Read(rest);
        if (!tag.IsPresent || !tag.HasColon) return false;
        var name = word[..^1];
        return tag.ProcIdLength > 0 || name.Contains((byte)',') || IpAddress.TryParse(name, out _);
    }

    private static bool IsHost(ReadOnlySpan<byte> word) =>
        word.Length > 0 && !word.ContainsAny(NoHostBytes) && !word.StartsWith("CEF:"u8) && !word.StartsWith("LEEF:"u8)
        && word[0] is not ((byte)'@' or (byte)'%')
        && (word[0] != '[' || IsAddressInBrackets(word));

    // "[2001:db8::10]", "[192.0.2.1]"; "[error]" begins a message.
    private static bool IsAddressInBrackets(ReadOnlySpan<byte> word) =>
        word.Length > 2 && word[^1] == ']' && (word.Contains((byte)':') || IpAddress.TryParse(word[1..^1], out _));

    // In the place of the host: "sshd[42]:", "kernel:".
    private static bool IsTag(ReadOnlySpan<byte> word)
    {
        if (word[^1] == ':') return !IpAddress.TryParse(word, out _);
        return word[0] != '[' && word[^1] == ']' && word.Contains((byte)'[');
    }

    private static bool IsBareMessage(ReadOnlySpan<byte> text) =>
        text.StartsWith("-- MARK --"u8) || text.StartsWith("last message repeated "u8)
        || text.StartsWith("--- last message repeated "u8);

    // One space belongs here; more are flagged.
    private static ReadOnlySpan<byte> SkipSpace(ReadOnlySpan<byte> text, EventDraft? draft)
    {
        var spaces = text.IndexOfAnyExcept((byte)' ');
        if (spaces < 0) spaces = text.Length;
        if (spaces > 1 && draft is not null) draft.Flags |= EventFlags.ExtraSpace;
        return text[spaces..];
    }
}
