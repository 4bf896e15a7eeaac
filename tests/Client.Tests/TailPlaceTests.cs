namespace Massif.Client.Tests;

public sealed class TailPlaceTests
{
    private static readonly KeyValuePair<(string Edge, ulong Incarnation), ulong>[] Nothing = [];

    [Fact]
    public void A_batch_that_was_cut_in_the_middle_is_asked_for_again()
    {
        var place = new TailPlace(TailKind.Events);
        Assert.Equal("/v1/stream/events", place.PathFrom(Nothing));
        Assert.Equal("edge1/7/5/3", place.Advance(new("edge1/7/5/3", "event", "{}")));
        Assert.Equal("/v1/stream/events?after=edge1/7/4", place.PathFrom(Nothing));
    }

    [Fact]
    public void In_a_stream_that_a_replica_never_told_of_it_begins_where_the_vote_is()
    {
        var place = new TailPlace(TailKind.Events);
        place.Advance(new("edge1/7/5/3", "event", "{}"));
        Assert.Equal(
            "/v1/stream/events?after=edge1/7/4&after=edge2/1/8",
            place.PathFrom([KeyValuePair.Create(("edge1", 7UL), 99UL), KeyValuePair.Create(("edge2", 1UL), 9UL)]));
    }

    [Fact]
    public void Alarms_go_on_behind_the_last_ordinal_and_are_voted_on_by_their_own_id()
    {
        var place = new TailPlace(TailKind.Alarms);
        Assert.Equal("/v1/stream/alarms", place.PathFrom(Nothing));
        Assert.Equal("ab", place.Advance(new("12", "alarm", """{"id":"ab"}""")));
        Assert.Equal("/v1/stream/alarms?after=12", place.PathFrom(Nothing));
        Assert.Null(place.Advance(new("13", "alarm", """{"id":5}""")));
        Assert.Null(place.Advance(new("x", "alarm", """{"id":"ab"}""")));
    }
}
