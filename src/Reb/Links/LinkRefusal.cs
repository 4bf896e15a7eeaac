namespace Massif.Reb.Links;

/// <summary>Why a connection did not become a link, or stopped being one. Each has a counter of its own.</summary>
public enum LinkRefusal : byte
{
    /// <summary>The peer showed no certificate.</summary>
    NoCertificate,

    /// <summary>The certificate does not come from this domain's CA.</summary>
    AnotherDomain,

    /// <summary>The certificate is expired or not yet valid.</summary>
    Expired,

    /// <summary>The certificate does not name exactly one identity, <c>spiffe://domain/role/id</c>.</summary>
    BadIdentity,

    /// <summary>The role in the certificate is not the one in the descriptor, or one that has no links.</summary>
    WrongRole,

    /// <summary>The descriptor has no such node.</summary>
    UnknownNode,

    /// <summary>The key is not the one in the descriptor.</summary>
    WrongKey,

    /// <summary>A genuine node, but not the one dialled, or one that does not dial here.</summary>
    UnexpectedPeer,

    /// <summary>The peer speaks another protocol version.</summary>
    ProtocolVersion,

    /// <summary>The peer has another domain description.</summary>
    DomainHash,

    /// <summary>The peer is in another epoch.</summary>
    Epoch,

    /// <summary>The handshake took too long: the peer is silent, or stopped halfway.</summary>
    HandshakeTimeout,

    /// <summary>The bytes are no TLS or Hello, or the connection ended in the handshake.</summary>
    HandshakeFailed,

    /// <summary>Too many connections were unauthenticated, and this was the oldest.</summary>
    Evicted,

    /// <summary>A frame had an impossible length.</summary>
    FrameLength,

    /// <summary>A frame had an unknown version.</summary>
    FrameVersion,

    /// <summary>A frame of the handshake came after it.</summary>
    FrameType,

    /// <summary>Nobody answers at the peer's addresses.</summary>
    Unreachable,
}

/// <summary>Texts of the reasons, as log lines and the other node's operator see them.</summary>
public static class LinkRefusals
{
    /// <summary>Gets the number of reasons.</summary>
    public static int Count { get; } = Enum.GetValues<LinkRefusal>().Length;

    /// <summary>Returns the reason in words.</summary>
    public static string Text(this LinkRefusal reason) => reason switch
    {
        LinkRefusal.NoCertificate => "no certificate",
        LinkRefusal.AnotherDomain => "certificate of another domain",
        LinkRefusal.Expired => "certificate expired or not yet valid",
        LinkRefusal.BadIdentity => "certificate without exactly one identity",
        LinkRefusal.WrongRole => "wrong role",
        LinkRefusal.UnknownNode => "unknown node",
        LinkRefusal.WrongKey => "key not the descriptor's",
        LinkRefusal.UnexpectedPeer => "not the node expected here",
        LinkRefusal.ProtocolVersion => "protocol version differs",
        LinkRefusal.DomainHash => "domain hash differs",
        LinkRefusal.Epoch => "epoch differs",
        LinkRefusal.HandshakeTimeout => "handshake timed out",
        LinkRefusal.HandshakeFailed => "handshake failed",
        LinkRefusal.Evicted => "too many unauthenticated connections",
        LinkRefusal.FrameLength => "impossible frame length",
        LinkRefusal.FrameVersion => "unknown frame version",
        LinkRefusal.FrameType => "handshake frame after the handshake",
        LinkRefusal.Unreachable => "unreachable",
        _ => "unknown reason",
    };
}
