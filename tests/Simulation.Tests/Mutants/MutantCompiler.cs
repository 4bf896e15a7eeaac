using System.Collections.Concurrent;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Massif.Simulation.Tests.Mutants;

/// <summary>Compiles production sources, patched in memory, together with the world that runs them, into one assembly.</summary>
/// <remarks>
/// Production code has no switches for mistakes. Everything that the world needs is compiled anew, so that no type of the
/// mutant is mixed with one of the real assemblies; only strings and numbers cross the border.
/// </remarks>
internal static class MutantCompiler
{
    /// <summary>What the protocol world is made of, from the root of the repository.</summary>
    private static readonly string[] ProtocolSources =
        ["src/Reb.Protocol", "src/Simulation/Framework", "src/Simulation/Protocol", "src/Reb/Hosting/Seam.cs", "src/Reb/Storage/IDisk.cs"];

    private const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest, DocumentationMode.None);
    private static readonly ConcurrentDictionary<string, SyntaxTree> Unpatched = new();

    private static readonly Lazy<MetadataReference[]> Framework = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!)
            .Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var name
                && (name.StartsWith("System.", StringComparison.Ordinal) || name is "netstandard.dll" or "mscorlib.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    /// <summary>Gets the root of the repository: where the solution lies.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>Returns what runs one seed of the protocol world against the patched sources: the broken property, or null.</summary>
    public static Func<string, int, ulong, string?> Compile(Mutant? mutant)
    {
        var trees = new List<SyntaxTree> { CSharpSyntaxTree.ParseText(ImplicitUsings, Parsing) };
        foreach (var path in ProtocolSources.SelectMany(SourcesBelow))
        {
            var touched = IsTouched(mutant, path);
            trees.Add(touched ? CSharpSyntaxTree.ParseText(Patched(mutant!, path), Parsing, path) : Unpatched.GetOrAdd(path, Parse));
        }

        AssertComplete(mutant, trees);
        return Load(trees, mutant?.Name ?? "control");
    }

    /// <summary>Returns whether the mistake, or a part of it, is in this file.</summary>
    public static bool IsTouched(Mutant? mutant, string path) => mutant is not null && mutant.Patches.Any(patch => patch.File == path);

    /// <summary>Returns the patched source. A patch that does not fit any more is a mistake in the list, never a survivor.</summary>
    public static string Patched(Mutant mutant, string path)
    {
        var source = File.ReadAllText(Path.Combine(Root, path));
        foreach (var patch in mutant.Patches.Where(patch => patch.File == path))
        {
            var at = source.IndexOf(patch.Find, StringComparison.Ordinal);
            Assert.True(at >= 0, $"Mutant '{mutant.Name}': the text is no longer in {path}.");
            var again = source.IndexOf(patch.Find, at + 1, StringComparison.Ordinal);
            Assert.True(again < 0, $"Mutant '{mutant.Name}': the text occurs twice in {path}.");
            source = string.Concat(source.AsSpan(0, at), patch.Replace, source.AsSpan(at + patch.Find.Length));
        }

        return source;
    }

    /// <summary>Asserts that every file of the mistake is among what is compiled.</summary>
    public static void AssertComplete(Mutant? mutant, IReadOnlyCollection<SyntaxTree> trees)
    {
        foreach (var patch in mutant?.Patches ?? [])
            Assert.True(trees.Any(tree => tree.FilePath == patch.File), $"{patch.File} of '{mutant!.Name}' is not among the sources.");
    }

    /// <summary>
    /// Returns the sources in a directory, or the one file, as paths from the root of the repository and in a fixed order.
    /// </summary>
    public static IEnumerable<string> SourcesBelow(string path)
    {
        var full = Path.Combine(Root, path);
        if (File.Exists(full)) return [path];
        return Directory.EnumerateFiles(full, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Root, file).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal);
    }

    private static Func<string, int, ulong, string?> Load(List<SyntaxTree> trees, string name)
    {
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel: OptimizationLevel.Release,
            nullableContextOptions: NullableContextOptions.Enable);
        var compilation = CSharpCompilation.Create("Mutant", trees, Framework.Value, options);
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        var errors = result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(5);
        Assert.True(result.Success, $"Mutant '{name}' does not compile: {string.Join("; ", errors)}");
        image.Position = 0;
        var assembly = new AssemblyLoadContext(name, isCollectible: true).LoadFromStream(image);
        var entry = assembly.GetType("Massif.Simulation.Protocol.ProtocolWorld")!.GetMethod("BrokenProperty")!;
        return entry.CreateDelegate<Func<string, int, ulong, string?>>();
    }

    private static SyntaxTree Parse(string path) =>
        CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(Root, path)), Parsing, path);

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
            if (File.Exists(Path.Combine(directory.FullName, "Massif.sln"))) return directory.FullName;
        throw new DirectoryNotFoundException("The tests do not run inside the repository.");
    }
}
