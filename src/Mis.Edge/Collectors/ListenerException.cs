using System.Net;
using System.Net.Sockets;

namespace Massif.Mis.Edge.Collectors;

/// <summary>A listener cannot be opened; the text names protocol, address and port and says what to do.</summary>
public sealed class ListenerException : IOException
{
    /// <summary>Makes the exception without a text.</summary>
    public ListenerException()
    {
    }

    /// <summary>Makes the exception with a text.</summary>
    public ListenerException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with a text and a cause.</summary>
    public ListenerException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    internal static ListenerException Of(string protocol, IPEndPoint endPoint, SocketException cause)
    {
        var advice = cause.SocketErrorCode switch
        {
            SocketError.AddressAlreadyInUse =>
                "Another program listens there: stop it, or choose another port for this listener.",
            SocketError.AccessDenied when endPoint.Port is > 0 and < 1024 =>
                "Ports below 1024 need the capability CAP_NET_BIND_SERVICE; choose a higher port or give it to the service.",
            SocketError.AddressNotAvailable => "This machine does not have that address.",
            _ => "Check the listener's address and port.",
        };
        return new($"Cannot listen on {protocol} {endPoint}: {cause.Message}. {advice}", cause);
    }
}
