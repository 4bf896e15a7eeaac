using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Massif.Cli.Commands;

/// <summary>
/// A node's log, one line an entry: time (UTC), level, node, what happened in words, and the same for programs as
/// <c>event=NAME key=value ...</c>. Values with blanks are quoted; control characters are written out.
/// </summary>
internal sealed class NodeLog : ConsoleFormatter
{
    private const string Format = "massif";
    private const string MethodPrefix = "Log";

    public NodeLog()
        : base(Format)
    {
    }

    /// <summary>Makes the logging of one node; disposing it writes what waits.</summary>
    public static ILoggerFactory Create(LogLevel least) => LoggerFactory.Create(builder => builder
        .SetMinimumLevel(least)
        .AddConsole(console => console.FormatterName = Format)
        .AddConsoleFormatter<NodeLog, ConsoleFormatterOptions>());

    /// <inheritdoc />
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        var line = new StringBuilder(256);
        line.Append(
            CultureInfo.InvariantCulture,
            $"{DateTime.UtcNow:yyyy-MM-dd'T'HH:mm:ss.fff'Z'} {Word(logEntry.LogLevel)} {logEntry.Category}: ");
        line.Append(Output.Printable(logEntry.Formatter(logEntry.State, logEntry.Exception)));
        if (logEntry.EventId.Name is { } name)
            line.Append(" event=")
                .Append(Snake(name.StartsWith(MethodPrefix, StringComparison.Ordinal) ? name[MethodPrefix.Length..] : name));
        if (logEntry.State is IEnumerable<KeyValuePair<string, object?>> values)
        {
            foreach (var (key, value) in values)
            {
                if (key == "{OriginalFormat}") continue;
                line.Append(' ').Append(Snake(key)).Append('=').Append(Quoted(Convert.ToString(value, CultureInfo.InvariantCulture) ?? ""));
            }
        }

        textWriter.WriteLine(line);
        if (logEntry.Exception is { } exception)
        {
            foreach (var part in exception.ToString().Split('\n')) textWriter.WriteLine("    " + Output.Printable(part.TrimEnd('\r')));
        }
    }

    private static string Word(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug",
        LogLevel.Information => "info ",
        LogLevel.Warning => "warn ",
        LogLevel.Error => "error",
        _ => "fatal",
    };

    private static string Quoted(string value)
    {
        value = Output.Printable(value);
        return value.Length > 0 && !value.AsSpan().ContainsAny(" \"=")
            ? value
            : $"\"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
    }

    private static string Snake(string name)
    {
        var snake = new StringBuilder(name.Length + 4);
        foreach (var letter in name)
        {
            if (char.IsAsciiLetterUpper(letter) && snake.Length > 0) snake.Append('_');
            snake.Append(char.ToLowerInvariant(letter));
        }

        return snake.ToString();
    }
}
