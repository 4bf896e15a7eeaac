namespace Massif.Reb.Protocol.Tests;

public sealed class PathSelectionTests
{
    private const ushort Edge = 0, Core = 9;

    [Fact]
    public void Direct_and_through_each_relay_are_three_disjoint_routes()
    {
        var routes = Choose(3, (0, 9, 5), (0, 1, 2), (1, 9, 2), (0, 2, 3), (2, 9, 3));
        Assert.Equal(["0-1-9 (4)", "0-9 (5)", "0-2-9 (6)"], Names(routes));
        Assert.Equal(3, routes.Disjoint);
    }

    /// <summary>The cheapest route of all, 0-1-2-9, stands in the way of two disjoint ones (Suurballe's example).</summary>
    [Fact]
    public void The_cheapest_route_is_given_up_when_that_makes_two_disjoint_ones()
    {
        var routes = Choose(2, (0, 1, 1), (1, 2, 1), (2, 9, 1), (0, 2, 5), (1, 9, 5));
        Assert.Equal(["0-1-9 (6)", "0-2-9 (6)"], Names(routes));
    }

    [Fact]
    public void A_shared_node_is_taken_only_when_nothing_else_is_left()
    {
        var routes = Choose(3, (0, 1, 1), (0, 2, 1), (1, 3, 1), (2, 3, 1), (3, 9, 1), (0, 4, 500), (4, 9, 500));
        Assert.Equal(["0-1-3-9 (3)", "0-2-3-9 (3)", "0-4-9 (1000)"], Names(routes));
        Assert.Equal(2, routes.Disjoint);
    }

    [Fact]
    public void Only_relays_forward_and_no_route_is_named_twice()
    {
        var links = new OverlayLink[] { new(0, 1, 1), new(1, 9, 1), new(0, 5, 1), new(5, 9, 1) };
        var routes = PathSelection.Choose(links, Edge, Core, 3, node => node == 1);
        Assert.Equal(["0-1-9 (2)"], Names(routes));
        Assert.Empty(PathSelection.Choose(links, Edge, 7, 3, _ => true).Routes);
    }

    [Fact]
    public void The_order_of_the_links_does_not_matter()
    {
        (int, int, int)[] links = [(0, 9, 2), (0, 1, 1), (1, 9, 1), (0, 2, 1), (2, 9, 1), (1, 2, 1), (0, 3, 1), (3, 9, 1)];
        var expected = Names(Choose(3, links));
        Array.Reverse(links);
        Assert.Equal(expected, Names(Choose(3, links)));
        Assert.Equal(["0-1-9 (2)", "0-2-9 (2)", "0-9 (2)"], expected);
    }

    private static RouteSet Choose(int count, params (int From, int To, int Cost)[] links) => PathSelection.Choose(
        [.. links.Select(link => new OverlayLink((ushort)link.From, (ushort)link.To, link.Cost))], Edge, Core, count, _ => true);

    private static string[] Names(RouteSet routes) =>
        [.. routes.Routes.Select(route => $"{string.Join('-', route.Nodes)} ({route.Cost})")];
}
