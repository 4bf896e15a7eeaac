using System.Text.Json;
using Massif.Events;
using Massif.Get.Framing;
using Massif.Get.Recognition;

namespace Massif.Get.Tests;

/// <summary>Whatever arrives makes an event whose raw bytes are what arrived.</summary>
public sealed class HostileInputTests
{
    private static readonly byte[][] Seeds =
    [
        .. Lines("syslog-vectors.jsonl", "own-syslog-vectors.jsonl")
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("input_b64").GetBytesFromBase64()),
        .. Lines("payload-vectors.jsonl", "own-payload-vectors.jsonl")
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Select(row => System.Text.Encoding.UTF8.GetBytes(
                $"<38>Nov 20 12:00:01 h {row.GetProperty("app").GetString()}[1]: {row.GetProperty("message").GetString()}")),
    ];

    [Fact]
    public void Mutated_messages_never_throw_and_never_lose_a_byte()
    {
        var random = new Random(3164);
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        for (var round = 0; round < 100_000; round++) Check(Mutate(random, Seeds[random.Next(Seeds.Length)]), draft, builder);
    }

    [Fact]
    public void Every_truncation_of_every_vector_makes_an_event()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        foreach (var seed in Seeds)
        {
            for (var length = 0; length <= Math.Min(seed.Length, 400); length++) Check(seed.AsSpan(0, length), draft, builder);
        }
    }

    [Fact]
    public void Random_bytes_never_throw_and_never_lose_a_byte()
    {
        var random = new Random(5424);
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        for (var round = 0; round < 50_000; round++)
        {
            var bytes = new byte[random.Next(0, 120)];
            random.NextBytes(bytes);
            Check(bytes, draft, builder);
        }
    }

    [Fact]
    public void Mutated_streams_never_throw_on_their_way_through_framing_and_translator()
    {
        var random = new Random(6587);
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        for (var round = 0; round < 3_000; round++)
        {
            var framing = new SyslogFraming(random.Next(1, 500), random.Next(2) == 0);
            for (var i = 0; i < 10; i++)
            {
                framing.Push(Mutate(random, Seeds[random.Next(Seeds.Length)]));
                if (random.Next(3) == 0) framing.Push("\n"u8);
                if (random.Next(5) == 0) framing.Push("33 "u8);
                while (framing.TryRead(out var frame)) Check(frame.Bytes, draft, builder, frame.Flags);
            }

            framing.End();
            while (framing.TryRead(out var frame)) Check(frame.Bytes, draft, builder, frame.Flags);
            Assert.Equal(0, framing.BufferedBytes);
        }
    }

    [Fact]
    public void Thousands_of_structured_data_elements_cost_no_square_of_their_number()
    {
        // Compared pairwise this would be 200 million comparisons; only the first few ids are kept for it.
        var line = "<13>1 - h a - - " + string.Concat(Enumerable.Repeat("[a@1]", 20_000)) + " m";
        var translated = Translated.From(line);

        Assert.Equal("m", translated[EventField.Message]);
        Assert.Contains("sd_duplicate_id", translated.Flags);
    }

    [Fact]
    public void Translation_allocates_nothing()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        var framing = new SyslogFraming(8192, overTls: false);
        byte[] chunk = [.. Seeds.Where(seed => !seed.Contains((byte)'\n')).SelectMany(seed => seed.Append((byte)'\n'))];
        for (var i = 0; i < 50; i++) Run();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) Run();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Run()
        {
            framing.Push(chunk);
            while (framing.TryRead(out var frame))
            {
                EventTranslator.Translate(frame.Bytes, Translated.Context, draft, frame.Flags);
                if (!builder.TryAdd(draft)) builder.Reset();
            }
        }
    }

    private static IEnumerable<string> Lines(params string[] files) =>
        files.SelectMany(file => File.ReadLines(Path.Combine("Vectors", file)));

    private static void Check(ReadOnlySpan<byte> bytes, EventDraft draft, BatchBuilder builder, EventFlags flags = EventFlags.None)
    {
        EventTranslator.Translate(bytes, Translated.Context, draft, flags);
        builder.Reset();
        Assert.True(builder.TryAdd(draft));
        Assert.True(BatchReader.TryOpen(builder.Build(), out var batch, out var reason), reason);
        var view = batch[0];
        Assert.True(view.Raw.SequenceEqual(bytes));
        Assert.Equal(flags, view.Flags & flags);
        Assert.True(view.Has(EventField.Message));
        Assert.True(view.Raw.IndexOf(view.Text(EventField.Message)) >= 0);
    }

    private static byte[] Mutate(Random random, byte[] seed)
    {
        var bytes = seed.Take(600).ToList();
        for (var i = random.Next(1, 6); i > 0 && bytes.Count > 0; i--)
        {
            var at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.Insert(at, " :[]<>=\"\\%-0\n\0"u8[random.Next(14)]); break;
                case 3: bytes.RemoveRange(at, random.Next(bytes.Count - at)); break;
                default: bytes.InsertRange(at, bytes.Take(random.Next(20)).ToList()); break;
            }
        }

        return [.. bytes];
    }
}
