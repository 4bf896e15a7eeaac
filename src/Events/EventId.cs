using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Massif.Events;

/// <summary>
/// Identity of one event: the edge that published it, the incarnation of that edge's spool, the sequence number of the
/// batch and the index within it. Written <c>edge/incarnation/seq/index</c>; never reused.
/// </summary>
/// <param name="Edge">Name of the edge in the domain description.</param>
/// <param name="Incarnation">Life of the edge's spool.</param>
/// <param name="Seq">Sequence number of the batch; the first is 1.</param>
/// <param name="Index">Index of the event in its batch, from 0.</param>
public readonly record struct EventId(string Edge, ulong Incarnation, ulong Seq, int Index)
{
    /// <summary>Reads the text form. Only the form that <see cref="ToString"/> writes is accepted.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EventId id)
    {
        id = default;
        if (text is null) return false;

        var parts = text.Split('/');
        if (parts.Length != 4 || parts[0].Length == 0) return false;
        if (!TryNumber(parts[1], out var incarnation) || !TryNumber(parts[2], out var seq)) return false;
        if (!TryNumber(parts[3], out var index) || index >= BatchBuilder.EventsMax) return false;

        id = new(parts[0], incarnation, seq, (int)index);
        return true;
    }

    /// <summary>Reads the text form.</summary>
    /// <exception cref="FormatException">The text is not <c>edge/incarnation/seq/index</c>.</exception>
    public static EventId Parse(string text) =>
        TryParse(text, out var id) ? id : throw new FormatException($"'{text}' is not edge/incarnation/seq/index.");

    /// <inheritdoc />
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Edge}/{Incarnation}/{Seq}/{Index}");

    // One identity has one text: no signs, no blanks, no leading zeros.
    private static bool TryNumber(string text, out ulong number) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number)
        && (text.Length == 1 || text[0] != '0');
}
