using Massif.Events;

namespace Massif.Get.Tests;

public sealed class SshdTests
{
    private const string Fingerprint = "SHA256:abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";

    [Theory]
    [InlineData("Failed password for root from 203.0.113.7 port 51022 ssh2", "login", "failure", "root", "203.0.113.7", "51022")]
    [InlineData(
        "Failed keyboard-interactive/pam for invalid user x from 203.0.113.7 port 5 ssh2",
        "login", "failure", "x", "203.0.113.7", "5")]
    [InlineData(
        "Failed publickey for root from 203.0.113.7 port 5 ssh2: RSA " + Fingerprint,
        "login", "failure", "root", "203.0.113.7", "5")]
    [InlineData(
        "Accepted publickey for bob from 2001:db8::7 port 5 ssh2: ED25519 " + Fingerprint,
        "login", "success", "bob", "2001:db8::7", "5")]
    [InlineData(
        "Accepted publickey for bob from 203.0.113.7 port 5 ssh2: RSA-CERT " + Fingerprint +
        " ID bob (serial 0) CA RSA " + Fingerprint,
        "login", "success", "bob", "203.0.113.7", "5")]
    [InlineData("Invalid user x from 203.0.113.7 port 5", "invalid_user", "failure", "x", "203.0.113.7", "5")]
    [InlineData("Invalid user  from 203.0.113.7 port 5", "invalid_user", "failure", "", "203.0.113.7", "5")]
    [InlineData("Invalid user x from 203.0.113.7", "invalid_user", "failure", "x", "203.0.113.7", null)]
    [InlineData(
        "Connection closed by authenticating user root 203.0.113.7 port 5 [preauth]",
        "disconnected", null, "root", "203.0.113.7", "5")]
    [InlineData("Connection closed by invalid user a b 203.0.113.7 port 5 [preauth]", "disconnected", null, "a b", "203.0.113.7", "5")]
    [InlineData("Connection reset by 203.0.113.7 port 5 [preauth]", "disconnected", null, null, "203.0.113.7", "5")]
    [InlineData("Disconnected from user root 203.0.113.7 port 5", "disconnected", null, "root", "203.0.113.7", "5")]
    [InlineData(
        "Disconnecting authenticating user root 203.0.113.7 port 5: Too many authentication failures [preauth]",
        "disconnected", null, "root", "203.0.113.7", "5")]
    [InlineData(
        "Received disconnect from 203.0.113.7 port 5:11: from 10.0.0.1 port 22:11: [preauth]",
        "disconnected", null, null, "203.0.113.7", "5")]
    [InlineData(
        "Received disconnect from 203.0.113.7: 11: from 10.0.0.1 port 22 [preauth]",
        "disconnected", null, null, "203.0.113.7", null)]
    [InlineData("Received disconnect from 2001:db8::7: 11: Bye Bye [preauth]", "disconnected", null, null, "2001:db8::7", null)]
    [InlineData(
        "error: Received disconnect from 203.0.113.7 port 5:3: Auth fail [preauth]",
        "disconnected", null, null, "203.0.113.7", "5")]
    [InlineData("Connection closed by 203.0.113.7 [preauth]", "disconnected", null, null, "203.0.113.7", null)]
    [InlineData(
        "error: maximum authentication attempts exceeded for invalid user x from 203.0.113.7 port 5 ssh2 [preauth]",
        "attempts_exceeded", "failure", "x", "203.0.113.7", "5")]
    [InlineData("User x from 203.0.113.7 not allowed because not listed in AllowUsers", "refused", "failure", "x", "203.0.113.7", null)]
    [InlineData("Connection from 203.0.113.7 port 5 on 10.0.0.1 port 22 rdomain \"\"", "connected", null, null, "203.0.113.7", "5")]
    [InlineData("pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)", "session_opened", "success", "root", null, null)]
    [InlineData("pam_unix(sshd:session): session closed for user root", "session_closed", "success", "root", null, null)]
    [InlineData("Server listening on 0.0.0.0 port 22.", null, null, null, null, null)]
    public void Each_line_says_who_did_what(string message, string? action, string? outcome, string? user, string? ip, string? port)
    {
        foreach (var app in new[] { "sshd", "sshd-session", "/usr/sbin/sshd" })
        {
            var translated = Translated.FromSshd(message, app);

            Assert.Equal(
                (action, outcome, user),
                (translated[EventField.Action], translated[EventField.Outcome], translated[EventField.UserName]));
            Assert.Equal((ip, port), (translated[EventField.SourceAddress], translated[EventField.SourcePort]));
            Assert.Equal(message, translated[EventField.Message]);
        }
    }

