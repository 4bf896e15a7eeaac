using System.CommandLine;
using Massif.Reb.Configuration;

namespace Massif.Cli.Commands;

/// <summary><c>massif renew</c>: a new certificate for the same key.</summary>
internal static class RenewCommand
{
    /// <summary>Makes the command.</summary>
    public static Command Create()
    {
        var directory = new Argument<string>("DIR") { Description = "The domain's directory, with ca.key." };
        var id = new Argument<string>("ID") { Description = "A node's id, or operator." };
        var days = new Option<int>("--days")
        {
            Description = "Validity of the certificate.",
            HelpName = "DAYS",
            DefaultValueFactory = _ => CertificateAuthority.DefaultDays,
        };
        var command = new Command(
            "renew",
            "Make a new certificate for the key that a node or the operator has. The domain description stays as it is and no other " +
            "node notices: copy the new cert.pem to the node and restart it.")
        {
            directory, id, days,
        };
        command.SetAction(parse =>
        {
            var (where, who) = (parse.GetValue(directory)!, parse.GetValue(id)!);
            var errors = DomainMaker.Renew(where, who, parse.GetValue(days))
                .Select(error => error.Key == "certificate_days" ? error with { File = "--days", Key = "" } : error);
            if (Report.Errors([.. errors], parse) is { } code) return code;
            var home = Path.Combine(where, who == "operator" ? "clients" : "nodes", who);
            parse.InvocationConfiguration.Output.WriteLine(
                $"Made {Path.Combine(home, "cert.pem")}, valid for {parse.GetValue(days)} days.");
            return ExitCodes.Ok;
        });
        return command.WithExamples("massif renew /etc/massif core2", "massif renew /etc/massif operator --days 90");
    }
}
