using System.Xml.Linq;

namespace Massif.Architecture.Tests;

/// <summary>The repository as files: what the build is made of.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<ProjectFile> Projects { get; } = [.. ProjectsIn("src", "benchmarks")];

    /// <summary>C# sources of the product, without what the build generates.</summary>
    public static IEnumerable<SourceFile> Sources() => Projects.SelectMany(SourcesOf);

    /// <summary>C# sources of the tests, without what the build generates.</summary>
    public static IEnumerable<SourceFile> TestSources() => ProjectsIn("tests").SelectMany(SourcesOf);

    private static IEnumerable<ProjectFile> ProjectsIn(params string[] folders) => folders
        .SelectMany(folder => Directory.GetFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
        .Order(StringComparer.Ordinal)
        .Select(ProjectFile.Read);

    private static IEnumerable<SourceFile> SourcesOf(ProjectFile project) =>
        Directory.GetFiles(project.Directory, "*.cs", SearchOption.AllDirectories)
            .Where(file => !IsGenerated(Path.GetRelativePath(project.Directory, file)))
            .Order(StringComparer.Ordinal)
            .Select(file => new SourceFile(project, file));

    private static bool IsGenerated(string relative) => relative.Split(Path.DirectorySeparatorChar)[0] is "bin" or "obj";

    private static string FindRoot()
    {
        var place = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(place.FullName, "Massif.sln")))
            place = place.Parent ?? throw new DirectoryNotFoundException("No Massif.sln above the tests.");
        return place.FullName;
    }
}

internal sealed record SourceFile(ProjectFile Project, string Path)
{
    public string Name => System.IO.Path.GetRelativePath(Repository.Root, Path);
}

internal sealed record ProjectFile(
    string Name, string Directory, IReadOnlyList<string> References, IReadOnlyList<string> Packages, bool IsDeterministic)
{
    public static ProjectFile Read(string path)
    {
        var xml = XDocument.Load(path);
        return new(
            Path.GetFileNameWithoutExtension(path),
            Path.GetDirectoryName(path)!,
            [.. Includes(xml, "ProjectReference").Select(reference => Path.GetFileNameWithoutExtension(reference.Replace('\\', '/')))],
            [.. Includes(xml, "PackageReference")],
            xml.Descendants("IsDeterministicCore").Any(element => element.Value == "true"));
    }

    private static IEnumerable<string> Includes(XDocument xml, string element) =>
        xml.Descendants(element).Select(reference => reference.Attribute("Include")!.Value);
}