    [Theory]
    [InlineData("Failed password for invalid user {0} from 203.0.113.66 port 40022 ssh2")]
    [InlineData("Failed publickey for invalid user {0} from 203.0.113.66 port 40022 ssh2: ED25519 " + Fingerprint)]
    [InlineData("Invalid user {0} from 203.0.113.66 port 40022")]
    [InlineData("Connection closed by invalid user {0} 203.0.113.66 port 40022 [preauth]")]
    [InlineData("Disconnected from invalid user {0} 203.0.113.66 port 40022 [preauth]")]
    [InlineData("error: maximum authentication attempts exceeded for invalid user {0} from 203.0.113.66 port 40022 ssh2 [preauth]")]
    public void A_forged_name_blames_nobody_else(string message)
    {
        string[] names =
        [
            "x from 10.0.0.1 port 22 ssh2", "x from 10.0.0.1 port 22", "x from 10.0.0.1 port 22 ssh2: RSA " + Fingerprint,
            "x 10.0.0.1 port 22 [preauth]", " from ", "", "rhost=10.0.0.1", "x from 10.0.0.1 port 22 ssh2]",
        ];
        foreach (var name in names)
        {
            var translated = Translated.FromSshd(string.Format(null, message, name));

            Assert.Equal(
                (name, "203.0.113.66", "40022"),
                (translated[EventField.UserName], translated[EventField.SourceAddress], translated[EventField.SourcePort]));
        }
    }

    [Fact]
    public void A_forged_certificate_id_blames_nobody_else()
    {
        // Both the name and the certificate's ID are the attacker's; with two readings, no address is better than a wrong one.
        var id = "y from 10.0.0.1 port 22 ssh2: RSA-CERT " + Fingerprint + " ID z";
        var translated = Translated.FromSshd(
            $"Failed publickey for root from 203.0.113.66 port 4 ssh2: RSA-CERT {Fingerprint} ID {id} (serial 0) CA RSA {Fingerprint}");

        Assert.Equal(("login", "failure"), (translated[EventField.Action], translated[EventField.Outcome]));
        Assert.Null(translated[EventField.SourceAddress]);
    }

    [Fact]
    public void A_forged_name_in_PAM_blames_nobody_else()
    {
        var translated = Translated.FromSshd(
            "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.66  user=x rhost=10.0.0.1");

        Assert.Equal(("x rhost=10.0.0.1", "203.0.113.66"), (translated[EventField.UserName], translated[EventField.SourceAddress]));
    }

    /// <summary>The journals of real servers: what a counting rule adds up must be the number of passwords tried.</summary>
    [Theory]
    [InlineData("sshd", 3, """
        pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root
        Failed password for root from 203.0.113.7 port 4711 ssh2
        Failed password for root from 203.0.113.7 port 4711 ssh2
        Failed password for root from 203.0.113.7 port 4711 ssh2
        Connection closed by authenticating user root 203.0.113.7 port 4711 [preauth]
        PAM 2 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7  user=root
        """)]
    [InlineData("sshd-session", 6, """
        Invalid user guest from 203.0.113.7 port 4711
        pam_unix(sshd:auth): check pass; user unknown
        pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7
        Failed password for invalid user guest from 203.0.113.7 port 4711 ssh2
        message repeated 5 times: [ Failed password for invalid user guest from 203.0.113.7 port 4711 ssh2]
        error: maximum authentication attempts exceeded for invalid user guest from 203.0.113.7 port 4711 ssh2 [preauth]
        Disconnecting invalid user guest 203.0.113.7 port 4711: Too many authentication failures [preauth]
        PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.7
        PAM service(sshd) ignoring max retries; 6 > 3
        """)]
    [InlineData("sshd", 1, """
        User bob from 203.0.113.7 not allowed because not listed in AllowUsers
        error: PAM: Authentication failure for illegal user bob from 203.0.113.7
        Failed keyboard-interactive/pam for invalid user bob from 203.0.113.7 port 4711 ssh2
        Connection closed by invalid user bob 203.0.113.7 port 4711 [preauth]
        """)]
    [InlineData("sshd(pam_unix)", 3, """
        check pass; user unknown
        authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=203.0.113.7
        2 more authentication failures; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=203.0.113.7
        """)]
    [InlineData("sshd", 0, """
        Accepted password for root from 203.0.113.7 port 4711 ssh2
        pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)
        Received disconnect from 203.0.113.7 port 4711:11: disconnected by user
        Disconnected from user root 203.0.113.7 port 4711
        pam_unix(sshd:session): session closed for user root
        """)]
    public void Every_attempt_counts_once(string app, int attempts, string journal)
    {
        var counted = journal.Split('\n').Select(line => Translated.FromSshd(line.Trim('\r'), app))
            .Where(line => line[EventField.Action] == "login" && line[EventField.Outcome] == "failure")
            .Where(line => !line.Flags.Contains("same_attempt"))
            .ToList();

        Assert.Equal(attempts, counted.Sum(line => line.View.Count));
        Assert.All(counted, line => Assert.Equal("203.0.113.7", line[EventField.SourceAddress]));
    }

    [Fact]
    public void Programs_that_do_not_tell_their_attempts_count_by_PAM()
    {
        var translated = Translated.FromSshd(
            "pam_unix(su:auth): authentication failure; logname=bob uid=1000 euid=0 tty=/dev/pts/1 ruser=bob rhost=  user=root", "su");

        Assert.Equal(
            ("login", "failure", "root"),
            (translated[EventField.Action], translated[EventField.Outcome], translated[EventField.UserName]));
        Assert.DoesNotContain("same_attempt", translated.Flags);
    }

    [Fact]
    public void Only_sshd_is_believed_to_be_sshd() =>
        Assert.Null(Translated.FromSshd("Failed password for root from 203.0.113.7 port 1 ssh2", "myapp")[EventField.Action]);
}
