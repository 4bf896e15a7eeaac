using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Massif.Client;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary>What commands that ask a domain have in common: where it is described, and with which certificate to ask.</summary>
internal static class OperatorAccess
{
    /// <summary>Makes the option <c>--domain</c>.</summary>
    public static Option<string> DomainOption() => new("--domain")
    {
        Description = "Directory of the domain, or a copy of its clients/operator.",
        HelpName = "DIR",
        DefaultValueFactory = _ => ".",
    };

    /// <summary>Reads domain, CA and operator's certificate; prints all that is wrong when it cannot.</summary>
    public static bool TryOpen(string directory, ParseResult parse, [NotNullWhen(true)] out ClientOptions? options)
    {
        options = null;
        var home = Path.Combine(directory, "clients", "operator");
        if (!Directory.Exists(home)) home = directory;
        var (domain, found) = Domain.Load(Path.Combine(directory, "domain.yaml"));
        var errors = new List<ConfigError>(found);
        var authority = Read(Path.Combine(directory, "ca.pem"), X509CertificateLoader.LoadCertificateFromFile, errors);
        var key = Path.Combine(home, "key.pem");
        var certificate = Read(Path.Combine(home, "cert.pem"), file => X509Certificate2.CreateFromPemFile(file, key), errors);
        if (certificate is not null && certificate.NotAfter < DateTime.Now)
        {
            var expired = $"expired on {certificate.NotAfter:yyyy-MM-dd}; make a new one with: massif renew";
            errors.Add(new(Path.Combine(home, "cert.pem"), 0, "", expired));
        }

        if (Report.Errors(errors, parse) is not null || domain is null || authority is null || certificate is null)
        {
            parse.InvocationConfiguration.Error.WriteLine(
                "--domain names the directory that massif init made, or a copy of its clients/operator.");
            return false;
        }

        options = new(
            domain.Name,
            domain.Quorums.Faults,
            [.. domain.Replicas.Select(AddressOf)],
            authority,
            certificate)
        {
            OnSlow = parse.InvocationConfiguration.Error.WriteLine,
        };
        return true;
    }

    private static ReplicaAddress AddressOf(DomainNode node) =>
        new(node.Id, node.ApiAddress!.Value.Host, node.ApiAddress.Value.Port) { PublicKey = node.PublicKey };

    private static X509Certificate2? Read(string file, Func<string, X509Certificate2> read, List<ConfigError> errors)
    {
        try
        {
            if (File.Exists(file)) return read(file);
            errors.Add(new(file, 0, "", "does not exist"));
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException)
        {
            errors.Add(new(file, 0, "", $"cannot be read: {exception.Message.TrimEnd('.')}"));
            return null;
        }
    }
}
