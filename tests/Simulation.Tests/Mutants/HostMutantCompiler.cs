using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Massif.Simulation.Tests.Mutants;

/// <summary>Compiles the hosts with a patch in memory and runs the domain world on them.</summary>
/// <remarks>
/// Only Massif.Reb is compiled anew; the assemblies that stand on it are loaded a second time, into a context of their own, so that no
/// type of the mutant is mixed with one of the real assembly. What lies below is shared.
/// </remarks>
internal static partial class HostMutantCompiler
{
    /// <summary>What the build adds to every file by itself.</summary>
    public const string ImplicitUsings = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        """;

    /// <summary>Processes around hosts: nothing of the domain world uses them, and a source generator makes their log calls.</summary>
    private static readonly string[] LeftOut = ["NodeRuntime.cs", "RelayNode.cs"];

    private static readonly string[] StandOnReb = ["Massif.Simulation", "Massif.Mis.Core", "Massif.Mis.Edge"];

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest, DocumentationMode.None);

    private static readonly ConcurrentDictionary<string, SyntaxTree> Unpatched = new();

    private static readonly Lazy<MetadataReference[]> References = new(() =>
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path) is var file
                && (!file.StartsWith("Massif.", StringComparison.Ordinal) || file is "Massif.Actors.dll" or "Massif.Reb.Protocol.dll"))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ]);

    /// <summary>Returns what runs one seed of the domain world on the patched hosts: the broken property, or null.</summary>
    public static Func<int, ulong, string?> Compile(Mutant? mutant)
    {
        var trees = MutantCompiler.SourcesBelow("src/Reb")
            .Where(file => !LeftOut.Contains(Path.GetFileName(file)))
            .Select(file => MutantCompiler.IsTouched(mutant, file)
                ? Parse(file, MutantCompiler.Patched(mutant!, file))
                : Unpatched.GetOrAdd(file, Read))
            .Append(CSharpSyntaxTree.ParseText(ImplicitUsings, Parsing))
            .ToArray();
        MutantCompiler.AssertComplete(mutant, trees);
        var context = new Context(Emit("Massif.Reb", mutant, trees));
        var world = context.LoadFromAssemblyName(new("Massif.Simulation")).GetType("Massif.Simulation.WholeDomain.DomainWorld")!;
        var run = world.GetMethod("BrokenProperty")!.CreateDelegate<Func<int, ulong, string?>>();
        return (replicas, seed) =>
        {
            var broken = run(replicas, seed);
            GC.KeepAlive(context); // A context that is collected loads nothing more, even while its code runs.
            return broken;
        };
    }

    /// <summary>Compiles sources that stand on no other project of ours but the lowest ones, and returns the assembly.</summary>
    public static byte[] Emit(string assembly, Mutant? mutant, IEnumerable<SyntaxTree> trees)
    {
        var options = new CSharpCompilationOptions(
            OutputKind.DynamicallyLinkedLibrary,
            optimizationLevel: OptimizationLevel.Release,
            nullableContextOptions: NullableContextOptions.Enable);
        using var image = new MemoryStream();
        var result = CSharpCompilation.Create(assembly, trees, References.Value, options).Emit(image);
        var errors = result.Diagnostics.Where(d => d.Severity == DiagnosticSeverity.Error).Take(5);
        Assert.True(result.Success, $"'{mutant?.Name}' does not compile: {string.Join("; ", errors)}");
        return image.ToArray();
    }

    private static SyntaxTree Read(string file) => Parse(file, File.ReadAllText(Path.Combine(MutantCompiler.Root, file)));

    /// <summary>No source generator runs here: regular expressions are made at run time instead.</summary>
    private static SyntaxTree Parse(string file, string source) =>
        CSharpSyntaxTree.ParseText(GeneratedRegex().Replace(source, "$2 static Regex $3() => new($1);"), Parsing, file);

    [GeneratedRegex(@"\[GeneratedRegex\((.*)\)\]\s*(public|private) static partial Regex (\w+)\(\);")]
    private static partial Regex GeneratedRegex();

    private sealed class Context(byte[] reb) : AssemblyLoadContext(null, isCollectible: true)
    {
        protected override Assembly? Load(AssemblyName assemblyName)
        {
            if (assemblyName.Name == "Massif.Reb") return LoadFromStream(new MemoryStream(reb));
            if (!StandOnReb.Contains(assemblyName.Name)) return null;
            return LoadFromStream(new MemoryStream(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, assemblyName.Name + ".dll"))));
        }
    }
}
