using System.Buffers.Binary;
using System.Text.Json;

namespace Massif.Events.Tests;

/// <summary>A batch is a peer's claim: whatever the bytes, opening answers, and what was opened can be read.</summary>
public sealed class HostileBatchTests
{
    private const int Rounds = 60_000;

    [Fact]
    public void Mutated_batches_are_refused_or_read_without_fault()
    {
        var random = new Random(20261120);
        var original = SmallBatch();
        var opened = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = original.ToArray();
            for (var i = random.Next(1, 4); i > 0; i--) Mutate(random, bytes);
            if (ReadEverything(bytes)) opened++;
        }

        Assert.InRange(opened, Rounds / 100, Rounds - 1); // Both ways were taken.
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        var original = SmallBatch();
        for (var length = 0; length < original.Length; length++)
        {
            var bytes = original.AsSpan(0, length).ToArray();
            Assert.False(ReadEverything(bytes));

            // With the length in the head put right, the layers below must notice.
            if (length < 8) continue;
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), length);
            Assert.False(ReadEverything(bytes));
        }
    }

    [Fact]
    public void Random_bytes_are_refused()
    {
        var random = new Random(1);
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = new byte[random.Next(0, 300)];
            random.NextBytes(bytes);
            if (bytes.Length >= 8)
            {
                (bytes[0], bytes[1], bytes[3]) = (1, 0, 0);
                BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length);
            }

            ReadEverything(bytes);
        }
    }

    [Fact]
    public void Another_version_is_refused_by_name()
    {
        var bytes = SmallBatch();
        bytes[0] = 2;

        Assert.False(BatchReader.TryOpen(bytes, out _, out var reason));
        Assert.Equal("unknown format version", reason);
    }

    [Fact]
    public void Bytes_without_an_event_are_refused()
    {
        byte[] bytes = [.. new BatchBuilder().Build(), 0];
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), bytes.Length);

        Assert.False(BatchReader.TryOpen(bytes, out _, out var reason));
        Assert.Equal("bytes that belong to no event", reason);
    }

    [Fact]
    public void An_empty_batch_is_a_batch()
    {
        Assert.True(BatchReader.TryOpen(new BatchBuilder().Build(), out var batch, out _));
        Assert.Equal(0, batch.Count);
    }

    private static byte[] SmallBatch()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        Samples.FillFull(draft);
        builder.TryAdd(draft);
        Samples.FillPlain(draft, "plain");
        builder.TryAdd(draft);
        return builder.Build();
    }

    private static void Mutate(Random random, byte[] bytes)
    {
        var at = random.Next(bytes.Length);
        switch (random.Next(3))
        {
            case 0: bytes[at] = (byte)random.Next(256); break;
            case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            default: bytes[at] = byte.MaxValue; break;
        }
    }

    private static bool ReadEverything(byte[] bytes)
    {
        for (var i = 0; i < 3; i++) EventLookup.TryGet(bytes, i, out _);
        if (!BatchReader.TryOpen(bytes, out var batch, out var reason))
        {
            Assert.NotNull(reason);
            return false;
        }

        var buffer = new byte[4096];
        foreach (var view in batch)
        {
            foreach (var field in Enum.GetValues<EventField>())
            {
                view.Has(field);
                view.Text(field);
                view.TryGetNumber(field, out _);
                view.TryGetAddress(field, out _);
                view.TryFormat(field, buffer, out _);
            }

            using var stream = new MemoryStream();
            using (var json = new Utf8JsonWriter(stream)) EventJson.Write(json, view, new EventId("e", 1, 1, 0));
            using var document = JsonDocument.Parse(stream.ToArray());
            Assert.DoesNotContain(EventText.Line(view), char.IsControl);
        }

        return true;
    }
}
