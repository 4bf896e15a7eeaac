namespace Massif.Reb.Configuration;

/// <summary>One mistake in a configuration file, in the form in which an operator reads it.</summary>
/// <param name="File">The file as it was named by the caller.</param>
/// <param name="Line">Line number from 1; 0 when the mistake has no line (the file cannot be read).</param>
/// <param name="Key">Path of the key, such as <c>nodes[2].addresses</c>; empty when the whole file is meant.</param>
/// <param name="Message">What is wrong, in one sentence without a full stop.</param>
/// <param name="AllowedRange">What would be right, such as <c>1 to 64</c>; null when there is no such set.</param>
public sealed record ConfigError(string File, int Line, string Key, string Message, string? AllowedRange = null)
{
    /// <summary>Returns <c>FILE:LINE: key: what is wrong (allowed: 1 to 64)</c>.</summary>
    public override string ToString()
    {
        var place = Line > 0 ? $"{File}:{Line}: " : $"{File}: ";
        var key = Key.Length > 0 ? $"{Key}: " : "";
        var allowed = AllowedRange is null ? "" : $" (allowed: {AllowedRange})";
        return place + key + Message + allowed;
    }
}

/// <summary>Collects every mistake of a configuration, so that an operator mends all of them in one round.</summary>
public sealed class ConfigErrors
{
    private readonly List<ConfigError> _items = [];

    /// <summary>Gets the mistakes found so far, in the order of file and line.</summary>
    public IReadOnlyList<ConfigError> Items =>
        [.. _items.Select((error, found) => (error, found)).OrderBy(x => x.error.File, StringComparer.Ordinal)
            .ThenBy(x => x.error.Line).ThenBy(x => x.found).Select(x => x.error)];

    /// <summary>Gets whether there is none.</summary>
    public bool None => _items.Count == 0;

    /// <summary>Gets how many there are.</summary>
    public int Count => _items.Count;

    /// <summary>Notes one mistake.</summary>
    public void Add(ConfigError error) => _items.Add(error);

    /// <summary>Notes one mistake.</summary>
    public void Add(string file, int line, string key, string message, string? allowed = null) =>
        _items.Add(new(file, line, key, message, allowed));

    /// <summary>Notes the mistakes of another file.</summary>
    public void AddRange(IEnumerable<ConfigError> errors) => _items.AddRange(errors);
}
