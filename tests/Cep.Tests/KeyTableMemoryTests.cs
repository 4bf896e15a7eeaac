using System.Text;
using Massif.Events;

namespace Massif.Cep.Tests;

/// <summary>Measures memory: nothing else may run meanwhile.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>The bound that a replica prints for its rules holds what a table really takes when an attacker chooses the events.</summary>
[Collection("alone")]
public sealed class KeyTableMemoryTests
{
    private static readonly CorrelationLimits Limits = new() { Keys = 20_000, Occurrences = 60_000 };

    [Theory]
    [InlineData(255, 1)] // As many long names as fit, and more.
    [InlineData(8, 3)] // As many keys and events.
    [InlineData(8, 40)] // Windows that grow and are cut.
    [InlineData(8, 9_000)]
    public void A_table_takes_no_more_than_its_bound_whatever_comes(int nameLength, int eventsPerKey)
    {
        var rule = RuleSet.Of(TestBatches.Rule(threshold: 5_000, window: 600_000) with { Key = ["user.name"] }).Rules[0];
        var bound = KeyTable.BytesMax(rule, Limits);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var table = new KeyTable(rule, Limits);
        var random = new Random(nameLength + eventsPerKey);
        var most = 0L;
        for (var i = 0; i < 400_000; i++)
        {
            var number = i / eventsPerKey * 7 % 50_000; // Comes back to keys that it knows.
            var name = Encoding.ASCII.GetBytes(number.ToString("D8", provider: null).PadRight(nameLength, 'x'));
            table.Add(name, new(i + random.Next(1_000), (ulong)i, 0, 1), out _, out _);
            if (i % 50_000 == 49_999) most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
            Assert.InRange(table.KeyCount, 0, Limits.Keys);
            Assert.InRange(table.OccurrenceCount, 0, Limits.Occurrences);
        }

        Assert.InRange(most, bound / 30, bound);
        GC.KeepAlive(table);
    }

    [Fact]
    public void The_longest_key_of_a_rule_follows_from_the_kinds_of_its_fields()
    {
        Assert.Equal(1 + 45, KeyReader.LongestOf([EventField.SourceAddress]));
        Assert.Equal(1 + 255 + 1 + 20, KeyReader.LongestOf([EventField.UserName, EventField.SourcePort]));
        var all = KeyReader.LongestOf([.. Enumerable.Repeat(EventField.UserName, RuleDefinition.KeyFieldsMax)]);
        Assert.Equal(KeyReader.BytesMax, all);
        var words = new[]
        {
            EventField.Category, EventField.Action, EventField.Outcome, EventField.SourceType, EventField.Parser, EventField.Level,
        };
        Assert.True(words.SelectMany(FieldTestsWords).All(word => word.Length <= 32));
    }

    private static IEnumerable<string> FieldTestsWords(EventField field) => field switch
    {
        EventField.Category => Enum.GetValues<EventCategory>().Select(value => Encoding.UTF8.GetString(EventWords.Of(value))),
        EventField.Action => Enum.GetValues<EventAction>().Select(value => Encoding.UTF8.GetString(EventWords.Of(value))),
        EventField.Outcome => Enum.GetValues<EventOutcome>().Select(value => Encoding.UTF8.GetString(EventWords.Of(value))),
        EventField.SourceType => Enum.GetValues<EventSourceType>().Select(value => Encoding.UTF8.GetString(EventWords.Of(value))),
        EventField.Parser => Enum.GetValues<EventParser>().Select(value => Encoding.UTF8.GetString(EventWords.Of(value))),
        _ => Enumerable.Range(0, 8).Select(i => Encoding.UTF8.GetString(EventWords.OfSeverity(i))),
    };
}
