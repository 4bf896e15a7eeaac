using Massif.Events;

namespace Massif.Get.Tests;

/// <summary>Headers beyond the conformance vectors: the rules, where the vectors have only some of their cases.</summary>
public sealed class HeaderTests
{
    [Theory]
    [InlineData(
        "<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: %% It's time",
        "1987-08-24T11:34:00.000000000Z", "mymachine", "myproc", "tz_name year_in_timestamp")]
    [InlineData(
        "<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org sched[0]: That's All Folks!",
        "1990-10-22T10:52:01.000000000Z", "scapegoat.dmz.example.org", "sched", "tz_assumed year_in_timestamp")]
    [InlineData("<38>Fri Nov 20 13:00:01 CET 2026 h app: x", "2026-11-20T12:00:01.000000000Z", "h", "app", "tz_name year_in_timestamp")]
    [InlineData("<38>Nov 20 13:00:01.5 +0100 h app: x", "2026-11-20T12:00:01.500000000Z", "h", "app", "year_assumed")]
    [InlineData("<38>nov 20 12:00:01 h app: x", "2026-11-20T12:00:01.000000000Z", "h", "app", "ts_case tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01.1234567 h app: x",
        "2026-11-20T12:00:01.123456700Z", "h", "app", "ts_frac_over_6 tz_assumed year_assumed")]
    [InlineData("<38>2026-11-20t12:00:01z h app: x", "2026-11-20T12:00:01.000000000Z", "h", "app", "iso_timestamp ts_lowercase")]
    [InlineData("<38>2026-11-20 12:00:01,250 h app: x", "2026-11-20T12:00:01.250000000Z", "h", "app", "iso_timestamp tz_assumed")]
    [InlineData("<38>1795176001.25 h app: x", "2026-11-20T12:00:01.250000000Z", "h", "app", "epoch_timestamp")]
    [InlineData("<38>2026-02-30T12:00:01Z h app: x", null, "h", "app", "bad_timestamp")]
    [InlineData("<38>Nov 31 12:00:01 h app: x", null, "h", "app", "bad_timestamp")]
    [InlineData("<38>Nov 20 25:00:01 h app: x", null, "h", "app", "bad_timestamp")]
    [InlineData("<38>Nov 20 12:00:01 sshd[42]: x", "2026-11-20T12:00:01.000000000Z", null, "sshd", "no_host tz_assumed year_assumed")]
    [InlineData("<38>Nov 20 12:00:01 kernel: usb: x", "2026-11-20T12:00:01.000000000Z", null, "kernel", "no_host tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01 192.0.2.1: sshd[42]: x",
        "2026-11-20T12:00:01.000000000Z", "192.0.2.1", "sshd", "host_colon tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01 Message forwarded from aix1: app[77]: x",
        "2026-11-20T12:00:01.000000000Z", "aix1", "app", "aix_forwarded tz_assumed year_assumed")]
    [InlineData("<38>Nov 20 12:00:01 h app[77] x", "2026-11-20T12:00:01.000000000Z", "h", "app", "tag_no_colon tz_assumed year_assumed")]
    [InlineData("<38>Nov 20 12:00:01 h  app: x", "2026-11-20T12:00:01.000000000Z", "h", "app", "extra_space tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01 h CEF:0|a|b|c|d|e|5|",
        "2026-11-20T12:00:01.000000000Z", "h", null, "cef no_tag tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01 h LEEF:1.0|a|b|c|d|",
        "2026-11-20T12:00:01.000000000Z", "h", null, "leef no_tag tz_assumed year_assumed")]
    [InlineData(
        "<38>Nov 20 12:00:01 last message repeated 2 times",
        "2026-11-20T12:00:01.000000000Z", null, null, "no_host no_tag repeat tz_assumed year_assumed")]
    [InlineData("<30>dnsmasq[7]: query", null, null, "dnsmasq", "no_host no_timestamp")]
    public void Rfc3164(string line, string? time, string? host, string? app, string flags)
    {
        var translated = Translated.From(line);

        Assert.Equal("rfc3164", translated.HeaderFormat);
        Assert.Equal((time, host, app), (translated.Time, translated[EventField.Host], translated[EventField.App]));
        Assert.Equal(flags.Split(' '), translated.Flags.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("<13>1", null, "", "truncated_header")]
    [InlineData("<13>1 2026-11-20T12:00:01Z", null, "", "truncated_header")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a", "a", "", "truncated_header")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a 1 ID", "a", "", "truncated_header")]
    [InlineData("<13>2 2026-11-20T12:00:01Z h a - - - x", "a", "x", "unknown_version")]
    [InlineData("<13>1 yesterday h a - - - x", "a", "x", "bad_timestamp")]
    [InlineData("<13>1 2026-11-20t12:00:01z h a - - - x", "a", "x", "ts_lowercase")]
    [InlineData("<13>1 2026-11-20T24:00:00Z h a - - - x", "a", "x", "bad_timestamp")]
    [InlineData("<13>1 2026-11-20T12:00:01+24:00 h a - - - x", "a", "x", "bad_timestamp")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - - x\ny", "a", "x\ny", "multiline")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - - x\ty", "a", "x\ty", "control_chars")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - - {\"a\":1}", "a", "{\"a\":1}", "json")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - [a x=1] m", "a", "[a x=1] m", "bad_sd")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - [] m", "a", "[] m", "bad_sd")]
    [InlineData("\u00ef\u00bb\u00bf<13>1 2026-11-20T12:00:01Z h a - - - x", "a", "x", "leading_bom")]
    [InlineData("<13>1 2026-11-20T12:00:01Z h a - - - x\0", "a", "x", "trailer_stripped")]
    public void Rfc5424(string line, string? app, string message, string flags)
    {
        var translated = Translated.From(line);

        Assert.Equal("rfc5424", translated.HeaderFormat);
        Assert.Equal((app, message), (translated[EventField.App], translated[EventField.Message]));
        Assert.Equal(flags.Split(' '), translated.Flags.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(48, "")]
    [InlineData(49, "field_over_limit")]
    public void A_field_above_its_limit_is_kept_and_flagged(int length, string flags)
    {
        var translated = Translated.From($"<13>1 2026-11-20T12:00:01Z h {new string('a', length)} - - - x");

        Assert.Equal(length, translated[EventField.App]!.Length);
        Assert.Equal(flags, string.Join(' ', translated.Flags));
    }

    [Theory]
    [InlineData("free text", "no_host no_pri no_timestamp")]
    [InlineData("{\"a\": 1}", "json no_host no_pri no_timestamp")]
    [InlineData("<999>x", "bad_pri no_host no_timestamp")]
    [InlineData("<13", "bad_pri no_host no_timestamp")]
    [InlineData("error while reading: nothing", "no_host no_pri no_timestamp")]
    [InlineData("<13>a=1 b=2", "kv no_host no_timestamp")]
    public void Raw(string line, string flags)
    {
        var translated = Translated.From(line);

        Assert.Equal("raw", translated.HeaderFormat);
        Assert.Equal(flags.Split(' '), translated.Flags.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("Jul  1 00:00:00", "2026-07-01T00:00:00.000000000Z")]
    [InlineData("May 23 00:00:00", "2026-05-23T00:00:00.000000000Z")] // 181.5 days back, 183.5 ahead.
    [InlineData("May 21 00:00:00", "2027-05-21T00:00:00.000000000Z")] // 181.5 days ahead, 183.5 back.
    [InlineData("Jan  1 00:00:00", "2027-01-01T00:00:00.000000000Z")]
    public void A_year_is_the_one_nearest_to_receipt(string stamp, string expected) =>
        Assert.Equal(expected, Translated.From($"<38>{stamp} h app: x").Time);

    [Fact]
    public void What_was_seen_and_what_was_claimed_stand_side_by_side()
    {
        var translated = Translated.From("<38>Nov 20 12:00:01 host1 app: x");

        Assert.Equal(("host1", "127.0.0.1"), (translated[EventField.Host], translated[EventField.PeerAddress]));
        Assert.Equal("4711", translated[EventField.PeerPort]);
        Assert.Equal(Translated.Received, translated.View.TimeObserved);
        Assert.Equal("2026-11-20T12:00:01.000000000Z", translated.Time);
        Assert.Equal(translated.View.TimeObserved, translated.View.EventTime);
        Assert.Equal(
            (TimeQuality.Sync, 100u, EventTransport.Tcp),
            (translated.View.Quality, translated.View.ErrorMicros!.Value, translated.View.Transport));
    }

    [Fact]
    public void Only_a_replay_makes_the_claimed_time_the_event_time()
    {
        var context = Translated.Context with { Replay = true };
        var translated = Translated.From("<38>Nov 20 12:00:01 host1 app: x"u8, context);

        Assert.Contains("replayed", translated.Flags);
        Assert.Equal(translated.View.Time, translated.View.EventTime);
    }

    [Fact]
    public void A_clock_step_of_the_edge_is_on_the_event()
    {
        var context = Translated.Context with { Trusted = new(5, null, TimeQuality.Unsync, ClockStep: true) };

        Assert.Contains("clock_step", Translated.From("x"u8, context).Flags);
    }
}
