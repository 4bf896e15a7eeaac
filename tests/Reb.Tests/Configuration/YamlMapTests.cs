using Massif.Reb.Configuration;

namespace Massif.Reb.Tests.Configuration;

public sealed class YamlMapTests
{
    private enum Colour
    {
        Red,
        DarkBlue,
    }

    [Fact]
    public void Five_mistakes_are_five_errors_with_their_lines()
    {
        var (map, errors) = Parse("""
            number: 99
            colour: green
            when: 3 weeks
            flag: yes
            nmae: typo
            """);
        map!.Integer("number", 1, 64);
        map.Enum<Colour>("colour");
        map.Duration("when", TimeSpan.FromSeconds(1), TimeSpan.FromDays(2));
        map.Flag("flag");
        map.Text("name", "x");
        map.End();
        Assert.Equal(
            [
                "f.yaml:1: number: is 99 (allowed: 1 to 64)",
                "f.yaml:2: colour: is \"green\" (allowed: red, dark_blue)",
                "f.yaml:3: when: is \"3 weeks\", not a duration such as 250ms, 5s or 10m (allowed: 1s to 2d)",
                "f.yaml:4: flag: is \"yes\" (allowed: true, false)",
                "f.yaml:5: nmae: unknown key (allowed: colour, flag, name, number, when)",
            ],
            errors.Items.Select(error => error.ToString()));
    }

    [Fact]
    public void Right_values_are_read()
    {
        var (map, errors) = Parse("""
            number: 65_536
            colour: dark_blue
            when: 250ms
            flag: true
            name: "12"
            list: [a, b]
            inner:
              deep: 1
            """);
        Assert.Equal(65_536, map!.Integer("number", 1, 100_000));
        Assert.Equal(Colour.DarkBlue, map.Enum<Colour>("colour"));
        Assert.Equal(TimeSpan.FromMilliseconds(250), map.Duration("when", TimeSpan.Zero, TimeSpan.FromDays(1)));
        Assert.True(map.Flag("flag"));
        Assert.Equal("12", map.Text("name"));
        Assert.Equal(["a", "b"], map.List("list", 1, 3).Cast<YamlScalar>().Select(item => item.Text));
        var inner = map.Map("inner")!;
        Assert.Equal(1, inner.Integer("deep", 0, 1));
        inner.End();
        map.End();
        Assert.True(errors.None);
    }

    [Fact]
    public void What_is_missing_is_an_error_unless_there_is_a_fallback()
    {
        var (map, errors) = Parse("a: 1\nempty:\n");
        Assert.Equal(7, map!.Integer("gone", 1, 9, 7));
        map.Integer("empty", 1, 9);
        map.Map("section");
        Assert.Equal(["f.yaml:1: section: is missing", "f.yaml:2: empty: is missing"], errors.Items.Select(error => error.ToString()));
    }

    [Theory]
    [InlineData("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: stands here a second time, first in line 1")]
    [InlineData("a: &x 1\nb: *x\n", "f.yaml:1: a: has an anchor or a tag (allowed: values written out)")]
    [InlineData("a: !!int 1\n", "f.yaml:1: a: has an anchor or a tag (allowed: values written out)")]
    [InlineData("- 1\n", "f.yaml:1: is a list (allowed: a map of keys and values)")]
    [InlineData("", "f.yaml: is empty")]
    [InlineData("a: 1\n---\nb: 2\n", "f.yaml:2: has a second document (allowed: one document)")]
    public void What_configuration_does_not_need_is_refused(string text, string error) =>
        Assert.Equal(error, Parse(text).Errors.Items[0].ToString());

    [Theory]
    [InlineData("a: 1\nb: 2\n\tc: 3\nd: 4\n", 3)]
    [InlineData("a: 1\nb:2\nc: 3\n", 2)]
    [InlineData("a: 1\nb: \"never closed\nc: 3\n", 2)]
    public void Bad_syntax_is_told_in_its_own_line(string text, int line) =>
        Assert.Equal(line, Assert.Single(Parse(text).Errors.Items).Line);

    [Theory]
    [InlineData("a: [1, 2\nb: 3\n")]
    [InlineData("a: 'open\n")]
    [InlineData("a: 1\n\tb: 2\n")]
    [InlineData("{")]
    [InlineData("a: b: c\n")]
    public void Bad_syntax_is_one_error_with_a_line(string text)
    {
        var (map, errors) = Parse(text);
        Assert.Null(map);
        var error = Assert.Single(errors.Items);
        Assert.InRange(error.Line, 1, 4);
        Assert.StartsWith("is not valid YAML: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Deep_nesting_is_an_error_and_not_the_end_of_the_stack()
    {
        var (map, errors) = Parse(new string('[', 100_000));
        Assert.Null(map);
        Assert.Single(errors.Items);
    }

    [Fact]
    public void A_missing_file_and_a_directory_are_said_plainly()
    {
        var errors = new ConfigErrors();
        Assert.Null(YamlDocument.Load("/nowhere/at.all", errors));
        Assert.Null(YamlDocument.Load(Path.GetTempPath(), errors));
        Assert.Equal(
            ["/nowhere/at.all: does not exist", $"{Path.GetTempPath()}: is a directory, not a file"],
            errors.Items.Select(e => e.ToString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("127.0.0.1:7400", true)]
    [InlineData("[::1]:7400", true)]
    [InlineData("core1.example.org:65535", true)]
    [InlineData("::1:7400", false)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.0.0.1:0", false)]
    [InlineData("127.0.0.1:65536", false)]
    [InlineData("127.0.0.1:+80", false)]
    [InlineData("a b:80", false)]
    [InlineData(":80", false)]
    [InlineData("[127.0.0.1]:80", false)]
    public void An_address_has_one_form(string text, bool right)
    {
        Assert.Equal(right, HostPort.TryParse(text, out var address));
        if (right) Assert.Equal(text, address.ToString());
    }

    private static (YamlMap? Map, ConfigErrors Errors) Parse(string text)
    {
        var errors = new ConfigErrors();
        return (YamlDocument.Parse("f.yaml", text, errors), errors);
    }
}
