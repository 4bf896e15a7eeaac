using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;

namespace Massif.Reb.Links;

/// <summary>Who a certificate of the domain speaks for.</summary>
/// <param name="Role">The word in the certificate: <c>edge</c>, <c>relay</c>, <c>core</c> or <c>operator</c>.</param>
/// <param name="Id">The id in the certificate.</param>
/// <param name="Node">The node of the descriptor; null for an operator.</param>
public sealed record PeerIdentity(string Role, string Id, DomainNode? Node);

/// <summary>
/// Decides whom a certificate speaks for: chain to the domain's own CA and to no other, dates, exactly one name
/// <c>spiffe://domain/role/id</c>, role and id as in the descriptor, and the descriptor's key.
/// </summary>
/// <remarks>
/// Revocation lists are not consulted: the descriptor lists every key that counts, so removing a node there is what
/// revokes it, and no network access is needed to answer. Safe for several threads.
/// </remarks>
public sealed class DomainTrust(Domain domain, X509Certificate2 authority)
{
    /// <summary>The role in the certificates of people.</summary>
    public const string OperatorRole = "operator";

    private const string SubjectAlternativeName = "2.5.29.17";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private const string ClientAuthentication = "1.3.6.1.5.5.7.3.2";
    private static readonly Asn1Tag UriName = new(TagClass.ContextSpecific, 6);

    /// <summary>Checks the certificate of a node at the other end of a link.</summary>
    /// <param name="certificate">What the other end showed; null when it showed none.</param>
    /// <param name="isServer">Whether the other end accepted the connection.</param>
    /// <param name="node">The node, when the answer is null.</param>
    /// <returns>Null when all is well; else the first reason against it.</returns>
    public LinkRefusal? CheckNode(X509Certificate2? certificate, bool isServer, out DomainNode? node)
    {
        node = null;
        if (Check(certificate, isServer, out var identity) is { } refusal) return refusal;
        node = identity!.Node;
        return node is null ? LinkRefusal.WrongRole : null; // An operator reads through the API; the bus is for nodes.
    }

    /// <summary>Checks a certificate of a node or of an operator.</summary>
    /// <param name="certificate">What the other end showed; null when it showed none.</param>
    /// <param name="isServer">Whether the other end accepted the connection.</param>
    /// <param name="identity">Whom it speaks for, when the answer is null.</param>
    /// <returns>Null when all is well; else the first reason against it.</returns>
    public LinkRefusal? Check(X509Certificate2? certificate, bool isServer, out PeerIdentity? identity)
    {
        identity = null;
        if (certificate is null) return LinkRefusal.NoCertificate;
        if (CheckChain(certificate, isServer) is { } refusal) return refusal;
        if (NameOf(certificate) is not { } name) return LinkRefusal.BadIdentity;
        if (!name.StartsWith($"spiffe://{domain.Name}/", StringComparison.Ordinal)) return LinkRefusal.AnotherDomain;
        if (name.Split('/') is not [_, _, _, { Length: > 0 } role, { Length: > 0 } id]) return LinkRefusal.BadIdentity;
        if (role == OperatorRole)
        {
            identity = new(role, id, null);
            return null;
        }

        if (domain.Find(id) is not { } node) return LinkRefusal.UnknownNode;
        if (role != YamlMap.Word(node.Role)) return LinkRefusal.WrongRole;
        if (!certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(node.PublicKey.Span)) return LinkRefusal.WrongKey;
        identity = new(role, id, node);
        return null;
    }

    /// <summary>Returns the one name of a certificate when it is a URI; null when there is none, or more.</summary>
    public static string? NameOf(X509Certificate2 certificate)
    {
        try
        {
            if (certificate.Extensions.Where(e => e.Oid?.Value == SubjectAlternativeName).ToArray() is not [var extension]) return null;
            var names = new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence();
            if (!names.HasData || !names.PeekTag().HasSameClassAndValue(UriName)) return null;
            var uri = names.ReadCharacterString(UniversalTagNumber.IA5String, UriName);
            return names.HasData ? null : uri;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private LinkRefusal? CheckChain(X509Certificate2 certificate, bool isServer)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
        };
        chain.ChainPolicy.CustomTrustStore.Add(authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(isServer ? ServerAuthentication : ClientAuthentication));
        if (chain.Build(certificate)) return null;

        // An expired certificate of somebody else is somebody else's in the first place.
        var status = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, one) => all | one.Status);
        return (status & ~X509ChainStatusFlags.NotTimeValid) != 0 ? LinkRefusal.AnotherDomain : LinkRefusal.Expired;
    }
}
