using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Massif.Reb.Configuration;

/// <summary>Reads a YAML file into nodes that know their lines.</summary>
/// <remarks>
/// Only the part of YAML that configuration needs: one document, maps with plain keys, lists and scalars. Anchors, tags
/// and several documents are errors, because what they hide an operator does not see when he reads the file.
/// </remarks>
public static class YamlDocument
{
    /// <summary>Largest file read, in bytes. A domain of 1,000 nodes has 0.3 MiB.</summary>
    public const long FileBytesMax = 4 * 1024 * 1024;

    private const int DepthMax = 32;

    /// <summary>Reads a file whose root must be a map; null, with the reason in <paramref name="errors"/>, when it cannot.</summary>
    public static YamlMap? Load(string path, ConfigErrors errors)
    {
        string text;
        try
        {
            if (Directory.Exists(path))
            {
                errors.Add(path, 0, "", "is a directory, not a file");
                return null;
            }

            if (new FileInfo(path) is { Exists: true, Length: > FileBytesMax })
            {
                errors.Add(path, 0, "", "is too large for a configuration", $"at most {FileBytesMax} bytes");
                return null;
            }

            text = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var isMissing = e is FileNotFoundException or DirectoryNotFoundException;
            errors.Add(path, 0, "", isMissing ? "does not exist" : $"cannot be read: {e.Message}");
            return null;
        }

        return Parse(path, text, errors);
    }

    /// <summary>Reads a text whose root must be a map; <paramref name="file"/> is what messages call it.</summary>
    public static YamlMap? Parse(string file, string text, ConfigErrors errors)
    {
        // After a syntax error nothing can be trusted: what else was found until then is not reported.
        var found = new ConfigErrors();
        var reading = new Reading(file, text, found, errors);
        try
        {
            var root = reading.Root();
            errors.AddRange(found.Items);
            return root;
        }
        catch (YamlException e)
        {
            // A scanner begins at what came before the fault and ends at it; a quote that is never closed is the other way round.
            var place = e.Message.Contains("quoted", StringComparison.Ordinal) ? e.Start : e.End;
            errors.Add(file, (int)place.Line, "", $"is not valid YAML: {OneLine(e.Message)}");
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or IndexOutOfRangeException)
        {
            // The scanner of YamlDotNet answers some broken texts (a list that is never closed) with these.
            errors.Add(file, reading.Line, "", "is not valid YAML: a list, map or quote near this line is not closed");
        }

        return null;
    }

    private static string OneLine(string message) => message.ReplaceLineEndings(" ").TrimEnd('.');

    private sealed class Reading(string file, string text, ConfigErrors errors, ConfigErrors later)
    {
        private readonly Parser _parser = new(new StringReader(text));

        /// <summary>Gets the line of the last thing that could be read.</summary>
        public int Line => Math.Max(1, (int)(_parser.Current?.End.Line ?? 1));

        public YamlMap? Root()
        {
            _parser.Consume<StreamStart>();
            if (_parser.TryConsume<StreamEnd>(out _))
            {
                errors.Add(file, 0, "", "is empty");
                return null;
            }

            _parser.Consume<DocumentStart>();
            var root = Node("", 0);
            _parser.Consume<DocumentEnd>();
            if (_parser.TryConsume<DocumentStart>(out var second))
                errors.Add(file, (int)second.Start.Line, "", "has a second document", "one document");
            if (root is YamlMap map) return map;
            errors.Add(file, root.Line, "", $"is {root.Kind}", "a map of keys and values");
            return null;
        }

        private YamlNode Node(string path, int depth)
        {
            var line = (int)(_parser.Current?.Start.Line ?? 0);
            if (depth > DepthMax) throw new YamlException(_parser.Current!.Start, _parser.Current.End, "values are nested too deeply");
            if (_parser.TryConsume<AnchorAlias>(out _))
            {
                errors.Add(file, line, path, "refers to an anchor", "values written out");
                return new YamlScalar(line, path, "", false);
            }

            if (_parser.Accept<NodeEvent>(out var node) && (!node.Anchor.IsEmpty || !node.Tag.IsEmpty))
                errors.Add(file, line, path, "has an anchor or a tag", "values written out");
            if (_parser.TryConsume<Scalar>(out var scalar))
                return new YamlScalar(line, path, scalar.Value, scalar.Style != ScalarStyle.Plain);
            return _parser.TryConsume<SequenceStart>(out _) ? List(line, path, depth) : Map(line, path, depth);
        }

        private YamlList List(int line, string path, int depth)
        {
            var items = new List<YamlNode>();
            while (!_parser.TryConsume<SequenceEnd>(out _))
                items.Add(Node(string.Create(CultureInfo.InvariantCulture, $"{path}[{items.Count}]"), depth + 1));
            return new YamlList(line, path, items);
        }

        private YamlMap Map(int line, string path, int depth)
        {
            _parser.Consume<MappingStart>();
            var entries = new Dictionary<string, YamlNode>(StringComparer.Ordinal);
            var lines = new Dictionary<string, int>(StringComparer.Ordinal);
            while (!_parser.TryConsume<MappingEnd>(out _))
            {
                var keyLine = (int)(_parser.Current?.Start.Line ?? 0);
                var key = Node(path, depth + 1) is YamlScalar name ? name.Text : null;
                if (key is null) errors.Add(file, keyLine, path, "has a key that is no word");
                key ??= "?";
                var childPath = path.Length == 0 ? key : $"{path}.{key}";
                var value = Node(childPath, depth + 1);
                if (lines.TryGetValue(key, out var first))
                {
                    errors.Add(
                        file,
                        keyLine,
                        childPath,
                        string.Create(CultureInfo.InvariantCulture, $"stands here a second time, first in line {first}"));
                    continue;
                }

                lines.Add(key, keyLine);
                // A list or map starts a line below its key; messages name the line of the key.
                entries.Add(key, value is YamlScalar ? value : value with { Line = keyLine });
            }

            return new YamlMap(line, path, file, entries, lines, later);
        }
    }
}
