using System.Net;
using System.Net.Sockets;
using System.Text;
using Massif.Cli.Demo;
using Massif.Events;
using Massif.Get.Framing;

namespace Massif.Integration.Tests.Demo;

public sealed class InputTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("a\nb\n", "a|b")]
    [InlineData("a\r\n\r\n\n  b", "a|  b")]
    [InlineData("\n\n", "")]
    [InlineData("", "")]
    [InlineData("\uFEFFa\n\uFEFFb\n", "a|\uFEFFb")]
    public void Lines_end_at_lf_or_cr_lf_and_empty_ones_are_left_out(string text, string lines)
    {
        var file = _directory.Write("in.log", text);
        Assert.Equal(lines, string.Join('|', InputLines.Read([file]).Select(line => Encoding.UTF8.GetString(line.Span))));
        Assert.Equal(lines.Length == 0 ? 0 : lines.Split('|').Length, InputLines.Count([file]));
    }

    [Fact]
    public void Lines_across_the_edges_of_the_read_buffer_stay_whole()
    {
        var expected = Enumerable.Range(0, 20_000)
            .Select(i => new string((char)('a' + (i % 26)), i % 97 + 1))
            .Append(new string('z', 700_000))
            .ToList();
        var file = _directory.Write("in.log", string.Join('\n', expected));
        Assert.Equal(expected, InputLines.Read([file]).Select(line => Encoding.UTF8.GetString(line.Span)));
    }

    [Fact]
    public void Files_follow_one_another_and_a_last_line_without_end_does_not_run_into_the_next_file()
    {
        var files = new[] { _directory.Write("1", "a\nb"), _directory.Write("2", "c\n") };
        Assert.Equal(["a", "b", "c"], InputLines.Read(files).Select(line => Encoding.UTF8.GetString(line.Span)));
    }

    [Fact]
    public async Task A_receiver_that_decides_per_frame_gets_every_line_as_it_was()
    {
        string[] lines =
        [
            "<38>1 2026-11-21T11:15:51Z web-1 sshd 1 - - ends with a CR in the middle \r of it",
            "Nov 21 11:15:51 web-1 sshd[1]: bare",
            "404 not found", "40 <13>looks like an octet count", "PROXY TCP4 is no proxy header", "  indented", "ü", "   ",
            "<13>" + new string('x', 60_000), "<13>" + new string('y', 70_000), new string('z', 70_000), "  <13>" + new string('s', 70_000),
            "40 <13>" + new string('c', 70_000), "error at 5 <nil> pointer, 7 <x>", "\uFEFFmark",
            "\0", "\0\0begins with NUL", "ends with NUL\0\0", "\0<13>a", "<13>a\0<14>b\0\0<15>c",
            "\r\r", "\rbegins with CR", "ends with CR\r\r", "  12 <13>indented", "007 <13>a", "<", "last",
        ];
        var file = _directory.Write("in.log", string.Join('\n', lines));
        var (received, feeder) = await FeedAsync(InputLines.Read([file]), [], _ => Task.CompletedTask);
        using (feeder)
        {
            using var digest = new LineDigest(64 * 1024);
            foreach (var frame in received) digest.Add(frame);
            Assert.Equal(lines.Select(Text), received.Select(frame => Text(Encoding.UTF8.GetString(frame))));
            Assert.Equal(lines.Length, feeder.Sent);
            Assert.Equal(feeder.Digest(), digest.Current());
        }
    }

    [Fact]
    public async Task A_checkpoint_comes_exactly_after_its_number_of_lines_and_nothing_after_it_has_left()
    {
        var file = _directory.Write("in.log", string.Concat(Enumerable.Range(0, 100).Select(i => $"line {i}\n")));
        var seen = new List<(long At, long Sent)>();
        DemoFeeder? feeder = null;
        (_, feeder) = await FeedAsync(InputLines.Read([file]), [0, 25, 50, 75], at =>
        {
            seen.Add((at, feeder!.Sent));
            return Task.CompletedTask;
        }, made => feeder = made);
        using (feeder) Assert.Equal([(0, 0), (25, 25), (50, 50), (75, 75)], seen);
    }

    [Fact]
    public async Task What_a_fault_takes_to_show_is_not_taken_from_the_seconds()
    {
        var clock = new SteppedClock();
        var file = _directory.Write("in.log", "1\n2\n3\n4\n5\n");
        var (frames, feeder) = await FeedAsync(InputLines.Read([file]), [2, 4], at =>
        {
            clock.Now += at == 2 ? 60 : 1;
            return Task.CompletedTask;
        }, limit: TimeSpan.FromSeconds(10), clock: clock);
        using (feeder) Assert.Equal((5, 5), (frames.Count, feeder.Sent));
    }

    [Fact]
    public async Task When_the_seconds_are_over_sending_ends_and_the_faults_still_come()
    {
        var clock = new SteppedClock();
        var seen = new List<long>();
        IEnumerable<ReadOnlyMemory<byte>> Lines()
        {
            for (var i = 1; i <= 100; i++)
            {
                if (i == 3) clock.Now += 11;
                yield return "line"u8.ToArray();
            }
        }

        var (frames, feeder) = await FeedAsync(Lines(), [50], at =>
        {
            seen.Add(at);
            return Task.CompletedTask;
        }, limit: TimeSpan.FromSeconds(10), clock: clock);
        using (feeder) Assert.Equal((2, 2), (frames.Count, feeder.Sent));
        Assert.Equal([50], seen);
    }

    [Fact]
    public async Task A_pipe_is_read_once_and_replayed_from_a_copy()
    {
        var pipe = _directory["pipe"];
        Assert.Equal(0, (await Shell.RunAsync("/usr/bin/mkfifo", [pipe])).Code);
        using var writer = Shell.Start("/bin/sh", ["-c", "printf 'a\n\nb\n' > \"$0\"", pipe]);
        var request = new DemoRequest { Inputs = [pipe, _directory.Write("file", "c")] };
        var (input, mistake) = await DemoInput.OpenAsync(request, _directory.Path, CancellationToken.None);
        Assert.Equal(("", 3), (mistake, input!.Lines));
        Assert.Equal(["a", "b", "c"], InputLines.Read(input.Files).Select(line => Encoding.UTF8.GetString(line.Span)));
    }

    [Fact]
    public async Task Waiting_for_a_pipe_that_nobody_writes_into_can_be_ended()
    {
        var pipe = _directory["pipe"];
        Assert.Equal(0, (await Shell.RunAsync("/usr/bin/mkfifo", [pipe])).Code);
        using var stop = new CancellationTokenSource();
        var opening = DemoInput.OpenAsync(new() { Inputs = [pipe] }, _directory.Path, stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
        using var reader = Shell.Start("/bin/sh", ["-c", ": > \"$0\"", pipe]); // The thread that waits ends too.
        await reader.WaitForExitAsync();
    }

    [Fact]
    public async Task What_cannot_be_replayed_is_said_by_its_name()
    {
        string Mistake(string file) => Assert.Single(DemoInput.MistakesIn(new() { Inputs = [file] }));
        Assert.Equal("--input: /nowhere.log does not exist.", Mistake("/nowhere.log"));
        Assert.Equal($"--input: {_directory.Path} is a directory; name the files in it.", Mistake(_directory.Path));
        Assert.Equal("--input: --no-fault is no file, and no option of massif demo.", Mistake("--no-fault"));
        Assert.Empty(DemoInput.MistakesIn(new() { Inputs = ["-"] }));
        var empty = _directory.Write("empty.log", "\n\r\n");
        var (_, mistake) = await DemoInput.OpenAsync(new() { Inputs = [empty] }, _directory.Path, CancellationToken.None);
        Assert.Equal($"--input: there is no line in {empty}.", mistake);
    }

    [Fact]
    public void Digests_tell_other_lines_and_another_order_apart()
    {
        static string Of(params string[] lines)
        {
            using var digest = new LineDigest(10);
            foreach (var line in lines) digest.Add(Encoding.UTF8.GetBytes(line));
            return digest.Current();
        }

        Assert.NotEqual(Of("a", "b"), Of("a", " b"));
        Assert.NotEqual(Of("a", "b"), Of("b", "a"));
        Assert.NotEqual(Of("a", "b"), Of("ab"));
        Assert.NotEqual(Of("a"), Of("a", ""));
        Assert.Equal(Of("0123456789cut here"), Of("0123456789"));
    }

    /// <summary>
    /// What of a line has to arrive: not the delimiters around it, and not what is far beyond the receiver's largest message.
    /// </summary>
    private static string Text(string line)
    {
        var text = line.Trim(' ', '\r', '\0').Replace("\0 <", "\0<", StringComparison.Ordinal);
        return text[..Math.Min(text.Length, 60_000)];
    }

    private static async Task<(List<byte[]> Frames, DemoFeeder Feeder)> FeedAsync(
        IEnumerable<ReadOnlyMemory<byte>> lines,
        IReadOnlyList<long> checkpoints,
        Func<long, Task> at,
        Action<DemoFeeder>? made = null,
        TimeSpan? limit = null,
        TimeProvider? clock = null)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var feeder = new DemoFeeder((IPEndPoint)listener.LocalEndpoint, rate: null, 64 * 1024, clock);
        made?.Invoke(feeder);
        var sending = feeder.RunAsync(lines, limit, at, checkpoints, CancellationToken.None);
        using var client = await listener.AcceptTcpClientAsync();
        using var bytes = new MemoryStream();
        await client.GetStream().CopyToAsync(bytes);
        client.Close();
        await sending;
        return (Frames(bytes.ToArray()), feeder);
    }

    /// <summary>The frames as the edge's own framing sees them; it must not have had to guess.</summary>
    private static List<byte[]> Frames(byte[] bytes)
    {
        var framing = new SyslogFraming(64 * 1024, overTls: false);
        var frames = new List<byte[]>();
        for (var start = 0; start < bytes.Length; start += 4096)
        {
            framing.Push(bytes.AsSpan(start, Math.Min(4096, bytes.Length - start)));
            while (framing.TryRead(out var frame)) frames.Add(frame.Bytes.ToArray());
        }

        framing.End();
        while (framing.TryRead(out var last)) frames.Add(last.Bytes.ToArray());
        Assert.Equal(EventFlags.None, framing.Flags & ~EventFlags.Truncated);
        return frames;
    }

    private sealed class SteppedClock : TimeProvider
    {
        public long Now { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Now;
    }
}
