using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;

namespace Massif.Reb.Tests;

/// <summary>A small domain in memory, with keys and certificates: core1 to core4, relay1, relay2, edge1.</summary>
internal sealed class TestDomain : IDisposable
{
    public static readonly (string Id, NodeRole Role)[] Members =
    [
        ("core1", NodeRole.Core), ("core2", NodeRole.Core), ("core3", NodeRole.Core), ("core4", NodeRole.Core),
        ("relay1", NodeRole.Relay), ("relay2", NodeRole.Relay), ("edge1", NodeRole.Edge),
    ];

    private readonly Dictionary<string, ECDsa> _keys = [];

    public TestDomain(string name = "test")
    {
        Name = name;
        Authority = CertificateAuthority.Create(name, DateTimeOffset.UtcNow);
        foreach (var (id, _) in Members) _keys[id] = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    }

    public string Name { get; }

    public CertificateAuthority Authority { get; }

    public ECDsa KeyOf(string id) => _keys[id];

    /// <summary>The description; addresses as given, and one where nobody listens for the rest.</summary>
    public Domain Describe(
        Dictionary<string, HostPort[]>? addresses = null,
        uint epoch = 1,
        int window = 256,
        ProtocolConstants? constants = null) => new(
        Name,
        faults: 1,
        recovering: 0,
        pathFaults: 1,
        epoch,
        demo: false,
        [.. Members.Select((member, i) => new DomainNode(
            new((ushort)i),
            member.Id,
            member.Role,
            addresses?.GetValueOrDefault(member.Id) ?? (member.Role == NodeRole.Edge ? [] : [new("127.0.0.1", 1)]),
            member.Role == NodeRole.Core ? new HostPort("127.0.0.1", 2) : null,
            _keys[member.Id].ExportSubjectPublicKeyInfo()))],
        [new("events", StreamClass.Bulk, ChannelPaths.Copies)],
        constants ?? new() { Window = window });

    public static NodeIndex Index(string id) => new((ushort)Array.FindIndex(Members, member => member.Id == id));

    public NodeIdentity IdentityOf(string id) => Identity(_keys[id], YamlMap.Word(Members.Single(m => m.Id == id).Role), id);

    public NodeIdentity Identity(
        ECDsa key, string role, string id, DateTimeOffset? from = null, int days = 30, CertificateAuthority? issuer = null)
    {
        using var certificate = (issuer ?? Authority).Issue(
            key.ExportSubjectPublicKeyInfo(), role, id, from ?? DateTimeOffset.UtcNow, days);
        return new(certificate.CopyWithPrivateKey(key), X509CertificateLoader.LoadCertificate(Authority.Certificate.RawData));
    }

    public void Dispose()
    {
        Authority.Dispose();
        foreach (var key in _keys.Values) key.Dispose();
    }
}
