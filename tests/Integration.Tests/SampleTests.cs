using System.Globalization;
using System.Text;
using Massif.Cep;
using Massif.Cli.Demo;
using Massif.Events;
using Massif.Get.Recognition;
using Massif.Mis.Core.Rules;
using Massif.Reb.Configuration;

namespace Massif.Integration.Tests;

public sealed class SampleTests
{
    private static readonly SourceStream Stream = new("edge1", 0, 1);

    private static string Folder => Path.Combine(Checkout.Root, "samples");

    private static IReadOnlyList<string> Files => [.. Directory.GetFiles(Folder, "*.log").Order(StringComparer.Ordinal)];

    [Fact]
    public void There_are_enough_lines()
    {
        Assert.InRange(InputLines.Count(Files), 3_000, 10_000);
    }

    [ToolFact("awk")]
    public async Task The_expected_alarms_are_what_the_independent_reading_says()
    {
        var result = await Shell.RunAsync(Path.Combine(Folder, "expect.awk"), Files);
        Assert.Equal(File.ReadAllText(Path.Combine(Folder, "expected-alarms.tsv")), result.Output);
    }

    [Fact]
    public void Translation_and_correlation_raise_exactly_the_expected_alarms()
    {
        var errors = new ConfigErrors();
        var rules = RuleFile.Load(Path.Combine(Checkout.Root, "configs", "rules", "ssh-bruteforce.yaml"), errors);
        Assert.Empty(errors.Items);
        var output = new Alarms();
        var engine = new CorrelationEngine(rules!);
        var seq = 0UL;
        foreach (var batch in Batches(Files)) engine.OnBatch(Stream, ++seq, batch, output);

        var expected = File.ReadAllLines(Path.Combine(Folder, "expected-alarms.tsv")).Select(line => line.Split('\t')).ToList();
        Assert.Equal(
            expected.Select(alarm => $"{alarm[1]} {alarm[2]} {TimeOfDay(alarm[3])} {TimeOfDay(alarm[4])}"),
            output.Made.Select(alarm =>
                $"{Assert.Single(alarm.Key).Value} {alarm.Count} {TimeOfDay(alarm.First)} {TimeOfDay(alarm.Last)}"));
        Assert.All(output.Made, alarm => Assert.True(alarm.Replayed));
    }

    [Fact]
    public void Every_line_is_understood_as_some_form_of_syslog()
    {
        foreach (var batch in Batches(Files))
        {
            Assert.True(BatchReader.TryOpen(batch, out var reader, out _));
            foreach (var view in reader)
            {
                var raw = Encoding.UTF8.GetString(view.Raw);
                Assert.True(view.Parser is EventParser.Rfc3164 or EventParser.Rfc5424, raw);
                Assert.True(view.Time is not null, raw);
            }
        }
    }

    private static IEnumerable<byte[]> Batches(IReadOnlyList<string> files)
    {
        var (draft, builder) = (new EventDraft(), new BatchBuilder());
        // A year-less stamp gets the year that puts it nearest to the time of receipt; the day the samples were made will do.
        var received = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.Zero).ToUnixTimeMilliseconds() * 1_000_000;
        var context = new ReceiveContext
        {
            ReceivedWallNanoseconds = received,
            Trusted = new(received, null, TimeQuality.Unsync, false),
            Replay = true,
        };
        foreach (var line in InputLines.Read(files))
        {
            EventTranslator.Translate(line.Span, context, draft);
            if (builder.TryAdd(draft)) continue;
            yield return builder.Build();
            builder.Reset();
            Assert.True(builder.TryAdd(draft));
        }

        if (builder.Count > 0) yield return builder.Build();
    }

    /// <summary>RFC 3164 has whole seconds, RFC 5424 microseconds; the clock at the second is what both have.</summary>
    private static string TimeOfDay(string stamp) => stamp.Contains('T', StringComparison.Ordinal) ? stamp.Substring(11, 8) : stamp[^8..];

    private static string TimeOfDay(long nanoseconds) =>
        DateTimeOffset.FromUnixTimeMilliseconds(nanoseconds / 1_000_000).ToString("HH:mm:ss", CultureInfo.InvariantCulture);

    private sealed class Alarms : ICorrelationOutput
    {
        public List<Alarm> Made { get; } = [];

        public void OnAlarm(Alarm alarm) => Made.Add(alarm);
    }
}
