using Massif.Mis.Core.Rules;
using Massif.Reb.Configuration;

namespace Massif.Mis.Core.Tests;

public sealed class RuleFileTests
{
    [Fact]
    public void The_rule_that_ships_is_read()
    {
        var errors = new ConfigErrors();
        var rules = RuleFile.Load(Path.Combine(AppContext.BaseDirectory, "ssh-bruteforce.yaml"), errors);
        Assert.Empty(errors.Items);
        var rule = Assert.Single(rules!.Rules).Definition;
        Assert.Equal(("ssh-bruteforce", 5, 60, 60), (rule.Id, rule.Threshold, rule.WindowSeconds, rule.SuppressSeconds));
        Assert.Equal(["source.ip"], rule.Key);
    }

    [Fact]
    public void All_mistakes_come_at_once_with_their_lines()
    {
        const string Text =
            """
            rules:
              - id: Bad Id
                version: 1
                title: one
                where: event.outcome == failed
                key: [source.ip, nowhere]
                threshold: 0
                window_seconds: 60
                colour: red
              - id: two
                version: 1
                severity: terrible
                where: user.name ==
                key: [source.ip]
                threshold: 5
                window_seconds: 999999999
            extra: 1
            """;
        var errors = new ConfigErrors();
        Assert.Null(RuleFile.Parse("rules.yaml", Text, errors));
        Assert.Equal(
            [
                "rules.yaml:2: rules[0].id: 'Bad Id' is no rule id: 1 to 64 characters of a-z, 0-9 and '-'",
                "rules.yaml:5: rules[0].where: column 18: 'failed' is no value of 'event.outcome'; it is one of success, failure, unknown",
                "rules.yaml:6: rules[0].key: there is no field 'nowhere'",
                "rules.yaml:7: rules[0].threshold: is 0 (allowed: 1 to 5000)",
                "rules.yaml:9: rules[0].colour: unknown key " +
                "(allowed: id, key, severity, suppress_seconds, threshold, title, version, where, window_seconds)",
                "rules.yaml:10: rules[1].title: is missing",
                "rules.yaml:12: rules[1].severity: is \"terrible\" (allowed: low, medium, high, critical)",
                "rules.yaml:13: rules[1].where: column 13: a value was expected instead of the end",
                "rules.yaml:16: rules[1].window_seconds: is 999999999 (allowed: 1 to 604800)",
                "rules.yaml:17: extra: unknown key (allowed: rules)",
            ],
            errors.Items.Select(error => error.ToString()));
    }

    [Fact]
    public void A_missing_file_is_told_like_any_mistake()
    {
        var errors = new ConfigErrors();
        Assert.Null(RuleFile.Load("/nowhere/rules.yaml", errors));
        Assert.Equal("/nowhere/rules.yaml: does not exist", Assert.Single(errors.Items).ToString());
    }
}
