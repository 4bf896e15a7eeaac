using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Massif.Reb.Configuration;

/// <summary>The domain's own certificate authority: makes and renews the certificates of its nodes and operators.</summary>
/// <remarks>
/// ECDSA P-256 throughout. A certificate has one name, the URI <c>spiffe://domain/role/id</c>, and is good for both ends
/// of a TLS connection. Whoever holds the CA key can add operators; he cannot replace a node, because the domain
/// description pins every node's key.
/// </remarks>
public sealed class CertificateAuthority : IDisposable
{
    /// <summary>Validity of a certificate in days: the longest that public authorities gave in the 2020s.</summary>
    public const int DefaultDays = 397;

    private const int AuthorityYears = 10;

    // A certificate made here must not be "not yet valid" on a machine whose clock is a little behind.
    private static readonly TimeSpan ClockSlack = TimeSpan.FromMinutes(5);

    private readonly ECDsa _key;

    private CertificateAuthority(string domain, X509Certificate2 certificate, ECDsa key) =>
        (Domain, Certificate, _key) = (domain, certificate, key);

    /// <summary>Gets the name of the domain.</summary>
    public string Domain { get; }

    /// <summary>Gets the CA's certificate, without its key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>Makes a new authority with a new key, valid for 10 years and for end certificates only.</summary>
    public static CertificateAuthority Create(string domain, DateTimeOffset now)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={domain} CA,O=Massif", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var withKey = request.CreateSelfSigned(now - ClockSlack, now.AddYears(AuthorityYears));
        return new(domain, X509CertificateLoader.LoadCertificate(withKey.RawData), key);
    }

    /// <summary>Reads an authority from PEM.</summary>
    /// <exception cref="CryptographicException">The texts are not a certificate and its key.</exception>
    public static CertificateAuthority FromPem(string domain, string certificatePem, string keyPem)
    {
        var certificate = X509Certificate2.CreateFromPem(certificatePem);
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(keyPem);
            if (!key.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(certificate.PublicKey.ExportSubjectPublicKeyInfo()))
                throw new CryptographicException("The CA's key does not belong to the CA's certificate.");
            return new(domain, certificate, key);
        }
        catch (Exception e) when (e is ArgumentException or CryptographicException)
        {
            key.Dispose();
            certificate.Dispose();
            throw new CryptographicException("The CA's certificate and key do not fit together.", e);
        }
    }

    /// <summary>Makes a certificate for a public key; for the key of an older certificate, this renews it.</summary>
    /// <param name="publicKey">SubjectPublicKeyInfo (DER) of a P-256 key.</param>
    /// <param name="role"><c>edge</c>, <c>relay</c>, <c>core</c> or <c>operator</c>.</param>
    /// <param name="id">Id of the node or operator.</param>
    /// <param name="now">Start of its validity.</param>
    /// <param name="days">Length of its validity.</param>
    public X509Certificate2 Issue(ReadOnlySpan<byte> publicKey, string role, string id, DateTimeOffset now, int days = DefaultDays)
    {
        var key = PublicKey.CreateFromSubjectPublicKeyInfo(publicKey, out _);
        var request = new CertificateRequest(new X500DistinguishedName($"CN={id},O=Massif"), key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature | X509KeyUsageFlags.KeyAgreement, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1"), new("1.3.6.1.5.5.7.3.2")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, true, false));
        var name = new SubjectAlternativeNameBuilder();
        name.AddUri(new Uri($"spiffe://{Domain}/{role}/{id}"));
        request.CertificateExtensions.Add(name.Build());

        var signer = X509SignatureGenerator.CreateForECDsa(_key);
        var end = Earlier(now.AddDays(days), new DateTimeOffset(Certificate.NotAfter));
        return request.Create(Certificate.SubjectName, signer, now - ClockSlack, end, Serial());
    }

    /// <summary>Returns the CA's private key as PEM, for the one file it is kept in.</summary>
    public string ExportKeyPem() => _key.ExportPkcs8PrivateKeyPem();

    /// <inheritdoc />
    public void Dispose()
    {
        _key.Dispose();
        Certificate.Dispose();
    }

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static byte[] Serial()
    {
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40); // Positive, and never shorter for a leading zero.
        return serial;
    }
}
