using System.Security.Cryptography.X509Certificates;
using Massif.Client;

namespace Massif.Benchmarks;

/// <summary>Asks the replicas of a benchmark's domain as its operator.</summary>
internal sealed class OperatorClient : IDisposable
{
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _certificate;

    /// <summary>Reads the operator's certificate.</summary>
    public OperatorClient(BenchDomain domain)
    {
        _authority = X509CertificateLoader.LoadCertificateFromFile(domain.OperatorFile("ca.pem"));
        _certificate = X509Certificate2.CreateFromPemFile(domain.OperatorFile("cert.pem"), domain.OperatorFile("key.pem"));
        var replicas = domain.Domain.Replicas.Select(
            node => new ReplicaAddress(node.Id, node.ApiAddress!.Value.Host, node.ApiAddress.Value.Port));
        Voting = new(new(domain.Domain.Name, domain.Domain.Quorums.Faults, [.. replicas], _authority, _certificate));
    }

    /// <summary>Gets the client.</summary>
    public VotingClient Voting { get; }

    /// <inheritdoc />
    public void Dispose()
    {
        Voting.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
    }
}
