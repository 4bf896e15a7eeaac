using System.Globalization;
using System.Net;

namespace Massif.Reb.Configuration;

/// <summary>An address as people write it: <c>10.0.0.1:7400</c>, <c>[::1]:7400</c> or <c>core1.example.org:7400</c>.</summary>
/// <param name="Host">IP address without brackets, or a host name.</param>
/// <param name="Port">TCP or UDP port, 1 to 65535.</param>
public readonly record struct HostPort(string Host, int Port)
{
    /// <summary>What an address must look like, for messages.</summary>
    public const string Form = "HOST:PORT, as in 127.0.0.1:7400 or [::1]:7400";

    /// <summary>Gets the IP address; null when <see cref="Host"/> is a name that must be looked up.</summary>
    public IPAddress? Address => IPAddress.TryParse(Host, out var address) ? address : null;

    /// <summary>Gets whether it stands for all addresses of a machine, so that nobody can dial it.</summary>
    public bool IsAny => Address is { } address && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any));

    /// <summary>Reads an address; false when it has another form.</summary>
    public static bool TryParse(string text, out HostPort value)
    {
        value = default;
        var colon = text.LastIndexOf(':');
        if (colon <= 0) return false;
        if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        if (port is < 1 or > 65535) return false;

        var host = text[..colon];
        var bracketed = host.StartsWith('[') && host.EndsWith(']');
        if (bracketed) host = host[1..^1];
        var isV6 = host.Contains(':', StringComparison.Ordinal);
        if (isV6 != bracketed) return false; // "::1:7400" could be read in two ways.
        if (isV6 ? !IPAddress.TryParse(host, out _) : Uri.CheckHostName(host) is not (UriHostNameType.IPv4 or UriHostNameType.Dns))
            return false;
        value = new(host, port);
        return true;
    }

    /// <summary>Returns the form that <see cref="TryParse"/> reads.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal)
        ? string.Create(CultureInfo.InvariantCulture, $"[{Host}]:{Port}")
        : string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");
}
