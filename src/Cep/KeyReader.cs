using Massif.Events;

namespace Massif.Cep;

/// <summary>Reads the key of an event: per field one length byte and the value as people write it.</summary>
internal static class KeyReader
{
    /// <summary>Longest value in bytes. What is longer is cut: names that differ only behind this share a key.</summary>
    public const int ValueBytesMax = 255;

    /// <summary>Room for the longest key.</summary>
    public const int BytesMax = RuleDefinition.KeyFieldsMax * (1 + ValueBytesMax);

    /// <summary>Returns whether a field can be part of a key.</summary>
    public static bool CanRead(EventField field) =>
        FieldNames.KindOf(field) is FieldKind.Text or FieldKind.Word or FieldKind.Address or FieldKind.Number;

    /// <summary>Returns the length of the longest key of these fields in bytes.</summary>
    public static int LongestOf(ReadOnlySpan<EventField> fields)
    {
        const int AddressBytesMax = 45, NumberBytesMax = 20, WordBytesMax = 32; // INET6_ADDRSTRLEN without its end, a long, ours.
        var length = 0;
        foreach (var field in fields)
        {
            length += 1 + FieldNames.KindOf(field) switch
            {
                FieldKind.Address => AddressBytesMax,
                FieldKind.Number => NumberBytesMax,
                FieldKind.Word => WordBytesMax,
                _ => ValueBytesMax,
            };
        }

        return length;
    }

    /// <summary>Writes the key and returns its length; -1 when the event lacks one of the fields.</summary>
    public static int Read(in EventView view, ReadOnlySpan<EventField> fields, Span<byte> key)
    {
        var end = 0;
        foreach (var field in fields)
        {
            if (!TryReadValue(view, field, key.Slice(end + 1, ValueBytesMax), out var length)) return -1;
            key[end] = (byte)length;
            end += 1 + length;
        }

        return end;
    }

    private static bool TryReadValue(in EventView view, EventField field, Span<byte> value, out int length)
    {
        if (FieldNames.KindOf(field) is FieldKind.Address or FieldKind.Number)
            return view.TryFormat(field, value, out length) && length > 0;

        var text = view.Text(field);
        length = Math.Min(text.Length, value.Length);
        text[..length].CopyTo(value);
        return length > 0;
    }
}
