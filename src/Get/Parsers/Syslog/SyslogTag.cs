using System.Buffers;
using Massif.Events;

namespace Massif.Get.Parsers.Syslog;

/// <summary>
/// The TAG of RFC 3164 section 4.1.3: a name, perhaps "[pid]", and a colon. A word is a tag only if one of the two
/// follows; else any sentence would lose its first word.
/// </summary>
/// <param name="NameLength">Bytes of the name; 0 when there is no tag.</param>
/// <param name="ProcIdLength">Bytes between the brackets behind the name; -1 without brackets.</param>
/// <param name="Length">Bytes up to the message.</param>
/// <param name="HasColon">A colon ends it.</param>
internal readonly record struct SyslogTag(int NameLength, int ProcIdLength, int Length, bool HasColon)
{
    private const int NameMax = 32; // RFC 3164 section 5.3.

    private static readonly SearchValues<byte> NameEnds = SearchValues.Create(":[ \t"u8);
    private static readonly SearchValues<byte> NoNameBytes = SearchValues.Create("\"{}=<>|,;'"u8);

    /// <summary>Gets whether there is a tag.</summary>
    public bool IsPresent => NameLength > 0;

    /// <summary>Reads a tag at the start of the text.</summary>
    public static SyslogTag Read(ReadOnlySpan<byte> text)
    {
        var end = text.IndexOfAny(NameEnds);
        if (end <= 0 || text[end] is (byte)' ' or (byte)'\t') return default;
        var name = text[..end];
        if (name.ContainsAny(NoNameBytes) || IsBodyMark(name)) return default;
        return text[end] == '[' ? ReadProcId(text, end) : ReadColon(text, end);
    }

    /// <summary>Puts a tag at the start of the text into the draft and returns the message behind it.</summary>
    public static ReadOnlySpan<byte> TakeFrom(ReadOnlySpan<byte> text, EventDraft draft)
    {
        var tag = Read(text);
        if (tag.IsPresent) return tag.Take(text, draft);

        // The Snare agent ends its tag with a tab.
        var snare = "MSWinEventLog\t"u8;
        if (text.StartsWith(snare))
        {
            draft.SetText(EventField.App, text[..(snare.Length - 1)]);
            draft.Flags |= EventFlags.Snare;
            return text[snare.Length..];
        }

        draft.Flags |= EventFlags.NoTag;
        return text;
    }

    /// <summary>Puts this tag of the text into the draft and returns the message behind it.</summary>
    public ReadOnlySpan<byte> Take(ReadOnlySpan<byte> text, EventDraft draft)
    {
        draft.SetText(EventField.App, text[..NameLength]);
        if (NameLength > NameMax) draft.Flags |= EventFlags.FieldOverLimit;
        if (ProcIdLength > 0) draft.SetText(EventField.ProcId, text.Slice(NameLength + 1, ProcIdLength));
        if (!HasColon) draft.Flags |= EventFlags.TagNoColon;
        return text[Length..];
    }

    // The words in front of CEF, LEEF and CEE bodies look like tags.
    private static bool IsBodyMark(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("CEF"u8) || name.SequenceEqual("LEEF"u8) || name.SequenceEqual("@cee"u8);

    // The brackets end where a colon or a space follows: "[[7]]:" is odd, but a process id. One with a space in it needs
    // the colon, or "list[1 of 2] is empty" would be a tag.
    private static SyslogTag ReadProcId(ReadOnlySpan<byte> text, int nameLength)
    {
        var end = nameLength;
        do
        {
            var close = text[end..].IndexOf((byte)']');
            if (close < 0) return default;
            end += close + 1;
        }
        while (end < text.Length && text[end] is not ((byte)':' or (byte)' ' or (byte)'\t'));

        var procId = text[(nameLength + 1)..(end - 1)];
        var hasColon = end < text.Length && text[end] == ':';
        if (procId.Contains((byte)' ') && (!hasColon || procId.IndexOf(": "u8) >= 0)) return default;
        if (hasColon) end++;
        return new(nameLength, procId.Length, BehindOneSpace(text, end), hasColon);
    }

    // "http://..." and "2001:db8::1" are no tags; "app:text" is one.
    private static SyslogTag ReadColon(ReadOnlySpan<byte> text, int nameLength)
    {
        var end = nameLength + 1;
        var tight = end < text.Length && text[end] is not ((byte)' ' or (byte)'\t');
        if (tight && (text[end] is (byte)'/' or (byte)':' || !IsWord(text[..nameLength]))) return default;
        return new(nameLength, -1, BehindOneSpace(text, end), HasColon: true);
    }

    // One space behind the colon goes, no more: what follows may be indented on purpose.
    private static int BehindOneSpace(ReadOnlySpan<byte> text, int at) => at < text.Length && text[at] == ' ' ? at + 1 : at;

    private static bool IsWord(ReadOnlySpan<byte> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetter((char)c) && c is not ((byte)'_' or (byte)'-' or (byte)'.' or (byte)'/')) return false;
        }

        return true;
    }
}
