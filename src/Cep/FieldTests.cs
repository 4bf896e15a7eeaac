using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Massif.Events;

namespace Massif.Cep;

/// <summary>Makes the tests on one field, and checks the values against the kind of the field.</summary>
internal static class FieldTests
{
    public static Condition Equal(EventField field, List<Token> values) => FieldNames.KindOf(field) switch
    {
        FieldKind.Text => new TextEquals(field, [.. values.Select(Bytes)]),
        FieldKind.Word => new TextEquals(field, [.. values.Select(value => WordOf(field, value))]),
        FieldKind.Address => new AddressEquals(field, [.. values.Select(Address)]),
        FieldKind.Number => new NumberEquals(field, [.. values.Select(Number)]),
        _ => throw NotComparable(field, values[0]),
    };

    public static Condition StartsWith(EventField field, Token op, Token value) =>
        new TextStartsWith(MustBeText(field, op), Bytes(value));

    public static Condition Contains(EventField field, Token op, Token value) =>
        new TextContains(MustBeText(field, op), Bytes(value));

    public static Condition Has(EventField field, Token op, Token value)
    {
        if (FieldNames.KindOf(field) != FieldKind.Set)
            throw new MistakeException(op, $"'has' is for sets; '{FieldNames.NameOf(field)}' is none");
        return FlagNames.TryParse(value.Text, out var flag)
            ? new HasFlag(flag)
            : throw new MistakeException(value, $"there is no flag '{value.Text}'");
    }

    public static Condition Compare(EventField field, Token op, Token value)
    {
        if (FieldNames.KindOf(field) != FieldKind.Number)
            throw new MistakeException(op, $"'{op.Text}' is for numbers; '{FieldNames.NameOf(field)}' is none");
        var number = Number(value);
        return op.Text switch
        {
            "<" => new NumberInRange(field, long.MinValue, number - 1),
            "<=" => new NumberInRange(field, long.MinValue, number),
            ">" => new NumberInRange(field, number + 1, long.MaxValue),
            _ => new NumberInRange(field, number, long.MaxValue),
        };
    }

    private static EventField MustBeText(EventField field, Token op) =>
        FieldNames.KindOf(field) is FieldKind.Text or FieldKind.Word
            ? field
            : throw new MistakeException(op, $"'{op.Text}' is for texts; '{FieldNames.NameOf(field)}' is none");

    private static byte[] Bytes(Token value) => Encoding.UTF8.GetBytes(value.Text);

    // A word that the field can never have is a slip of the pen that would make the rule silent for ever.
    private static byte[] WordOf(EventField field, Token value)
    {
        var words = WordsOf(field);
        return words.Contains(value.Text)
            ? Bytes(value)
            : throw new MistakeException(
                value, $"'{value.Text}' is no value of '{FieldNames.NameOf(field)}'; it is one of {string.Join(", ", words)}");
    }

    private static IpAddress Address(Token value) =>
        IpAddress.TryParse(Encoding.UTF8.GetBytes(value.Text), out var address)
            ? address
            : throw new MistakeException(value, $"'{value.Text}' is no IP address");

    // One below the largest long, so that "greater than" has a successor.
    private static long Number(Token value) =>
        long.TryParse(value.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number is > long.MinValue and < long.MaxValue
            ? number
            : throw new MistakeException(value, $"'{value.Text}' is no number");

    private static MistakeException NotComparable(EventField field, Token value) =>
        new(value, FieldNames.KindOf(field) == FieldKind.Set
            ? $"'{FieldNames.NameOf(field)}' is a set: write '{FieldNames.NameOf(field)} has {value.Text}'"
            : $"'{FieldNames.NameOf(field)}' cannot be compared in a rule");

    private static ImmutableArray<string> WordsOf(EventField field) => field switch
    {
        EventField.Category => Words<EventCategory>(value => EventWords.Of(value)),
        EventField.Action => Words<EventAction>(value => EventWords.Of(value)),
        EventField.Outcome => Words<EventOutcome>(value => EventWords.Of(value)),
        EventField.SourceType => Words<EventSourceType>(value => EventWords.Of(value)),
        EventField.Parser => Words<EventParser>(value => EventWords.Of(value)),
        EventField.TimeQuality => Words<TimeQuality>(value => EventWords.Of(value)),
        EventField.Transport => Words<EventTransport>(value => EventWords.Of(value)),
        EventField.Level => [.. Enumerable.Range(0, 8).Select(i => Encoding.UTF8.GetString(EventWords.OfSeverity(i)))],
        _ => throw new ArgumentOutOfRangeException(nameof(field), field, "This field has no list of words."),
    };

    private static ImmutableArray<string> Words<T>(WordOfValue<T> word)
        where T : struct, Enum =>
        [.. Enum.GetValues<T>().Select(value => Encoding.UTF8.GetString(word(value))).Where(text => text.Length > 0)];

    private delegate ReadOnlySpan<byte> WordOfValue<in T>(T value);
}
