using System.Net;
using System.Net.Sockets;

namespace Massif.Reb.Telemetry;

/// <summary>Why a listener cannot be opened, in words for the operator.</summary>
public static class ListenFailure
{
    /// <summary>Returns whether a failed start of a web server is about its address.</summary>
    public static bool Is(Exception failure) => failure is IOException or SocketException;

    /// <summary>Returns the error that names the key in <c>node.yaml</c>, the address and the reason.</summary>
    /// <param name="key">The key whose value cannot be used, such as <c>http.listen</c>.</param>
    /// <param name="address">The address.</param>
    /// <param name="failure">What the attempt ended with.</param>
    public static IOException Of(string key, IPEndPoint address, Exception failure)
    {
        ArgumentNullException.ThrowIfNull(failure);
        var socket = failure as SocketException ?? failure.GetBaseException() as SocketException;
        var reason = socket?.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse => "address already in use by another program",
            SocketError.AddressNotAvailable => "the address is not one of this machine",
            SocketError.AccessDenied => "this user may not listen on the port",
            _ => failure.Message,
        };
        return new($"{key} {address}: {reason}", failure);
    }
}
