using System.Net;
using System.Text;

namespace Massif.Events.Tests;

public sealed class IpAddressTests
{
    [Theory]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("0.0.0.0", "0.0.0.0")]
    [InlineData("255.255.255.255", "255.255.255.255")]
    [InlineData("::ffff:203.0.113.7", "203.0.113.7")]
    [InlineData("::FFFF:CB00:7107", "203.0.113.7")]
    [InlineData("2001:DB8:0:0:0:0:0:1", "2001:db8::1")]
    [InlineData("::", "::")]
    [InlineData("::1", "::1")]
    [InlineData("1::", "1::")]
    [InlineData("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1")]
    [InlineData("2001:0:0:1:0:0:0:1", "2001:0:0:1::1")]
    [InlineData("fe80::1%eth0", "fe80::1")]
    [InlineData("64:ff9b::192.0.2.33", "64:ff9b::c000:221")]
    public void One_address_has_one_text(string text, string canonical) =>
        Assert.Equal(canonical, Samples.Address(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("1.2.3")]
    [InlineData("1.2.3.4.5")]
    [InlineData("1.2.3.256")]
    [InlineData("1.2.3.04")]
    [InlineData("1..2.3")]
    [InlineData("1.2.3.4 ")]
    [InlineData(":::")]
    [InlineData("1:2:3:4:5:6:7")]
    [InlineData("1:2:3:4:5:6:7:8:9")]
    [InlineData("1::2::3")]
    [InlineData("12345::")]
    [InlineData("1:2:3:4:5:6:7:1.2.3.4")]
    [InlineData("UNKNOWN")]
    [InlineData("g::1")]
    [InlineData("1:2:3:4:5:6:7::8")]
    public void What_is_no_address_is_refused(string text) => Assert.False(IpAddress.TryParse(text, out _));

    /// <summary>The base library is the judge for a hundred thousand random addresses with many zeros.</summary>
    [Fact]
    public void Text_agrees_with_the_base_library()
    {
        var random = new Random(7);
        var bytes = new byte[16];
        for (var i = 0; i < 100_000; i++)
        {
            for (var group = 0; group < 8; group++)
            {
                var value = random.Next(3) == 0 ? random.Next(65536) : random.Next(2);
                (bytes[2 * group], bytes[(2 * group) + 1]) = ((byte)(value >> 8), (byte)value);
            }

            Assert.True(IpAddress.TryRead(bytes, out var address));
            var judge = new IPAddress(bytes);
            var back = IPAddress.Parse(address.ToString());
            Assert.Equal(judge, address.IsIPv4 ? back.MapToIPv6() : back);
            Assert.True(IpAddress.TryParse(Encoding.ASCII.GetBytes(judge.ToString()), out var parsed));
            Assert.Equal(address, parsed);
        }
    }

    [Theory]
    [InlineData("203.0.113.7", 4)]
    [InlineData("2001:db8::1", 16)]
    public void Bytes_come_back(string text, int length)
    {
        Span<byte> bytes = stackalloc byte[16];
        Assert.Equal(length, Samples.Address(text).Write(bytes));
        Assert.True(IpAddress.TryRead(bytes[..length], out var address));
        Assert.Equal(text, address.ToString());
    }
}
