using System.Net;
using System.Net.Sockets;

namespace Massif.Mis.Edge.Collectors;

/// <summary>The addresses from which a listener takes anything. An address proves nothing over UDP; it keeps out noise.</summary>
public sealed class AllowedSenders
{
    private readonly IPNetwork[] _networks;

    private AllowedSenders(IPNetwork[] networks) => _networks = networks;

    /// <summary>Gets the choice of no restriction.</summary>
    public static AllowedSenders Everyone { get; } = new([IPNetwork.Parse("0.0.0.0/0"), IPNetwork.Parse("::/0")]);

    /// <summary>Reads networks (10.1.0.0/16, 2001:db8::/32) and single addresses (192.0.2.7).</summary>
    /// <exception cref="FormatException">An entry is neither; the text says which one and why.</exception>
    public static AllowedSenders Parse(IEnumerable<string> networks)
    {
        ArgumentNullException.ThrowIfNull(networks);
        return new([.. networks.Select(ParseOne)]);
    }

    /// <summary>Returns whether an address is in one of the networks; an IPv6-mapped IPv4 address counts as IPv4.</summary>
    public bool Contains(IPAddress address)
    {
        address = Unmapped(address);
        foreach (var network in _networks)
        {
            if (network.Contains(address)) return true;
        }

        return false;
    }

    /// <summary>Returns the IPv4 address that an IPv6-mapped one stands for, and any other as it is.</summary>
    internal static IPAddress Unmapped(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPNetwork ParseOne(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(slash < 0 ? text : text[..slash], out var address))
            throw new FormatException($"'{text}' is neither an address nor a network such as 10.1.0.0/16.");
        var longest = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        var length = longest;
        if (slash >= 0 && (!int.TryParse(text.AsSpan(slash + 1), out length) || length < 0 || length > longest))
            throw new FormatException($"'{text}': the length of the prefix is a number from 0 to {longest}.");

        // 10.0.0.1/8 is more likely a slip than a wish for all of 10.0.0.0/8. Some versions of .NET refuse it, some mask it.
        if (IPNetwork.TryParse($"{address}/{length}", out var network) && network.BaseAddress.Equals(address)) return network;
        throw new FormatException($"'{text}': bits after the first {length} are not 0; is a longer prefix meant?");
    }
}
