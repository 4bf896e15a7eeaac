using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Massif.Client;

/// <summary>Decides whether the other end is the replica that was dialled: the domain's CA, exactly its name, and its key.</summary>
internal static class ServerTrust
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";
    private static readonly Asn1Tag UriName = new(TagClass.ContextSpecific, 6);

    /// <summary>Returns why the certificate is not believed; null when it is.</summary>
    public static string? Refuse(X509Certificate2? certificate, ClientOptions options, ReplicaAddress replica)
    {
        if (certificate is null) return "no certificate";
        using var chain = new X509Chain();
        chain.ChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck, // A domain has no revocation list; its description pins the nodes.
            DisableCertificateDownloads = true,
        };
        chain.ChainPolicy.CustomTrustStore.Add(options.Authority);
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid(ServerAuthentication));
        if (!chain.Build(certificate))
            return $"its certificate is not valid here: {string.Join(", ", chain.ChainStatus.Select(status => status.Status))}";

        var wanted = $"spiffe://{options.Domain}/core/{replica.Id}";
        if (NameOf(certificate) != wanted) return $"its certificate is not that of {wanted}";
        var pinned = replica.PublicKey.Span;
        return pinned.IsEmpty || certificate.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(pinned)
            ? null
            : "its key is not the one in the domain description";
    }

    private static string? NameOf(X509Certificate2 certificate)
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
}
