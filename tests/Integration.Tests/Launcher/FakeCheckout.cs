namespace Massif.Integration.Tests.Launcher;

/// <summary>A checkout with the real launcher and a dotnet that only pretends: it notes how it was called.</summary>
internal sealed class FakeCheckout : IDisposable
{
    // build: makes the program or the test assemblies, or fails when told so; with a file "hold" it waits until that is gone.
    // X.dll: prints its arguments. test X.dll: writes the results that the test prepared.
    private const string Dotnet = """
        #!/usr/bin/env bash
        echo "$*" >> "$FAKE/calls"
        case $1 in
          --version) [[ ! -f $FAKE/old-sdk ]] || exit 1; echo 10.0.100 ;;
          --list-sdks) echo "8.0.400 [/usr/share/dotnet/sdk]" ;;
          build)
            if [[ -f $FAKE/hold ]]; then : > "$FAKE/holding"; read -r _ < "$FAKE/pipe"; fi
            if [[ -f $FAKE/broken ]]; then echo "src/A.cs(1,1): error CS1002: ; expected [x]"; exit 1; fi
            mkdir -p src/Cli/bin/Release/net10.0 && : > src/Cli/bin/Release/net10.0/massif.dll
            for project in tests/*.Tests; do
              [[ -d $project ]] || continue
              mkdir -p "$project/bin/Release/net10.0" && : > "$project/bin/Release/net10.0/Massif.$(basename "$project").dll"
            done
            echo "  Cli -> $PWD/src/Cli/bin/Release/net10.0/massif.dll" ;;
          test)
            name=$(basename "$2" .dll); name=${name#Massif.}
            while [[ $# -gt 0 && $1 != --results-directory ]]; do shift; done
            [[ ! -f $FAKE/$name.trx ]] || cp "$FAKE/$name.trx" "$2/$name.trx"
            [[ ! -f $FAKE/$name.out ]] || cat "$FAKE/$name.out"
            [[ ! -f $FAKE/$name.code ]] || exit "$(cat "$FAKE/$name.code")" ;;
          *) [[ ! -f $FAKE/show-streams ]] || for stream in 0 1 2; do readlink /proc/$$/fd/$stream; done > "$FAKE/streams"
             echo "ran ${1##*/} with [${*:2}] in $PWD" ;;
        esac
        """;

    private readonly TemporaryDirectory _root = new();
    private readonly TemporaryDirectory _fake = new();

    public FakeCheckout()
    {
        File.Copy(Path.Combine(Checkout.Root, "massif"), _root["massif"]);
        _root.Write("src/A.cs", "class A;");
        string[] inputs =
        [
            "benchmarks/B.cs", "configs/c.yaml", "build/b.txt", "Directory.Build.props", "Directory.Build.targets",
            "Directory.Packages.props", "global.json", ".editorconfig", "Massif.sln", "tests/t",
        ];
        foreach (var file in inputs) _root.Write(file, "");
        File.SetUnixFileMode(_fake.Write("bin/dotnet", Dotnet), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Launcher => _root["massif"];

    public IReadOnlyDictionary<string, string> Environment => new Dictionary<string, string>
    {
        ["FAKE"] = _fake.Path,
        ["PATH"] = $"{_fake["bin"]}:/usr/local/bin:/usr/bin:/bin",
        ["HOME"] = _fake.Path,
        ["DOTNET_ROOT"] = "",
    };

    public int Builds => Calls.Count(call => call.StartsWith("build", StringComparison.Ordinal));

    public IReadOnlyList<string> Calls => File.Exists(_fake["calls"]) ? File.ReadAllLines(_fake["calls"]) : [];

    public string this[string file] => _root[file];

    public Task<ShellResult> RunAsync(params string[] arguments) => Shell.RunAsync(Launcher, arguments, environment: Environment);

    public void Tell(string name, string text = "") => _fake.Write(name, text);

    public void Forget(string name) => File.Delete(_fake[name]);

    public string FakePath(string name) => _fake[name];

    public void RemoveDotnet() => File.Delete(_fake["bin/dotnet"]);

    public void AddTests(string project, int passed, int failed, string output = "", int notRun = 0, string reason = "")
    {
        _root.Write($"tests/{project}/x.cs", "");
        var (total, executed) = (passed + failed + notRun, passed + failed);
        Tell($"{project}.trx", $"""
            <TestRun><Results>{(reason.Length > 0 ? $"<Message>massif-not-run: {reason}</Message>" : "")}</Results>
            <ResultSummary>
            <Counters total="{total}" executed="{executed}" passed="{passed}" failed="{failed}" error="0" />
            </ResultSummary></TestRun>
            """);
        Tell($"{project}.out", output);
        Tell($"{project}.code", failed > 0 ? "1" : "0");
    }

    public void Dispose()
    {
        _root.Dispose();
        _fake.Dispose();
    }
}
