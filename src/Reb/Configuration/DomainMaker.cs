using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Links;

namespace Massif.Reb.Configuration;

/// <summary>Makes the directory of a new domain, and renews its certificates.</summary>
/// <remarks>
/// The layout is
/// <code>
/// DIR/domain.yaml  ca.pem
/// DIR/ca.key                    stays where the domain was made; no node needs it
/// DIR/nodes/ID/                 node.yaml cert.pem key.pem data/ and copies of domain.yaml and ca.pem; cores: rules.yaml
/// DIR/clients/operator/         cert.pem key.pem and copies of domain.yaml and ca.pem
/// </code>
/// Each node's directory holds all that the node needs, and node.yaml names files beside itself: to set a node up on its
/// machine, copy that one directory. After a change of DIR/domain.yaml its copies must be brought up to date; a node that
/// was forgotten is refused by the others with "domain hash differs".
/// </remarks>
public static class DomainMaker
{
    private const UnixFileMode OwnerOnlyFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerOnlyDirectory = OwnerOnlyFile | UnixFileMode.UserExecute;
    private const int DaysMax = 3650;
    private const string OperatorId = "operator";

    /// <summary>Makes the directory of a new domain; nothing is written when there are errors in the options.</summary>
    /// <param name="directory">A path where nothing is, or an empty directory.</param>
    /// <param name="options">What the domain should be like.</param>
    /// <returns>What is wrong; empty when the domain was made.</returns>
    public static IReadOnlyList<ConfigError> Create(string directory, DomainMakerOptions options)
    {
        if (File.Exists(directory)) return [new(directory, 0, "", "is a file")];
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
            return [new(directory, 0, "", "is not empty; nothing was changed", "a new or an empty directory")];
        if (CheckCounts(directory, options) is { Count: > 0 } counts) return counts;

        var plan = DomainPlan.For(options);
        if (plan.Clashes().ToList() is { Count: > 0 } clashes)
            return [.. clashes.Select(clash => new ConfigError(directory, 0, "ports", clash))];
        var keys = plan.Nodes.ToDictionary(node => node.Id, _ => ECDsa.Create(ECCurve.NamedCurves.nistP256));
        try
        {
            // The text goes through the reader that every node uses: what init writes, a node can start with.
            var domainFile = Path.Combine(directory, "domain.yaml");
            var text = plan.DomainText(id => Convert.ToBase64String(keys[id].ExportSubjectPublicKeyInfo()));
            var errors = new ConfigErrors();
            if (YamlDocument.Parse(domainFile, text, errors) is { } map) DomainReader.Read(map, errors);
            if (!errors.None) return errors.Items;

            Write(directory, options, plan, keys, text);
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new(directory, 0, "", $"cannot be written: {e.Message}")];
        }
        finally
        {
            foreach (var key in keys.Values) key.Dispose();
        }
    }

    /// <summary>Makes a new certificate for the same key; the domain description stays as it is, and no other node notices.</summary>
    /// <param name="directory">The domain's directory, with <c>ca.key</c>.</param>
    /// <param name="id">A node's id, or <c>operator</c>.</param>
    /// <param name="days">Validity in days.</param>
    /// <returns>What is wrong; empty when <c>cert.pem</c> was replaced.</returns>
    public static IReadOnlyList<ConfigError> Renew(string directory, string id, int days = CertificateAuthority.DefaultDays)
    {
        var domainFile = Path.Combine(directory, "domain.yaml");
        var (domain, errors) = Domain.Load(domainFile);
        if (domain is null) return errors;
        var node = domain.Find(id);
        if (node is null && id != OperatorId)
        {
            var known = string.Join(", ", domain.Nodes.Select(n => n.Id).Append(OperatorId));
            return [new(domainFile, 0, "nodes", $"has no node \"{id}\"", known)];
        }

        if (days is < 1 or > DaysMax)
            return [new(directory, 0, "certificate_days", $"is {days}", $"1 to {DaysMax}")];
        var home = node is null ? Path.Combine(directory, "clients", id) : Path.Combine(directory, "nodes", id);
        var certificateFile = Path.Combine(home, "cert.pem");
        try
        {
            using var authority = CertificateAuthority.FromPem(
                domain.Name,
                File.ReadAllText(Path.Combine(directory, "ca.pem")),
                File.ReadAllText(Path.Combine(directory, "ca.key")));

            // A node's key is pinned in the description, so the old certificate, which may be on another machine, is not needed.
            var publicKey = node?.PublicKey.ToArray() ?? PublicKeyOf(certificateFile);
            var role = node is null ? DomainTrust.OperatorRole : YamlMap.Word(node.Role);
            using var certificate = authority.Issue(publicKey, role, id, TimeProvider.System.GetUtcNow(), days);
            MakeDirectory(home, OwnerOnlyDirectory);
            var next = certificateFile + ".new";
            File.WriteAllText(next, certificate.ExportCertificatePem() + "\n");
            File.Move(next, certificateFile, overwrite: true); // A node that starts meanwhile sees the old one or the new one.
            return [];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            return [new(directory, 0, "", $"{id} cannot be renewed: {e.Message}")];
        }
    }

    private static List<ConfigError> CheckCounts(string directory, DomainMakerOptions options)
    {
        var errors = new List<ConfigError>();
        void Range(string name, int value, int min, int max)
        {
            if (value >= min && value <= max) return;
            errors.Add(new(
                directory,
                0,
                name,
                string.Create(CultureInfo.InvariantCulture, $"is {value}"),
                string.Create(CultureInfo.InvariantCulture, $"{min} to {max}")));
        }

        // Only what the plan needs to be made at all; the reader checks how the numbers fit together.
        Range("replicas", options.Replicas, 4, 64);
        Range("edges", options.Edges, 1, 512);
        Range("relays", options.Relays, 0, 256);
        Range("certificate_days", options.CertificateDays, 1, DaysMax);
        Range("disk_limit_mib", options.DiskLimitMebibytes, 16, int.MaxValue);
        var known = DomainPlan.Ids(options).ToHashSet(StringComparer.Ordinal);
        foreach (var id in options.Addresses.Keys.Where(id => !known.Contains(id)))
            errors.Add(new(directory, 0, "addresses", $"there will be no node \"{id}\"", string.Join(", ", known.Take(12))));
        foreach (var host in options.Addresses.Values.Append(options.Address).Distinct().Where(host => !IsHost(host)))
        {
            errors.Add(new(
                directory,
                0,
                "addresses",
                $"\"{host}\" is no address that others can dial",
                "a host name or an IP address, without a port"));
        }

        return errors;
    }

    private static bool IsHost(string host) =>
        HostPort.TryParse(new HostPort(host, 1).ToString(), out var address) && address.Host == host && !address.IsAny;

    private static void Write(
        string directory, DomainMakerOptions options, DomainPlan plan, Dictionary<string, ECDsa> keys, string domainText)
    {
        var now = TimeProvider.System.GetUtcNow();
        using var authority = CertificateAuthority.Create(options.Name, now);
        var authorityPem = authority.Certificate.ExportCertificatePem() + "\n";

        MakeDirectory(directory, OwnerOnlyDirectory);
        WriteSecret(Path.Combine(directory, "ca.key"), authority.ExportKeyPem());
        WriteShared(directory, domainText, authorityPem);
        foreach (var node in plan.Nodes)
        {
            var home = Path.Combine(directory, "nodes", node.Id);
            using var certificate = authority.Issue(
                keys[node.Id].ExportSubjectPublicKeyInfo(), YamlMap.Word(node.Role), node.Id, now, options.CertificateDays);
            WriteIdentity(home, certificate, keys[node.Id]);
            WriteShared(home, domainText, authorityPem);
            MakeDirectory(Path.Combine(home, "data"), OwnerOnlyDirectory);
            File.WriteAllText(Path.Combine(home, "node.yaml"), plan.NodeText(node));
            if (node.Role == NodeRole.Core) File.WriteAllText(Path.Combine(home, "rules.yaml"), options.RulesText);
        }

        var operatorHome = Path.Combine(directory, "clients", OperatorId);
        using var operatorKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var operatorCertificate = authority.Issue(
            operatorKey.ExportSubjectPublicKeyInfo(), DomainTrust.OperatorRole, OperatorId, now, options.CertificateDays);
        WriteIdentity(operatorHome, operatorCertificate, operatorKey);
        WriteShared(operatorHome, domainText, authorityPem);
    }

    private static void WriteIdentity(string home, X509Certificate2 certificate, ECDsa key)
    {
        MakeDirectory(home, OwnerOnlyDirectory);
        WriteSecret(Path.Combine(home, "key.pem"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(home, "cert.pem"), certificate.ExportCertificatePem() + "\n");
    }

    private static void WriteShared(string home, string domainText, string authorityPem)
    {
        File.WriteAllText(Path.Combine(home, "domain.yaml"), domainText);
        File.WriteAllText(Path.Combine(home, "ca.pem"), authorityPem);
    }

    // The mode is given when the file is made: there is no moment at which others could read the key.
    private static void WriteSecret(string file, string pem)
    {
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) how.UnixCreateMode = OwnerOnlyFile;
        using var stream = new StreamWriter(file, how);
        stream.Write(pem + "\n");
    }

    private static void MakeDirectory(string path, UnixFileMode mode)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, mode);
    }

    private static byte[] PublicKeyOf(string certificateFile)
    {
        using var certificate = X509Certificate2.CreateFromPem(File.ReadAllText(certificateFile));
        return certificate.PublicKey.ExportSubjectPublicKeyInfo();
    }
}
