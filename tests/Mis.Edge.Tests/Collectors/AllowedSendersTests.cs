using System.Net;
using Massif.Mis.Edge.Collectors;

namespace Massif.Mis.Edge.Tests.Collectors;

public sealed class AllowedSendersTests
{
    [Theory]
    [InlineData("10.1.0.0/16", "10.1.255.1", true)]
    [InlineData("10.1.0.0/16", "10.2.0.1", false)]
    [InlineData("10.1.0.0/16", "::ffff:10.1.0.1", true)]
    [InlineData("192.0.2.7", "192.0.2.7", true)]
    [InlineData("192.0.2.7", "192.0.2.8", false)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("2001:db8::/32", "2001:db8:1::1", true)]
    [InlineData("2001:db8::/32", "2001:db9::1", false)]
    public void An_address_is_in_a_network_or_not(string network, string address, bool expected) =>
        Assert.Equal(expected, AllowedSenders.Parse([network]).Contains(IPAddress.Parse(address)));

    [Fact]
    public void Everyone_is_everyone_and_an_empty_list_is_nobody()
    {
        foreach (var address in new[] { IPAddress.Loopback, IPAddress.IPv6Loopback, IPAddress.Parse("::ffff:1.2.3.4") })
        {
            Assert.True(AllowedSenders.Everyone.Contains(address));
            Assert.False(AllowedSenders.Parse([]).Contains(address));
        }
    }

    [Theory]
    [InlineData("ten", "'ten' is neither an address nor a network such as 10.1.0.0/16.")]
    [InlineData("10.0.0.0/33", "'10.0.0.0/33': the length of the prefix is a number from 0 to 32.")]
    [InlineData("10.0.0.0/-1", "'10.0.0.0/-1': the length of the prefix is a number from 0 to 32.")]
    [InlineData("::/x", "'::/x': the length of the prefix is a number from 0 to 128.")]
    [InlineData("10.0.0.1/8", "'10.0.0.1/8': bits after the first 8 are not 0; is a longer prefix meant?")]
    public void A_mistake_is_named(string text, string message) =>
        Assert.Equal(message, Assert.Throws<FormatException>(() => AllowedSenders.Parse(["10.0.0.0/8", text])).Message);
}
