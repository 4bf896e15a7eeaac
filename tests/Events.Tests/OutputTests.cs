using System.Text;
using System.Text.Json;

namespace Massif.Events.Tests;

public sealed class OutputTests
{
    [Fact]
    public void Json_has_the_ECS_names()
    {
        using var document = Json(Samples.FillFull);
        var root = document.RootElement;

        Assert.Equal("edge/1/2/3", root.GetProperty("event.id").GetString());
        Assert.Equal("2026-11-20T12:00:01.123456789Z", root.GetProperty("@timestamp").GetString());
        Assert.Equal("2026-11-20T12:30:01.123456789Z", root.GetProperty("event.created").GetString());
        Assert.Equal("login", root.GetProperty("event.action").GetString());
        Assert.Equal("failure", root.GetProperty("event.outcome").GetString());
        Assert.Equal("203.0.113.7", root.GetProperty("source.ip").GetString());
        Assert.Equal(51022, root.GetProperty("source.port").GetInt32());
        Assert.Equal("root", root.GetProperty("user.name").GetString());
        Assert.Equal("informational", root.GetProperty("log.level").GetString());
        Assert.Equal(["year_assumed", "same_attempt"], root.GetProperty("tags").EnumerateArray().Select(tag => tag.GetString()!));
        Assert.Equal(-7, root.GetProperty("labels.number").GetInt32());
        Assert.Equal("holdover", root.GetProperty("massif.time.quality").GetString());
        Assert.Equal(
            """{"a@1":{"x":["1","q\u0022"]},"b@1":{}}""", root.GetProperty("log.syslog.structured_data").GetRawText());
    }

    [Fact]
    public void Without_a_claimed_time_the_trusted_one_is_the_timestamp()
    {
        using var document = Json(draft => Samples.FillPlain(draft, "x"));

        Assert.Equal("2026-11-20T12:30:01.123456789Z", document.RootElement.GetProperty("@timestamp").GetString());
    }

    [Fact]
    public void Bytes_that_are_no_text_become_replacement_characters()
    {
        using var document = Json(draft =>
        {
            draft.Reset([0xED, 0xA0, 0x80, (byte)'x', 0xFF]);
            draft.SetText(EventField.Message, draft.Raw);
        });

        Assert.Equal("\uFFFD\uFFFD\uFFFDx\uFFFD", document.RootElement.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("a\u001b[31mb", "a\\u001b[31mb")]
    [InlineData("a\nb\tc\0", "a\\u000ab\\u0009c\\u0000")]
    [InlineData("evil\u202Etxt", "evil\\u202etxt")]
    [InlineData("c1\u009B", "c1\\u009b")]
    [InlineData("caf\u00e9 \u2713", "caf\u00e9 \u2713")]
    [InlineData("tag \U000E0041\U000E0042", "tag \\udb40\\udc41\\udb40\\udc42")]
    [InlineData("smile \U0001F600", "smile \U0001F600")]
    public void Nothing_that_a_terminal_acts_on_is_printed(string text, string printed) =>
        Assert.Equal(printed, EventText.Printable(Encoding.UTF8.GetBytes(text)));

    [Fact]
    public void A_surrogate_alone_is_written_out() => Assert.Equal("a\\ud800b\\udc00", EventText.Printable("a\ud800b\udc00"));

    [Fact]
    public void What_is_written_out_inside_json_means_the_same()
    {
        using var document = Json(draft =>
        {
            Samples.FillPlain(draft, "x");
            draft.SetText(EventField.Message, Encoding.UTF8.GetBytes("\u202E\u2066a\u009b\"\\\U000E0041\u2028"));
        });
        var plain = JsonSerializer.Serialize(document.RootElement, Relaxed);
        Assert.Contains("\u202E", plain, StringComparison.Ordinal);
        var printed = EventText.Printable(plain);
        Assert.DoesNotContain(printed, c => char.IsControl(c) || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format);
        Assert.Equal(
            document.RootElement.GetProperty("message").GetString(),
            JsonDocument.Parse(printed).RootElement.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData(0, "1970-01-01T00:00:00.000000000Z")]
    [InlineData(-1, "1969-12-31T23:59:59.999999999Z")]
    [InlineData(1_795_177_801_000_000_003, "2026-11-20T12:30:01.000000003Z")]
    public void Times_survive_their_text(long nanoseconds, string text)
    {
        Assert.Equal(text, Rfc3339.ToString(nanoseconds));
        Assert.True(Rfc3339.TryParse(text, out var parsed));
        Assert.Equal(nanoseconds, parsed);
    }

    [Fact]
    public void The_claimed_time_is_event_time_only_in_a_replay()
    {
        Assert.Equal(Samples.Observed, EventTime(EventFlags.None, 5));
        Assert.Equal(5, EventTime(EventFlags.Replayed, 5));
        Assert.Equal(Samples.Observed, EventTime(EventFlags.Replayed, null));
    }

    private static readonly JsonSerializerOptions Relaxed =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static long EventTime(EventFlags flags, long? claimed)
    {
        var bytes = Build(draft =>
        {
            Samples.FillPlain(draft, "x");
            (draft.Flags, draft.Time) = (flags, claimed);
        });
        Assert.True(BatchReader.TryOpen(bytes, out var batch, out _));
        return batch[0].EventTime;
    }

    private static byte[] Build(Action<EventDraft> fill)
    {
        var draft = new EventDraft();
        fill(draft);
        var builder = new BatchBuilder();
        builder.TryAdd(draft);
        return builder.Build();
    }

    private static JsonDocument Json(Action<EventDraft> fill)
    {
        Assert.True(BatchReader.TryOpen(Build(fill), out var batch, out _));
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) EventJson.Write(writer, batch[0], new EventId("edge", 1, 2, 3));
        return JsonDocument.Parse(stream.ToArray());
    }
}
