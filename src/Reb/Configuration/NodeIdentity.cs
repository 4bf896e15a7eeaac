using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Massif.Reb.Configuration;

/// <summary>What a node proves itself with: its certificate with the private key, and the CA of the domain.</summary>
/// <param name="Certificate">Certificate with its private key.</param>
/// <param name="Authority">The domain's CA certificate.</param>
public sealed record NodeIdentity(X509Certificate2 Certificate, X509Certificate2 Authority) : IDisposable
{
    /// <summary>Returns the private key for signatures; the caller disposes of it.</summary>
    public ECDsa SigningKey() =>
        Certificate.GetECDsaPrivateKey() ?? throw new CryptographicException("The certificate has no ECDSA key.");

    /// <summary>Returns the private key for key agreement; the caller disposes of it.</summary>
    public ECDiffieHellman AgreementKey() =>
        Certificate.GetECDiffieHellmanPrivateKey() ?? throw new CryptographicException("The certificate has no ECDH key.");

    /// <inheritdoc />
    public void Dispose()
    {
        Certificate.Dispose();
        Authority.Dispose();
    }
}
