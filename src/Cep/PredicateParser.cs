using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Massif.Events;

namespace Massif.Cep;

/// <summary>Reads the predicate language of rules.</summary>
/// <remarks>
/// <code>
/// any   = all { "or" all }
/// all   = part { "and" part }
/// part  = "not" part | "(" any ")" | "exists" field | "tags" "has" flag
///       | field ( "==" | "!=" ) value | field "in" "(" value { "," value } ")"
///       | field ( "starts_with" | "contains" ) value          texts and words
///       | field ( "&lt;" | "&lt;=" | "&gt;" | "&gt;=" ) number              numbers
/// </code>
/// A value is a bare word or is written in quotes. Depth is limited so that no text can exhaust the stack.
/// </remarks>
internal sealed class PredicateParser
{
    private const int DepthMax = 50;
    private readonly List<Token> _tokens;
    private int _at, _depth;

    private PredicateParser(List<Token> tokens) => _tokens = tokens;

    private Token Current => _tokens[_at];

    /// <summary>Reads a predicate; the error names the column of the first mistake.</summary>
    public static bool TryParse(
        string text, [NotNullWhen(true)] out Condition? condition, [NotNullWhen(false)] out PredicateError? error)
    {
        condition = null;
        if (!PredicateScanner.TryScan(text, out var tokens, out error)) return false;
        try
        {
            var parser = new PredicateParser(tokens);
            var parsed = parser.Any();
            if (parser.Current.Kind != TokenKind.End) throw parser.Expected("'and', 'or' or the end");
            condition = parsed;
            return true;
        }
        catch (MistakeException mistake)
        {
            error = mistake.Error;
            return false;
        }
    }

    private Condition Any()
    {
        var parts = ImmutableArray.CreateBuilder<Condition>();
        do parts.Add(All());
        while (TryTake("or"));
        return parts.Count == 1 ? parts[0] : new AnyOf(parts.ToImmutable());
    }

    private Condition All()
    {
        var parts = ImmutableArray.CreateBuilder<Condition>();
        do parts.Add(Part());
        while (TryTake("and"));
        return parts.Count == 1 ? parts[0] : new AllOf(parts.ToImmutable());
    }

    private Condition Part()
    {
        if (++_depth > DepthMax) throw Mistake(Current, $"more than {DepthMax} levels");
        var part = Nested();
        _depth--;
        return part;
    }

    private Condition Nested()
    {
        if (TryTake("not")) return new Not(Part());
        if (TryTake("exists")) return new Exists(Field(out _));
        if (!TryTake("(")) return Test();
        var inner = Any();
        return TryTake(")") ? inner : throw Expected("')'");
    }

    private Condition Test()
    {
        var field = Field(out var name);
        var op = Take();
        return op.Text switch
        {
            _ when op.Kind is TokenKind.Quoted or TokenKind.End => throw NoOperator(op, name),
            "==" => FieldTests.Equal(field, [Value()]),
            "!=" => new Not(FieldTests.Equal(field, [Value()])),
            "in" => FieldTests.Equal(field, Values()),
            "starts_with" => FieldTests.StartsWith(field, op, Value()),
            "contains" => FieldTests.Contains(field, op, Value()),
            "has" => FieldTests.Has(field, op, Value()),
            "<" or "<=" or ">" or ">=" => FieldTests.Compare(field, op, Value()),
            _ => throw NoOperator(op, name),
        };
    }

    private static MistakeException NoOperator(Token op, string field) =>
        Mistake(op, $"{op} is no comparison: '{field}' is followed by ==, !=, in, starts_with, contains, has, <, <=, > or >=");

    private EventField Field(out string name)
    {
        var token = Current;
        if (token.Kind != TokenKind.Word) throw Expected("a field name");
        if (!FieldNames.TryParse(token.Text, out var field)) throw Mistake(token, $"there is no field '{token.Text}'");
        _at++;
        name = token.Text;
        return field;
    }

    private Token Value() =>
        Current.Kind is TokenKind.Word or TokenKind.Quoted ? Take() : throw Expected("a value");

    private List<Token> Values()
    {
        if (!TryTake("(")) throw Expected("'(' and a list of values");
        var values = new List<Token>();
        do values.Add(Value());
        while (TryTake(","));
        return TryTake(")") ? values : throw Expected("',' or ')'");
    }

    private Token Take() => Current.Kind == TokenKind.End ? Current : _tokens[_at++];

    // Words of the language are never quoted, so a quoted "and" stays a value.
    private bool TryTake(string text)
    {
        if (Current.Kind is TokenKind.Quoted or TokenKind.End || Current.Text != text) return false;
        _at++;
        return true;
    }

    private MistakeException Expected(string what) => Mistake(Current, $"{what} was expected instead of {Current}");

    private static MistakeException Mistake(Token token, string message) => new(token, message);
}

/// <summary>Leaves the parser at the first mistake; never seen outside.</summary>
internal sealed class MistakeException(Token token, string message) : Exception(message)
{
    public PredicateError Error { get; } = new(token.Column, message);
}
