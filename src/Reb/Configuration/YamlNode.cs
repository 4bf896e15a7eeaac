namespace Massif.Reb.Configuration;

/// <summary>A value in a YAML file, with the line it starts at.</summary>
/// <param name="Line">Line number from 1.</param>
/// <param name="Path">Path of the key, such as <c>nodes[2].id</c>.</param>
public abstract record YamlNode(int Line, string Path)
{
    /// <summary>Gets what it is, in an operator's words.</summary>
    public abstract string Kind { get; }
}

/// <summary>A single value. YAML's types are not guessed: whoever reads it says what it must be.</summary>
/// <param name="Line">Line number from 1.</param>
/// <param name="Path">Path of the key.</param>
/// <param name="Text">The value without quotes.</param>
/// <param name="IsQuoted">Whether it stood in quotes or in a block: then it is text, also when it looks like a number.</param>
public sealed record YamlScalar(int Line, string Path, string Text, bool IsQuoted) : YamlNode(Line, Path)
{
    /// <summary>Gets whether nothing stands there (<c>key:</c>, <c>~</c> or <c>null</c>).</summary>
    public bool IsNull => !IsQuoted && Text is "" or "~" or "null";

    /// <inheritdoc />
    public override string Kind => IsNull ? "nothing" : "a single value";
}

/// <summary>A list of values.</summary>
/// <param name="Line">Line number from 1.</param>
/// <param name="Path">Path of the key.</param>
/// <param name="Items">The values in order.</param>
public sealed record YamlList(int Line, string Path, IReadOnlyList<YamlNode> Items) : YamlNode(Line, Path)
{
    /// <inheritdoc />
    public override string Kind => "a list";
}
