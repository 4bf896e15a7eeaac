namespace Massif.Events;

/// <summary>
/// Walks structured data as written (RFC 5424 section 6.3): elements, and within each its parameters, in order and with
/// repeats. Meant for hostile input: it stops at the first thing that does not fit and says so.
/// </summary>
public ref struct StructuredDataReader
{
    private readonly ReadOnlySpan<byte> _text;
    private bool _inElement;

    /// <summary>
    /// Starts in front of the first element of <paramref name="text"/>, which may be followed by other text.
    /// </summary>
    public StructuredDataReader(ReadOnlySpan<byte> text) => _text = text;

    /// <summary>Gets how many bytes were read; after the last element, the length of the structured data.</summary>
    public int Position { get; private set; }

    /// <summary>Gets whether the text broke the grammar.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Gets whether a value held a ] that was not escaped, which is accepted.</summary>
    public bool HasUnescapedBracket { get; private set; }

    /// <summary>
    /// Gets whether an SD-ID or parameter name is longer than the 32 bytes of RFC 5424, which is accepted.
    /// </summary>
    public bool HasLongName { get; private set; }

    /// <summary>Gets the SD-ID of the current element.</summary>
    public ReadOnlySpan<byte> Id { get; private set; }

    /// <summary>Gets the name of the current parameter.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Gets the value of the current parameter as written; see <see cref="Unescape"/>.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Moves to the next element, over parameters not read; false after the last one or when broken.</summary>
    public bool NextElement()
    {
        while (_inElement && NextParameter())
        {
        }

        if (IsBroken || Position >= _text.Length || _text[Position] != '[') return false;
        Position++;
        Id = TakeName();
        if (Id.IsEmpty || Position >= _text.Length || _text[Position] is not ((byte)' ' or (byte)']')) return Broken();
        _inElement = true;
        return true;
    }

    /// <summary>Moves to the next parameter of the current element; false after the last one or when broken.</summary>
    public bool NextParameter()
    {
        if (!_inElement || IsBroken) return false;
        if (Position < _text.Length && _text[Position] == ']')
        {
            Position++;
            _inElement = false;
            return false;
        }

        if (Position < _text.Length && _text[Position] == ' ') Position++;
        Name = TakeName();
        if (Name.IsEmpty || !_text[Position..].StartsWith("=\""u8)) return Broken();
        Position += 2;
        return TakeValue();
    }

    /// <summary>
    /// Writes a value without its escapes and returns its length. Only \", \\ and \] are escapes; any other backslash
    /// stands for itself (section 6.3.3). The destination must be as long as the value.
    /// </summary>
    public static int Unescape(ReadOnlySpan<byte> value, Span<byte> destination)
    {
        var written = 0;
        for (var i = 0; i < value.Length; i++)
        {
            var escapes = value[i] == '\\' && i + 1 < value.Length && value[i + 1] is (byte)'"' or (byte)'\\' or (byte)']';
            if (escapes) i++;
            destination[written++] = value[i];
        }

        return written;
    }

    // SD-NAME: printable US-ASCII except '=', SP, ']' and '"' (section 6.3.2).
    private ReadOnlySpan<byte> TakeName()
    {
        var start = Position;
        while (Position < _text.Length && _text[Position] is > 32 and < 127 and not ((byte)'=' or (byte)']' or (byte)'"'))
            Position++;
        HasLongName |= Position - start > 32;
        return _text[start..Position];
    }

    private bool TakeValue()
    {
        var start = Position;
        while (Position < _text.Length)
        {
            var c = _text[Position];
            if (c == '"')
            {
                Value = _text[start..Position];
                Position++;
                return (Position < _text.Length && _text[Position] is (byte)' ' or (byte)']') || Broken();
            }

            if (c == ']') HasUnescapedBracket = true;
            if (c == '\\' && Position + 1 < _text.Length && _text[Position + 1] is (byte)'"' or (byte)'\\' or (byte)']')
                Position++;
            Position++;
        }

        return Broken();
    }

    private bool Broken()
    {
        IsBroken = true;
        _inElement = false;
        return false;
    }
}
