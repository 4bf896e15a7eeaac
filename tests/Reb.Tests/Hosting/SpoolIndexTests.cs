using Massif.Reb.Hosting;
using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Hosting;

public sealed class SpoolIndexTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void It_says_what_a_dictionary_would_say(int seed)
    {
        var random = new Random(seed);
        var index = new SpoolIndex();
        var expected = new Dictionary<ulong, (RecordAddress Address, int Bytes)>();
        var (oldest, next, file, offset) = (1UL, 1UL, 1L, 0);
        for (var step = 0; step < 60_000; step++)
        {
            if (random.Next(1000) == 0)
            {
                next += oldest == next ? (ulong)random.Next(10_000) : 0; // Only an empty one begins anywhere.
                (oldest, file, offset) = (oldest == next ? next : oldest, file + random.Next(1, 3), 0);
                if (expected.Count == 0) oldest = next;
            }

            if (random.Next(3) > 0)
            {
                index.Add(next, new(file, offset), step);
                expected.Add(next++, (new(file, offset), step));
                offset += random.Next(1, 100);
            }
            else if (random.Next(50) == 0)
            {
                var upTo = oldest + (ulong)random.Next((int)(next - oldest) + 1) - 1;
                index.Release(upTo);
                for (; oldest <= upTo; oldest++) expected.Remove(oldest);
            }

            Assert.Equal(expected.Count == 0, index.IsEmpty);
            if (expected.Count == 0) continue;
            Assert.Equal((oldest, next), (index.Oldest, index.Next));
            Assert.Equal(expected[oldest].Address.FileIndex, index.OldestFile);
            var any = oldest + (ulong)random.Next((int)(next - oldest));
            Assert.Equal(expected[any], index[any]);
        }
    }

    [Fact]
    public void A_batch_takes_eight_bytes_and_gives_them_back()
    {
        var index = new SpoolIndex();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (ulong seq = 1; seq <= 1_000_000; seq++) index.Add(seq, new(1 + (long)(seq / 100_000), (int)(seq % 100_000) * 300), 300);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, 1_020_000L * SpoolIndex.BytesPerBatch);
        index.Release(1_000_000);
        Assert.True(index.IsEmpty);
    }
}
