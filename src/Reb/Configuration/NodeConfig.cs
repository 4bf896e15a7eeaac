using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Reb.Hosting;
using Massif.Reb.Links;

namespace Massif.Reb.Configuration;

/// <summary>Everything a node needs to start, read and checked before any socket is opened.</summary>
public sealed class NodeConfig : IDisposable
{
    private const UnixFileMode OthersMode =
        UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute |
        UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private NodeConfig(Domain domain, NodeOptions options, DomainNode self, NodeIdentity identity) =>
        (Domain, Options, Self, Identity) = (domain, options, self, identity);

    /// <summary>Gets the domain.</summary>
    public Domain Domain { get; }

    /// <summary>Gets the node's own settings.</summary>
    public NodeOptions Options { get; }

    /// <summary>Gets this node in the domain.</summary>
    public DomainNode Self { get; }

    /// <summary>Gets this node's position in the domain.</summary>
    public NodeIndex Index => Self.Index;

    /// <summary>Gets the certificate, the private key and the CA.</summary>
    public NodeIdentity Identity { get; }

    /// <summary>Finds every mistake in <c>node.yaml</c>, <c>domain.yaml</c>, the certificates and the files they name.</summary>
    /// <param name="nodeFile">Path of <c>node.yaml</c>.</param>
    /// <returns>All mistakes; empty when the node could start. What the rules say is for the rule loader.</returns>
    public static IReadOnlyList<ConfigError> Check(string nodeFile)
    {
        var (config, errors) = Load(nodeFile);
        config?.Dispose();
        return errors;
    }

    /// <summary>Reads and checks everything; the configuration is null exactly when there are errors.</summary>
    /// <param name="nodeFile">Path of <c>node.yaml</c>.</param>
    public static (NodeConfig? Config, IReadOnlyList<ConfigError> Errors) Load(string nodeFile)
    {
        var errors = new ConfigErrors();
        var map = YamlDocument.Load(nodeFile, errors);
        if (map is null) return (null, errors.Items);

        // A mistake in one place hides none in another: each part is checked as far as it can be.
        var options = NodeOptionsReader.Read(map, errors);
        var roleIsKnown = errors.None;
        var (domain, domainErrors) = Domain.Load(options.DomainFile);
        errors.AddRange(domainErrors);
        var self = domain?.Find(options.Id);
        if (domain is not null && options.Id.Length > 0) CheckSelf(domain, self, options, map, roleIsKnown);
        CheckFiles(options, map);
        var identity = LoadIdentity(options, errors);
        if (identity is not null && self is not null) CheckIdentity(domain!, self, identity, options, errors);
        if (errors.None) return (new(domain!, options, self!, identity!), []);
        identity?.Dispose();
        return (null, errors.Items);
    }

    /// <inheritdoc />
    public void Dispose() => Identity.Dispose();

    private static void CheckSelf(Domain domain, DomainNode? self, NodeOptions options, YamlMap map, bool roleIsKnown)
    {
        if (self is null)
        {
            var known = string.Join(", ", domain.Nodes.Select(node => node.Id).Take(12));
            map.Error("id", $"\"{options.Id}\" is not in {options.DomainFile}", known);
        }
        else if (roleIsKnown && self.Role != options.Role)
        {
            map.Error("role", $"is {YamlMap.Word(options.Role)}, but the domain has \"{self.Id}\" as {YamlMap.Word(self.Role)}");
        }
    }

    private static void CheckFiles(NodeOptions options, YamlMap map)
    {
        if (File.Exists(options.DataDirectory)) map.Error("data", $"{options.DataDirectory} is a file, not a directory");
        else if (!Directory.Exists(options.DataDirectory) && !Directory.Exists(Path.GetDirectoryName(options.DataDirectory)))
            map.Error("data", $"neither {options.DataDirectory} nor the directory it would be made in exists");
        if (options.Core is { RulesFile.Length: > 0 } core && !File.Exists(core.RulesFile))
            map.Map("core")?.Error("rules", $"{core.RulesFile} does not exist");
    }

    private static NodeIdentity? LoadIdentity(NodeOptions options, ConfigErrors errors)
    {
        var authority = Read(options.CaFile, errors, X509Certificate2.CreateFromPem);
        var certificate = Read(options.CertificateFile, errors, X509Certificate2.CreateFromPem);
        var key = Read(options.KeyFile, errors, ReadKey);
        CheckMode(options.KeyFile, errors);
        try
        {
            if (authority is not null && certificate is not null && key is not null)
                return new(certificate.CopyWithPrivateKey(key), authority);
        }
        catch (ArgumentException)
        {
            errors.Add(options.KeyFile, 0, "", $"does not belong to the certificate {options.CertificateFile}");
        }
        finally
        {
            key?.Dispose();
            certificate?.Dispose(); // The copy with the key is another object.
        }

        authority?.Dispose();
        return null;
    }

    private static T? Read<T>(string file, ConfigErrors errors, PemReader<T> read)
        where T : class
    {
        try
        {
            return read(File.ReadAllText(file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            errors.Add(file, 0, "", "does not exist");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add(file, 0, "", $"cannot be read: {e.Message}");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException or PlatformNotSupportedException)
        {
            // Without the exception's text: it may quote the file, and the file may hold a key.
            errors.Add(file, 0, "", "does not hold what it should", "PEM of a P-256 certificate or key");
        }

        return null;
    }

    private static ECDsa ReadKey(ReadOnlySpan<char> pem)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(pem);
        return key;
    }

    private static void CheckMode(string keyFile, ConfigErrors errors)
    {
        if (OperatingSystem.IsWindows() || !File.Exists(keyFile)) return;
        var mode = File.GetUnixFileMode(keyFile);
        if ((mode & OthersMode) == 0) return;
        errors.Add(
            keyFile,
            0,
            "",
            $"is open to others than its owner (mode {Convert.ToString((int)mode, 8)}); run: chmod 600 {keyFile}",
            "mode 600 or 400");
    }

    private static void CheckIdentity(Domain domain, DomainNode self, NodeIdentity identity, NodeOptions options, ConfigErrors errors)
    {
        var refusal = new DomainTrust(domain, identity.Authority).CheckNode(identity.Certificate, isServer: true, out var node);
        if (refusal is { } reason) errors.Add(options.CertificateFile, 0, "", $"every peer would refuse it: {reason.Text()}");
        else if (node != self) errors.Add(options.CertificateFile, 0, "", $"is the certificate of \"{node!.Id}\", not of \"{self.Id}\"");
    }

    private delegate T PemReader<out T>(ReadOnlySpan<char> pem);
}
