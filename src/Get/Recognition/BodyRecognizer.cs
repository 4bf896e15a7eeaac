using System.Buffers;
using System.Buffers.Text;
using Massif.Events;

namespace Massif.Get.Recognition;

/// <summary>Recognises what kind of text the message is; it marks and does not change it.</summary>
internal static class BodyRecognizer
{
    private static readonly SearchValues<byte> KeyBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."u8);

    private static readonly SearchValues<byte> DecimalBytes = SearchValues.Create("0123456789."u8);

    /// <summary>Sets body flags, the repeat count, and what stands beside them.</summary>
    public static void Read(ReadOnlySpan<byte> message, EventDraft draft)
    {
        if (message.IsEmpty) return;
        switch (message[0])
        {
            case (byte)'C' when message.StartsWith("CEF:"u8): draft.Flags |= EventFlags.Cef; break;
            case (byte)'L' when message.StartsWith("LEEF:"u8): draft.Flags |= EventFlags.Leef; break;
            case (byte)'@' when message.StartsWith("@cee:"u8): draft.Flags |= EventFlags.Cee; break;
            case (byte)'{' when message.TrimEnd((byte)' ')[^1] == '}': draft.Flags |= EventFlags.Json; break;
            case (byte)'-' when message.StartsWith("-- MARK --"u8): draft.Flags |= EventFlags.Mark; break;
            case (byte)'[': ReadKernelStamp(message, draft); break;
            case (byte)'l' or (byte)'m' or (byte)'-': ReadRepeat(message, draft); break;
        }

        if (draft.Parser == EventParser.Raw && IsKeyValue(message)) draft.Flags |= EventFlags.KeyValue;
    }

    /// <summary>
    /// Returns the message that "message repeated n times: [ ... ]" of rsyslog stands for, else the message itself.
    /// </summary>
    public static ReadOnlySpan<byte> RepeatedMessage(ReadOnlySpan<byte> message)
    {
        if (!message.StartsWith("message repeated "u8) || message[^1] != ']') return message;
        var open = message.IndexOf(" times: ["u8);
        if (open < 0) return message;
        var inner = message[(open + " times: ["u8.Length)..^1];
        return inner.StartsWith(" "u8) ? inner[1..] : inner;
    }

    // "last message repeated n times" (BSD syslogd; between "---" on macOS) and "message repeated n times: [ ... ]"
    // (rsyslog): n, not one.
    private static void ReadRepeat(ReadOnlySpan<byte> message, EventDraft draft)
    {
        var text = message.StartsWith("--- last "u8) ? message[4..] : message;
        if (text.StartsWith("last "u8)) text = text[5..];
        if (!text.StartsWith("message repeated "u8)) return;
        text = text["message repeated "u8.Length..];
        if (!Utf8Parser.TryParse(text, out uint count, out var digits) || count == 0) return;
        if (!EndsRepeat(text[digits..])) return;

        draft.Flags |= EventFlags.Repeat;
        draft.Count = count;
        draft.AddAttribute("repeat_count"u8, count);
        var inner = RepeatedMessage(message);
        if (inner.Length < message.Length) draft.AddAttribute("repeated_message"u8, inner);
    }

    // Somebody may write these words and go on: that is a message of its own.
    private static bool EndsRepeat(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith(" time"u8)) return false;
        text = text[" time"u8.Length..];
        if (text.StartsWith("s"u8)) text = text[1..];
        text = text.TrimEnd((byte)' ');
        return text.IsEmpty || text.SequenceEqual(" ---"u8) || text.StartsWith(": ["u8);
    }

    // "[12345.678901] " in front of a kernel message: seconds since the start of the machine (printk.time).
    private static void ReadKernelStamp(ReadOnlySpan<byte> message, EventDraft draft)
    {
        if (!draft.Text(EventField.App).SequenceEqual("kernel"u8)) return;
        var close = message.IndexOf((byte)']');
        if (close < 0) return;
        var stamp = message[1..close].TrimStart((byte)' ');
        if (stamp.IsEmpty || stamp.ContainsAnyExcept(DecimalBytes)) return;
        draft.AddAttribute("uptime_s"u8, stamp);
    }

    // Firewalls write key=value pairs and nothing else; two pairs at the start are taken as proof.
    private static bool IsKeyValue(ReadOnlySpan<byte> message)
    {
        var first = PairLength(message);
        return first > 0 && first < message.Length && PairLength(message[(first + 1)..]) > 0;
    }

    private static int PairLength(ReadOnlySpan<byte> text)
    {
        var equals = text.IndexOfAnyExcept(KeyBytes);
        if (equals <= 0 || text[equals] != '=') return 0;
        var quoted = equals + 1 < text.Length && text[equals + 1] == '"';
        var from = quoted ? equals + 2 : equals + 1;
        var end = text[from..].IndexOf(quoted ? (byte)'"' : (byte)' ');
        if (end < 0) return text.Length;
        return quoted ? from + end + 1 : from + end;
    }
}
