namespace Massif.Integration.Tests.Launcher;

public sealed class TestingTests : IDisposable
{
    private readonly FakeCheckout _checkout = new();

    public void Dispose() => _checkout.Dispose();

    [Fact]
    public async Task Counts_of_all_projects_are_added_up_in_the_last_line()
    {
        _checkout.AddTests("A.Tests", passed: 3, failed: 0);
        _checkout.AddTests("B.Tests", passed: 40, failed: 0);
        _checkout.AddTests("C.Tests", passed: 500, failed: 0);
        var result = await _checkout.RunAsync("test");
        Assert.Equal("543 passed, 0 failed", result.LastLine);
        Assert.Equal(0, result.Code);
        Assert.Equal(["A.Tests", "B.Tests", "C.Tests"], result.Output.Split('\n').SkipLast(2).Select(line => line.Split(' ')[0]));
    }

    [Fact]
    public async Task A_failure_is_shown_in_full_and_makes_the_run_fail()
    {
        _checkout.AddTests("A.Tests", passed: 3, failed: 2, output: "Failed A.Tests.One\nAssert.Equal() Failure\nFailed A.Tests.Two\n");
        _checkout.AddTests("B.Tests", passed: 1, failed: 0, output: "nothing of interest");
        var result = await _checkout.RunAsync("test");
        Assert.Equal(1, result.Code);
        Assert.Equal("4 passed, 2 failed", result.LastLine);
        Assert.Contains("Assert.Equal() Failure", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("nothing of interest", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_test_process_that_crashed_counts_as_a_failure()
    {
        _checkout.AddTests("A.Tests", passed: 3, failed: 0);
        _checkout.Tell("A.Tests.code", "134");
        var result = await _checkout.RunAsync("test");
        Assert.Equal("3 passed, 1 failed", result.LastLine);
        Assert.Contains("exit code 134", result.Output, StringComparison.Ordinal);
        Assert.Equal(1, result.Code);
    }

    [Fact]
    public async Task No_test_at_all_is_a_failure()
    {
        _checkout.AddTests("A.Tests", passed: 0, failed: 0);
        var result = await _checkout.RunAsync("test", "Nothing_is_called_so");
        Assert.Equal("0 passed, 0 failed", result.LastLine);
        Assert.Equal(1, result.Code);
    }

    [Fact]
    public async Task What_was_not_run_is_told_with_the_reason_before_the_last_line()
    {
        _checkout.AddTests("A.Tests", passed: 3, failed: 0, notRun: 2, reason: "rsyslogd is not installed");
        var result = await _checkout.RunAsync("test");
        Assert.Equal("not run: 2 (rsyslogd is not installed)", result.Output.TrimEnd('\n').Split('\n')[^2]);
        Assert.Equal("3 passed, 0 failed", result.LastLine);
        Assert.Equal(0, result.Code);
    }

    [Fact]
    public async Task A_filter_chooses_projects_by_name_or_else_tests_in_all_of_them()
    {
        _checkout.AddTests("Aa.Tests", passed: 1, failed: 0);
        _checkout.AddTests("Bb.Tests", passed: 1, failed: 0);
        Assert.Equal("1 passed, 0 failed", (await _checkout.RunAsync("test", "Aa")).LastLine);
        Assert.DoesNotContain(_checkout.Calls, call => call.Contains("--filter", StringComparison.Ordinal));
        await _checkout.RunAsync("test", "Some_test");
        Assert.Equal(2, _checkout.Calls.Count(call => call.Contains("--filter FullyQualifiedName~Some_test", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_build_that_fails_ends_with_the_same_last_line()
    {
        _checkout.Tell("broken");
        var result = await _checkout.RunAsync("test");
        Assert.Equal("0 passed, 0 failed", result.LastLine);
        Assert.Equal(1, result.Code);
    }

    [Fact]
    public async Task The_program_is_not_built_again_after_the_tests_were()
    {
        _checkout.AddTests("A.Tests", passed: 1, failed: 0);
        await _checkout.RunAsync("test");
        await _checkout.RunAsync("status");
        Assert.Equal(1, _checkout.Builds);
    }
}
