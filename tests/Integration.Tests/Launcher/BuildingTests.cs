namespace Massif.Integration.Tests.Launcher;

public sealed class BuildingTests : IDisposable
{
    private readonly FakeCheckout _checkout = new();

    public void Dispose() => _checkout.Dispose();

    [Fact]
    public async Task The_first_start_builds_and_then_runs_with_the_arguments_given()
    {
        var result = await _checkout.RunAsync("demo", "--input", "a b.log");
        Assert.Equal(0, result.Code);
        Assert.StartsWith("ran massif.dll with [demo --input a b.log]", result.Output, StringComparison.Ordinal);
        Assert.Contains("[1] Cli", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, _checkout.Builds);
    }

    [Fact]
    public async Task A_second_start_builds_nothing_asks_nothing_and_says_nothing()
    {
        await _checkout.RunAsync();
        var before = _checkout.Calls.Count;
        var result = await _checkout.RunAsync("status");
        Assert.Equal("", result.Error);
        Assert.Equal(before + 1, _checkout.Calls.Count); // The program itself.
    }

    [Theory]
    [InlineData("src/A.cs")]
    [InlineData("benchmarks/B.cs")]
    [InlineData("configs/c.yaml")]
    [InlineData("Directory.Packages.props")]
    public async Task A_changed_source_is_built(string source)
    {
        await _checkout.RunAsync();
        File.AppendAllText(_checkout[source], "//");
        await _checkout.RunAsync();
        Assert.Equal(2, _checkout.Builds);
    }

    [Fact]
    public async Task A_source_that_went_or_came_is_a_change_and_a_test_is_none()
    {
        File.WriteAllText(_checkout["src/New.cs"], "");
        await _checkout.RunAsync();
        File.Delete(_checkout["src/New.cs"]);
        await _checkout.RunAsync();
        Assert.Equal(2, _checkout.Builds);
        File.WriteAllText(_checkout["tests/new.cs"], "");
        File.WriteAllText(_checkout["src/Cli/bin/whatever"], "");
        await _checkout.RunAsync();
        Assert.Equal(2, _checkout.Builds);
    }

    [Fact]
    public async Task A_failed_build_shows_its_errors_runs_nothing_and_is_tried_again()
    {
        _checkout.Tell("broken");
        var failed = await _checkout.RunAsync();
        Assert.Equal(1, failed.Code);
        Assert.Contains("error CS1002", failed.Error, StringComparison.Ordinal);
        Assert.Equal("", failed.Output);
        _checkout.Forget("broken");
        Assert.Equal(0, (await _checkout.RunAsync()).Code);
        Assert.Equal(2, _checkout.Builds);
    }

    [Fact]
    public async Task Two_starts_at_once_build_once()
    {
        await Shell.RunAsync("mkfifo", [_checkout.FakePath("pipe")]);
        _checkout.Tell("hold");
        var first = _checkout.RunAsync("first");
        using var second = Shell.Start(_checkout.Launcher, ["second"], environment: _checkout.Environment);

        // Whichever comes second says that it waits, or finds everything built; the build holds until one has spoken.
        Assert.NotNull(await second.StandardError.ReadLineAsync());
        await File.WriteAllTextAsync(_checkout.FakePath("pipe"), "\n");
        Assert.Equal(0, (await first).Code);
        await second.WaitForExitAsync();
        Assert.Equal(0, second.ExitCode);
        Assert.Equal(1, _checkout.Builds);
    }

    [Fact]
    public async Task Without_dotnet_it_says_what_to_install()
    {
        _checkout.RemoveDotnet();
        var environment = new Dictionary<string, string>(_checkout.Environment) { ["PATH"] = OnlyTools() };
        var result = await Shell.RunAsync("/bin/bash", [_checkout.Launcher], environment: environment);
        Assert.Equal(2, result.Code);
        foreach (var system in (string[])["Ubuntu", "Debian", "Fedora", "macOS", "dotnet-install.sh"])
            Assert.Contains(system, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_sdk_that_is_too_old_is_named()
    {
        _checkout.Tell("old-sdk");
        var result = await _checkout.RunAsync();
        Assert.Equal(2, result.Code);
        Assert.Contains("8.0.400", result.Error, StringComparison.Ordinal);
        Assert.Equal(0, _checkout.Builds);
    }

    [Fact]
    public async Task It_works_through_a_link_and_keeps_the_current_directory()
    {
        using var elsewhere = new TemporaryDirectory();
        File.CreateSymbolicLink(elsewhere["m"], _checkout.Launcher);
        var result = await Shell.RunAsync(elsewhere["m"], ["demo"], elsewhere.Path, _checkout.Environment);
        Assert.Contains($"in {elsewhere.Path}", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("<&-")]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public async Task A_closed_stream_is_an_empty_one_to_the_program(string closed)
    {
        await _checkout.RunAsync();
        _checkout.Tell("show-streams");
        string[] arguments = ["-c", $"\"$0\" {closed}", _checkout.Launcher];
        Assert.Equal(0, (await Shell.RunAsync("/bin/bash", arguments, environment: _checkout.Environment)).Code);
        var streams = File.ReadAllLines(_checkout.FakePath("streams"));
        Assert.Equal(3, streams.Length);
        Assert.DoesNotContain(_checkout.Launcher, streams);
    }

    /// <summary>A folder with what the launcher needs and no dotnet.</summary>
    private string OnlyTools()
    {
        var folder = _checkout["tools"];
        Directory.CreateDirectory(folder);
        foreach (var tool in (string[])["dirname", "readlink", "cat", "uname", "find", "sort", "id", "mkdir", "env"])
        {
            var real = (string[])[$"/usr/bin/{tool}", $"/bin/{tool}"];
            File.CreateSymbolicLink(Path.Combine(folder, tool), real.First(File.Exists));
        }

        return folder;
    }
}
