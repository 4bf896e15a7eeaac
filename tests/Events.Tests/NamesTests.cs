namespace Massif.Events.Tests;

public sealed class NamesTests
{
    [Fact]
    public void Every_flag_has_the_name_that_finds_it()
    {
        var flags = Enum.GetValues<EventFlags>().Where(flag => flag != EventFlags.None).ToList();

        Assert.All(flags, flag => Assert.True(FlagNames.TryParse(FlagNames.NameOf(flag), out var found) && found == flag));
        Assert.Equal(FlagNames.All, flags.Aggregate((all, flag) => all | flag));
        Assert.Equal(flags.Count, FlagNames.NamesOf(FlagNames.All).Distinct().Count());
    }

    [Theory]
    [InlineData(EventFlags.NoPri, "no_pri")]
    [InlineData(EventFlags.TimestampFractionOver6, "ts_frac_over_6")]
    [InlineData(EventFlags.AixForwarded, "aix_forwarded")]
    [InlineData(EventFlags.UnescapedBracket, "sd_unescaped_bracket")]
    [InlineData(EventFlags.Empty, "empty")]
    [InlineData(EventFlags.PossibleDuplicate, "possible_duplicate")]
    [InlineData(EventFlags.Repeat, "repeat")]
    [InlineData(EventFlags.SameAttempt, "same_attempt")]
    public void A_flag_has_the_name_of_the_schema(EventFlags flag, string name) => Assert.Equal(name, FlagNames.NameOf(flag));

    [Fact]
    public void Two_flags_have_no_one_name() =>
        Assert.Throws<ArgumentException>(() => FlagNames.NameOf(EventFlags.NoPri | EventFlags.BadPri));

    [Fact]
    public void Every_field_has_the_name_that_finds_it()
    {
        Assert.All(Enum.GetValues<EventField>(), field =>
        {
            Assert.True(FieldNames.TryParse(FieldNames.NameOf(field), out var found));
            Assert.Equal(field, found);
        });
        Assert.Equal(Enum.GetValues<EventField>().Length, FieldNames.All.Count);
    }

    [Theory]
    [InlineData("source.ip", EventField.SourceAddress)]
    [InlineData("user.name", EventField.UserName)]
    [InlineData("event.outcome", EventField.Outcome)]
    [InlineData("log.syslog.hostname", EventField.Host)]
    public void A_field_is_found_by_its_ECS_name(string name, EventField field)
    {
        Assert.True(FieldNames.TryParse(name, out var found));
        Assert.Equal(field, found);
    }

    [Theory]
    [InlineData("edge1/3/77/5")]
    [InlineData("e/0/18446744073709551615/1023")]
    public void An_id_survives_its_text(string text) => Assert.Equal(text, EventId.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("edge/1/2")]
    [InlineData("/1/2/3")]
    [InlineData("edge/01/2/3")]
    [InlineData("edge/1/-2/3")]
    [InlineData("edge/1/2/1024")]
    [InlineData("edge/1/2/3/4")]
    [InlineData("edge/1/2/ 3")]
    public void What_is_no_id_is_refused(string text)
    {
        Assert.False(EventId.TryParse(text, out _));
        Assert.Throws<FormatException>(() => EventId.Parse(text));
    }
}
