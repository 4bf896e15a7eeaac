using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Massif.Cep.Tests;

public sealed class AlarmTests
{
    private static Alarm Example() =>
        new TestEngine(TestBatches.Rule(threshold: 2)).Take(new TestEvent(1), new TestEvent(2, Count: 3)).Alarms[0];

    [Fact]
    public void The_binary_form_comes_back_and_every_cut_of_it_is_refused()
    {
        var alarm = Example();
        var bytes = alarm.ToBytes();
        Assert.Equal(bytes, Alarm.Read(bytes).ToBytes());
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => Alarm.Read(bytes.AsSpan(0, length)));
    }

    /// <summary>Golden: a change of these values is a change of every alarm's identity, and needs a new version.</summary>
    [Fact]
    public void The_json_and_the_id_stay_as_they_are()
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text)) AlarmJson.Write(json, Example());
        Assert.Equal(
            """
            {"id":"c04efb0fecf637be8e457be278c592fd","rule":"ssh-bruteforce","version":1,"title":"Failed logins",
            "severity":"medium","edge":"edge-1","class":"bulk","replayed":false,"key":{"source.ip":"192.0.2.1"},
            "first":"1970-01-01T00:00:01.000000000Z","last":"1970-01-01T00:00:02.000000000Z","count":4,
            "events":["edge-1/7/1/0","edge-1/7/2/0"],"events_omitted":0}
            """.ReplaceLineEndings(""),
            Encoding.UTF8.GetString(text.WrittenSpan));
    }

    [Fact]
    public void Keys_of_several_fields_do_not_run_into_each_other()
    {
        var rule = TestBatches.Rule(threshold: 2) with { Key = ["user.name", "source.ip"] };
        var engine = new TestEngine(rule).Take(
            new TestEvent(1, "192.0.2.1") { User = "a" },
            new TestEvent(1, "192.0.2.1") { User = "a1" },
            new TestEvent(1, "192.0.2.1") { User = new string('x', 300) },
            new TestEvent(1, "192.0.2.1") { User = new string('x', 301) });

        // Only the two names that are equal in their first 255 bytes share a key.
        Assert.Equal(
            [new("user.name", new string('x', 255)), new("source.ip", "192.0.2.1")],
            Assert.Single(engine.Alarms).Key.AsEnumerable());
    }

    [Fact]
    public void An_alarm_id_is_read_as_it_is_written()
    {
        var id = Example().Id;
        Assert.True(AlarmId.TryParse(id.ToString(), out var read));
        Assert.Equal(id, read);
        Assert.False(AlarmId.TryParse(id.ToString()[1..], out _));
        Assert.False(AlarmId.TryParse(new string('A', 32), out _)); // One identity has one text.
    }
}
