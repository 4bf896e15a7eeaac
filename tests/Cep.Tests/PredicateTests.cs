using System.Text;
using Massif.Events;

namespace Massif.Cep.Tests;

public sealed class PredicateTests
{
    [Theory]
    [InlineData("event.outcome == failure", true)]
    [InlineData("event.outcome == 'failure'", true)]
    [InlineData("event.outcome == success", false)]
    [InlineData("event.outcome != success", true)]
    [InlineData("event.outcome in (success, failure)", true)]
    [InlineData("event.outcome in (success, unknown)", false)]
    [InlineData("not event.outcome in (success, unknown)", true)]
    [InlineData("user.name == root", true)]
    [InlineData("user.name == Root", false)]
    [InlineData("user.name starts_with ro", true)]
    [InlineData("user.name starts_with oot", false)]
    [InlineData("user.name contains oo", true)]
    [InlineData("user.name contains \"\"", true)]
    [InlineData("exists user.name", true)]
    [InlineData("exists destination.ip", false)]
    [InlineData("destination.ip == 10.0.0.1", false)]
    [InlineData("destination.ip != 10.0.0.1", true)]
    [InlineData("host.name contains \"\"", false)]
    [InlineData("source.ip == 192.0.2.1", true)]
    [InlineData("source.ip == ::ffff:192.0.2.1", true)]
    [InlineData("source.ip in (10.0.0.1, '192.0.2.1')", true)]
    [InlineData("log.syslog.severity.code == 5", true)]
    [InlineData("log.syslog.severity.code <= 5", true)]
    [InlineData("log.syslog.severity.code < 5", false)]
    [InlineData("log.syslog.severity.code > 4", true)]
    [InlineData("log.syslog.severity.code >= 6", false)]
    [InlineData("log.syslog.severity.code in (1, 5)", true)]
    [InlineData("log.level == notice", true)]
    [InlineData("source.port < 0", false)]
    [InlineData("massif.count == 1", true)]
    [InlineData("tags has same_attempt", false)]
    [InlineData("tags has replayed", true)]
    [InlineData("user.name == x and user.name == y or user.name == root", true)]
    [InlineData("user.name == x and (user.name == y or user.name == root)", false)]
    [InlineData("not user.name == x and user.name == root", true)]
    [InlineData("not (user.name == x or user.name == root)", false)]
    [InlineData("user.name == 'and'", false)]
    [InlineData("user.name == 'ro\\ot'", true)]
    public void Conditions_hold_or_not(string text, bool expected)
    {
        Assert.True(PredicateParser.TryParse(text, out var condition, out var error), error?.Message);
        var payload = TestBatches.Of(new TestEvent(1) { ReplayedAt = 2 });
        Assert.True(BatchReader.TryOpen(payload, out var batch, out _));
        Assert.Equal(expected, condition.Holds(batch[0]));
    }

    [Theory]
    [InlineData("", 1, "a field name was expected instead of the end")]
    [InlineData("user.nam == root", 1, "there is no field 'user.nam'")]
    [InlineData("user.name = root", 11, "equality is written ==")]
    [InlineData("user.name root", 11, "'root' is no comparison")]
    [InlineData("user.name ==", 13, "a value was expected instead of the end")]
    [InlineData("user.name == root user.name", 19, "'and', 'or' or the end was expected")]
    [InlineData("user.name == root and", 22, "a field name was expected")]
    [InlineData("(user.name == root", 19, "')' was expected")]
    [InlineData("user.name == 'root", 14, "the quote is not closed")]
    [InlineData("user.name in root", 14, "'(' and a list of values")]
    [InlineData("user.name in (root bob)", 20, "',' or ')'")]
    [InlineData("user.name < 5", 11, "'<' is for numbers")]
    [InlineData("source.port starts_with 5", 13, "'starts_with' is for texts")]
    [InlineData("source.port == ssh", 16, "'ssh' is no number")]
    [InlineData("source.ip == nowhere", 14, "'nowhere' is no IP address")]
    [InlineData("event.outcome == failed", 18, "it is one of success, failure, unknown")]
    [InlineData("tags == same_attempt", 9, "write 'tags has same_attempt'")]
    [InlineData("tags has same", 10, "there is no flag 'same'")]
    [InlineData("user.name has root", 11, "'has' is for sets")]
    [InlineData("event.created == 5", 18, "cannot be compared")]
    [InlineData("user.name == root & 1", 19, "'&' has no meaning here")]
    public void Mistakes_are_told_with_their_column(string text, int column, string message)
    {
        Assert.False(PredicateParser.TryParse(text, out _, out var error));
        Assert.Equal(column, error.Column);
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_exhausts_the_stack()
    {
        Assert.False(PredicateParser.TryParse(new string('(', 100_000), out _, out var error));
        Assert.Equal(51, error.Column);
        var deep = new StringBuilder().Insert(0, "not ", 100_000).Append("exists user.name").ToString();
        Assert.False(PredicateParser.TryParse(deep, out _, out _));
    }

    [Fact]
    public void All_mistakes_of_all_rules_are_told_at_once()
    {
        var bad = TestBatches.Rule() with
        {
            Id = "A b",
            Title = "",
            Threshold = 0,
            WindowSeconds = 0,
            SuppressSeconds = -1,
            Key = ["nothing", "tags"],
            Where = "x",
        };
        Assert.False(RuleSet.TryCreate([TestBatches.Rule(), bad, TestBatches.Rule()], out _, out var errors));
        Assert.Equal(
            ["1 id", "1 title", "1 threshold", "1 window_seconds", "1 suppress_seconds", "1 key", "1 key", "1 where", "2 id"],
            errors.Select(error => $"{error.Rule} {error.Property}"));
    }
}
