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
    public static string Printable(ReadOnlySpan<byte> text)
    {
        var decoded = Decode(text);
        var first = IndexOfUnprintable(decoded, 0);
        if (first < 0) return decoded;

        var result = new StringBuilder(decoded.Length + 16);
        var copied = 0;
        for (var at = first; at >= 0; at = IndexOfUnprintable(decoded, at + 1))
        {
            result.Append(decoded, copied, at - copied);
            result.Append(CultureInfo.InvariantCulture, $"\\u{(int)decoded[at]:x4}");
            copied = at + 1;
        }

        return result.Append(decoded, copied, decoded.Length - copied).ToString();
    }

    private static string OrDash(ReadOnlySpan<byte> text) => text.IsEmpty ? "-" : Printable(text);

    private static int IndexOfUnprintable(string text, int from)
    {
        for (var i = from; i < text.Length; i++)
        {
            if (char.GetUnicodeCategory(text[i]) is UnicodeCategory.Control or UnicodeCategory.Format
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) return i;
        }

        return -1;
    }
}
