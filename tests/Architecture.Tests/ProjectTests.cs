namespace Massif.Architecture.Tests;

public sealed class ProjectTests
{
    private static readonly string[] TestPackages =
        ["xunit", "Microsoft.NET.Test.Sdk", "FsCheck", "Shouldly", "coverlet", "Moq", "NSubstitute", "FluentAssertions"];

    [Fact]
    public void References_are_those_of_the_table_in_the_architecture_document()
    {
        var table = ReferenceTable.Read();
        var mistakes = new List<string>();
        foreach (var project in Repository.Projects)
        {
            if (!table.TryGetValue(project.Name, out var row))
            {
                mistakes.Add($"{project.Name} is not in the table");
                continue;
            }

            mistakes.AddRange(project.References.Except(row.References)
                .Select(extra => $"{project.Name} references {extra}, the table does not allow it"));
            mistakes.AddRange(row.References.Except(project.References)
                .Select(missing => $"{project.Name} does not reference {missing}, as the table says"));
        }

        mistakes.AddRange(table.Keys.Except(Repository.Projects.Select(project => project.Name))
            .Select(name => $"the table has {name}, which is no project"));
        Assert.True(mistakes.Count == 0, string.Join(Environment.NewLine, mistakes));
    }

    [Fact]
    public void No_project_references_itself_through_others()
    {
        var references = Repository.Projects.ToDictionary(project => project.Name, project => project.References);
        foreach (var project in references.Keys)
        {
            var reached = new HashSet<string>();
            var open = new Queue<string>(references[project]);
            while (open.TryDequeue(out var next))
            {
                if (reached.Add(next)) references[next].ToList().ForEach(open.Enqueue);
            }

            Assert.DoesNotContain(project, reached);
        }
    }

    [Fact]
    public void Deterministic_projects_have_the_ban_list_switched_on()
    {
        var declared = Repository.Projects.Where(project => project.IsDeterministic).Select(project => project.Name).Order();
        var wanted = ReferenceTable.Read().Values.Where(row => row.IsDeterministic).Select(row => row.Project).Order();
        Assert.Equal(wanted, declared);
    }

    [Fact]
    public void A_deterministic_project_references_only_deterministic_ones()
    {
        var deterministic = Repository.Projects.Where(project => project.IsDeterministic).ToDictionary(project => project.Name);
        Assert.NotEmpty(deterministic);
        Assert.All(deterministic.Values, project =>
            Assert.All(project.References, reference => Assert.Contains(reference, deterministic.Keys)));
    }

    [Fact]
    public void The_bus_never_sees_the_event_schema()
    {
        var references = Repository.Projects.ToDictionary(project => project.Name, project => project.References);
        Assert.DoesNotContain("Events", references["Reb"]);
        Assert.DoesNotContain("Events", references["Reb.Protocol"]);
    }

    [Fact]
    public void The_product_contains_no_test_package()
    {
        bool IsOfTests(string package) => TestPackages.Any(test => package.StartsWith(test, StringComparison.OrdinalIgnoreCase));
        Assert.All(Repository.Projects, project => Assert.DoesNotContain(project.Packages, IsOfTests));
    }
}
