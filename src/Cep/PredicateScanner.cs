using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Massif.Cep;

/// <summary>A mistake in a predicate.</summary>
/// <param name="Column">Where it is, from 1.</param>
/// <param name="Message">What is wrong, and what would be right.</param>
internal sealed record PredicateError(int Column, string Message);

internal enum TokenKind : byte
{
    /// <summary>A name, number or bare value: letters, digits and <c>_ . : @ / -</c>.</summary>
    Word,

    /// <summary>A value in quotes; <see cref="Token.Text"/> is without them.</summary>
    Quoted,

    /// <summary>One of <c>( ) , == != &lt; &lt;= &gt; &gt;=</c>.</summary>
    Symbol,

    /// <summary>The end of the text.</summary>
    End,
}

internal readonly record struct Token(TokenKind Kind, string Text, int Column)
{
    public override string ToString() => Kind == TokenKind.End ? "the end" : $"'{Text}'";
}

/// <summary>Cuts a predicate into tokens.</summary>
internal static class PredicateScanner
{
    private static readonly string[] Symbols = ["==", "!=", "<=", ">=", "<", ">", "(", ")", ","];

    /// <summary>Returns the tokens, the last of which is <see cref="TokenKind.End"/>.</summary>
    public static bool TryScan(string text, out List<Token> tokens, [NotNullWhen(false)] out PredicateError? error)
    {
        tokens = [];
        error = null;
        var at = 0;
        while (at < text.Length)
        {
            var column = at + 1;
            var c = text[at];
            if (char.IsWhiteSpace(c))
            {
                at++;
            }
            else if (c is '"' or '\'')
            {
                if (!TryQuoted(text, ref at, out var value))
                {
                    error = new(column, "the quote is not closed");
                    return false;
                }

                tokens.Add(new(TokenKind.Quoted, value, column));
            }
            else if (IsWordPart(c))
            {
                var start = at;
                while (at < text.Length && IsWordPart(text[at])) at++;
                tokens.Add(new(TokenKind.Word, text[start..at], column));
            }
            else if (SymbolAt(text, at) is { } symbol)
            {
                at += symbol.Length;
                tokens.Add(new(TokenKind.Symbol, symbol, column));
            }
            else
            {
                error = new(column, c == '=' ? "equality is written =="
                    : $"'{c}' has no meaning here; a value with such characters is written in quotes");
                return false;
            }
        }

        tokens.Add(new(TokenKind.End, "", text.Length + 1));
        return true;
    }

    private static bool TryQuoted(string text, ref int at, out string value)
    {
        var quote = text[at++];
        var result = new StringBuilder();
        for (; at < text.Length && text[at] != quote; at++)
        {
            // A backslash takes the next character as it is.
            if (text[at] == '\\' && at + 1 < text.Length) at++;
            result.Append(text[at]);
        }

        value = result.ToString();
        return at++ < text.Length;
    }

    private static string? SymbolAt(string text, int at) =>
        Array.Find(Symbols, symbol => string.CompareOrdinal(text, at, symbol, 0, symbol.Length) == 0);

    private static bool IsWordPart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or ':' or '@' or '/' or '-';
}
