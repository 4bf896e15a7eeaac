using System.Text;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Protocol;

namespace Massif.Reb.Tests.Wire;

/// <summary>Bytes of one version of the wire format, kept in files: a change that alters them needs a new version.</summary>
internal static class Golden
{
    public static readonly InstanceId Instance = new(1, new(6, StreamClass.Urgent), 0x1122334455667788, 42);

    public static readonly Digest SomeDigest = Digest.Of("a"u8);

    public static readonly Digest OtherDigest = Digest.Of("b"u8);

    /// <summary>Gets the folder of these tests in the sources; a deterministic build does not say where it is.</summary>
    public static string Folder { get; } = FindFolder();

    /// <summary>Compares with the file; with MASSIF_WRITE_GOLDEN=1 in the environment it writes a file that is not there yet.</summary>
    public static byte[] Check(string name, byte[] bytes)
    {
        var file = Path.Combine(Folder, "Golden", name + ".bin");
        if (!File.Exists(file) && Environment.GetEnvironmentVariable("MASSIF_WRITE_GOLDEN") == "1") File.WriteAllBytes(file, bytes);
        Assert.Equal(Convert.ToHexString(File.ReadAllBytes(file)), Convert.ToHexString(bytes));
        return File.ReadAllBytes(file);
    }

    private static string FindFolder()
    {
        var place = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(place.FullName, "Massif.sln")))
            place = place.Parent ?? throw new DirectoryNotFoundException("No Massif.sln above the tests.");
        return Path.Combine(place.FullName, "tests", "Reb.Tests", "Wire");
    }

    /// <summary>Keys of a domain that is always the same: private keys are SHA-256 of the ids.</summary>
    public static PairwiseKeys KeysOf(string id)
    {
        var nodes = TestDomain.Members.Select((member, i) =>
        {
            using var key = PrivateKey(member.Id);
            var address = member.Role == NodeRole.Core ? (HostPort?)new HostPort("127.0.0.1", 1) : null;
            return new DomainNode(new((ushort)i), member.Id, member.Role, [], address, key.ExportSubjectPublicKeyInfo());
        });
        var domain = new Domain("golden", 1, 0, 1, 1, false, [.. nodes], [new("events", StreamClass.Bulk, ChannelPaths.Copies)], new());
        using var own = PrivateKey(id);
        return new(domain, TestDomain.Index(id), own);
    }

    private static System.Security.Cryptography.ECDiffieHellman PrivateKey(string id) =>
        System.Security.Cryptography.ECDiffieHellman.Create(
            new System.Security.Cryptography.ECParameters
            {
                Curve = System.Security.Cryptography.ECCurve.NamedCurves.nistP256,
                D = System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(id)),
            });
}
