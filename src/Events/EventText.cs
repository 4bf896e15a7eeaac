using System.Globalization;
using System.Text;

namespace Massif.Events;

/// <summary>
/// Events as text for people. What a source wrote is hostile: control characters never reach a terminal.
/// </summary>
public static class EventText
{
    /// <summary>Returns one line: time, host, application, message.</summary>
    public static string Line(in EventView view)
    {
        var line = new StringBuilder(256);
        line.Append(Rfc3339.ToString(view.EventTime)).Append(' ');
        line.Append(OrDash(view.Text(EventField.Host))).Append(' ').Append(OrDash(view.Text(EventField.App)));
        if (view.Has(EventField.ProcId)) line.Append('[').Append(Printable(view.Text(EventField.ProcId))).Append(']');
        line.Append(": ").Append(Printable(view.Text(EventField.Message)));
        return line.ToString();
    }

    /// <summary>
    /// Decodes UTF-8, one U+FFFD per maximal bad subpart (Unicode 15 section 3.9, as browsers do), control characters
    /// kept. For values in memory, not for output.
    /// </summary>
    public static string Decode(ReadOnlySpan<byte> text) => Encoding.UTF8.GetString(text);

    /// <summary>
    /// Decodes UTF-8 and writes control, format (such as those that reverse the direction of text) and separator
    /// characters as <c>\u001b</c>, so that the result is one line and shows what is there.
    /// </summary>
    public static string Printable(ReadOnlySpan<byte> text) => Printable(Decode(text));

    /// <summary>Writes control, format and separator characters of a text as <c>\u001b</c>, those beyond 16 bits as two.</summary>
    /// <remarks>Inside a JSON string these are escapes that mean the character: what was JSON stays the same JSON.</remarks>
    public static string Printable(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var result = default(StringBuilder);
        var copied = 0;
        for (var at = 0; at < text.Length;)
        {
            var valid = Rune.TryGetRuneAt(text, at, out var rune); // A surrogate alone is no character that a terminal knows.
            var length = valid ? rune.Utf16SequenceLength : 1;
            if (!valid || IsUnprintable(rune))
            {
                result ??= new(text.Length + 16);
                result.Append(text, copied, at - copied);
                for (var i = at; i < at + length; i++) result.Append(CultureInfo.InvariantCulture, $"\\u{(int)text[i]:x4}");
                copied = at + length;
            }

            at += length;
        }

        return result is null ? text : result.Append(text, copied, text.Length - copied).ToString();
    }

    private static string OrDash(ReadOnlySpan<byte> text) => text.IsEmpty ? "-" : Printable(text);

    private static bool IsUnprintable(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
