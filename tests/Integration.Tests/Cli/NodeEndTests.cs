using Massif.Cli.Commands;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Microsoft.Extensions.Logging;

namespace Massif.Integration.Tests.Cli;

/// <summary>What a node says last, and its exit code: service managers start it again or do not.</summary>
public sealed class NodeEndTests
{
    [Fact]
    public void A_disk_that_fails_is_told_apart_from_a_mistake_of_the_program()
    {
        var log = new LastLine();
        var cause = new IOException("Input/output error");
        Assert.Equal(3, NodeCommands.Explain(DiskFailedException.Unreadable("/data/journal_1", 4096, cause), log));
        Assert.Contains(
            "/data/journal_1 cannot be read at byte 4096: Input/output error. The node ends",
            log.Text,
            StringComparison.Ordinal);
        Assert.Contains("start with an empty one", log.Text, StringComparison.Ordinal);

        Assert.Equal(1, NodeCommands.Explain(new InvariantViolationException("Invariant does not hold: x"), log));
        Assert.Contains("an invariant of this program broke", log.Text, StringComparison.Ordinal);

        Assert.Equal(1, NodeCommands.Explain(new IOException("127.0.0.1:5514: gone"), log));
        Assert.Equal("the node ends: 127.0.0.1:5514: gone", log.Text);

        Assert.Equal(0, NodeCommands.Explain(null, log));
        Assert.Equal("stopping", log.Text);
    }

    private sealed class LastLine : ILogger
    {
        public string Text { get; private set; } = "";

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Text = formatter(state, exception);
    }
}
