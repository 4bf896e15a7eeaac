using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Protocol;

namespace Massif.Tests.Support;

/// <summary>A domain of four cores and an edge, with certificates made for the test.</summary>
internal sealed class TestDomain : IDisposable
{
    private readonly CertificateAuthority _authority;
    private readonly Dictionary<string, ECDsa> _keys = [];
    private readonly List<IDisposable> _made = [];

    public TestDomain(string name = "test")
    {
        Name = name;
        _authority = CertificateAuthority.Create(name, DateTimeOffset.UtcNow);
        DomainNode[] nodes =
        [
            .. Enumerable.Range(0, 4).Select(i => Node(i, $"core{i + 1}", NodeRole.Core)),
            Node(4, "edge1", NodeRole.Edge),
        ];
        Domain = new(name, 1, 0, 0, 1, demo: false, nodes, [new("events", StreamClass.Bulk, ChannelPaths.One)], new ProtocolConstants());
        Trust = new(Domain, _authority.Certificate);
    }

    public string Name { get; }

    public Domain Domain { get; }

    public DomainTrust Trust { get; }

    public X509Certificate2 Authority => _authority.Certificate;

    public X509Certificate2 Operator() => Certificate("operator", "operator");

    /// <summary>Makes a certificate with its key; days below 0 give one that has expired.</summary>
    public X509Certificate2 Certificate(string role, string id, int days = 30)
    {
        if (!_keys.TryGetValue(id, out var key)) _keys.Add(id, key = ECDsa.Create(ECCurve.NamedCurves.nistP256));
        var from = DateTimeOffset.UtcNow.AddDays(Math.Min(0, days) - 1);
        using var certificate = _authority.Issue(key.ExportSubjectPublicKeyInfo(), role, id, from, Math.Abs(days));
        var withKey = certificate.CopyWithPrivateKey(key);
        _made.Add(withKey);
        return withKey;
    }

    public NodeIdentity Identity(string id) => new(Certificate("core", id), Authority);

    public void Dispose()
    {
        foreach (var certificate in _made) certificate.Dispose();
        foreach (var key in _keys.Values) key.Dispose();
        _authority.Dispose();
    }

    private DomainNode Node(int index, string id, NodeRole role)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _keys.Add(id, key);
        HostPort? address = role == NodeRole.Core ? new HostPort("127.0.0.1", 1) : null;
        return new(new((ushort)index), id, role, [], address, key.ExportSubjectPublicKeyInfo());
    }
}
