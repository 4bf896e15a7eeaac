namespace Massif.Reb.Protocol.Tests;

public sealed class CheckpointLadderTests
{
    private const int Interval = 256;

    [Fact]
    public void What_is_kept_is_what_was_kept_before_without_what_is_let_go_now()
    {
        var kept = new List<ulong>();
        for (ulong newest = Interval; newest < Interval * 5_000UL; newest += Interval)
        {
            kept.Add(newest);
            kept.RemoveAll(seq => !CheckpointLadder.IsKept(seq, newest, Interval));
            for (ulong seq = Interval; seq <= newest && newest < Interval * 200UL; seq += Interval)
                Assert.Equal(kept.Contains(seq), CheckpointLadder.IsKept(seq, newest, Interval));
            Assert.InRange(kept.Count, 1, CheckpointLadder.Most - 1);
            Assert.Contains(newest, kept);
        }
    }

    [Fact]
    public void From_any_seq_on_there_is_one_not_more_than_a_quarter_of_the_way_to_the_newest()
    {
        for (ulong newest = Interval * 16; newest < Interval * 3_000UL; newest += 7 * Interval)
        {
            for (ulong wanted = 1; wanted <= newest; wanted += 777)
            {
                var found = wanted + Interval - 1 - ((wanted - 1) % Interval);
                while (!CheckpointLadder.IsKept(found, newest, Interval)) found += Interval;
                Assert.True(found - wanted <= Math.Max(Interval, (newest - wanted) / 4), $"{wanted} to {newest}: {found}");
            }
        }
    }
}
