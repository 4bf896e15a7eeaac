namespace Massif.Reb.Protocol.Tests;

public sealed class QuorumsTests
{
    /// <summary>Exhaustive: there are few group sizes, so every n, f and k that fit is checked instead of a sample.</summary>
    [Fact]
    public void Thresholds_keep_their_promise_for_every_group_that_fits()
    {
        var groups = 0;
        for (var n = 4; n <= ReplicaSet.Capacity; n++)
        {
            for (var f = 1; f <= n; f++)
            {
                for (var k = 0; Quorums.Fit(n, f, k); k++, groups++)
                {
                    var q = Quorums.For(n, f, k);
                    Assert.True(q.OneCorrect > f, "One of them is correct.");
                    Assert.True((2 * q.Intersecting) - n > f, "Two of them share a correct replica.");
                    Assert.True(q.Intersecting <= q.Available, "Those that always answer can reach it.");
                    Assert.True(q.CorrectMajority - f - k >= q.OneCorrect, "It amplifies while k recover.");
                    Assert.True(q.CorrectMajority <= q.Available, "Those that always answer can reach it.");
                    Assert.True(q.AnchorVotes + q.Available > n, "Every report contains a vote.");
                    Assert.True((2 * q.Available) - n - f >= q.OneCorrect - f, "Two starts in a row are seen by one correct replica.");
                }
            }
        }

        Assert.Equal(7_106, groups);
    }

    [Theory]
    [InlineData(3, 1, 0)]
    [InlineData(65, 1, 0)]
    [InlineData(4, 0, 0)]
    [InlineData(4, 2, 0)]
    [InlineData(5, 1, 1)]
    public void A_group_that_cannot_keep_them_is_refused(int replicas, int faults, int recovering) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => Quorums.For(replicas, faults, recovering));

    [Fact]
    public void The_echo_quorum_of_the_MASSIF_text_is_one_short_whenever_n_plus_f_is_even()
    {
        Assert.Equal(4, Quorums.For(5, 1).Intersecting); // D5.1.1 section 5.4 prints 3.
        Assert.Equal(6, Quorums.For(8, 2).Intersecting); // D5.1.1 section 5.4 prints 5.
        Assert.Equal(3, Quorums.For(4, 1).Intersecting);
    }
}
