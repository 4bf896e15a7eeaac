using System.Text;
using Massif.Events;
using Massif.Get.Framing;

namespace Massif.Get.Tests;

public sealed class SyslogFramingTests
{
    [Fact]
    public void A_line_without_its_delimiter_is_a_frame_when_the_connection_ends()
    {
        var (frames, framing) = Receive(["<13>one\n<13>tw", "o"]);

        Assert.Equal(["<13>one", "<13>two"], frames);
        Assert.Equal(EventFlags.Unterminated, framing.Flags);
    }

    [Fact]
    public void A_counted_frame_that_the_end_cuts_is_kept_and_flagged()
    {
        var (frames, framing) = Receive(["40 <13>only this"]);

        Assert.Equal(["<13>only this"], frames);
        Assert.Equal(EventFlags.Truncated, framing.Flags);
    }

    [Theory]
    [InlineData("<13>0123456789abcdef\n<13>next\n")]
    [InlineData("20 <13>0123456789abcdef<13>next\n")]
    public void A_frame_above_the_limit_is_cut_the_rest_counted_and_the_next_one_found(string input)
    {
        var (frames, framing) = Receive([input], limit: 10);

        Assert.Equal(["<13>012345", "<13>next"], frames);
        Assert.Equal(EventFlags.Truncated, framing.Flags);
        Assert.Equal(10, framing.DiscardedBytes);
    }

    [Theory]
    [InlineData("<13>012345\n")]
    [InlineData("<13>012345\r\n")]
    [InlineData("10 <13>012345")]
    public void A_frame_of_exactly_the_limit_is_whole(string input)
    {
        var (frames, framing) = Receive([input], limit: 10);

        Assert.Equal(["<13>012345"], frames);
        Assert.Equal(EventFlags.None, framing.Flags & EventFlags.Truncated);
    }

    [Fact]
    public void A_length_of_two_gigabytes_reserves_nothing_and_is_a_framing_error()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        var (frames, framing) = Receive(["2147483647 <13>x\n<13>one\n"]);

        Assert.Equal(["<13>one"], frames);
        Assert.Equal(EventFlags.FramingError | EventFlags.Resync, framing.Flags | EventFlags.FramingError);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_line_that_never_ends_takes_no_more_memory_than_limit_and_chunk()
    {
        var framing = new SyslogFraming(1024, overTls: false);
        var chunk = new byte[4096];
        Array.Fill(chunk, (byte)'x');
        for (var i = 0; i < 1000; i++)
        {
            framing.Push(chunk);
            while (framing.TryRead(out _))
            {
            }

            Assert.InRange(framing.BufferedBytes, 0, 1024 + 4096);
        }

        Assert.Equal((1000 * 4096) - 1024, framing.DiscardedBytes);
    }

    [Fact]
    public void Compacting_gives_back_what_is_not_needed_and_keeps_every_byte()
    {
        var framing = new SyslogFraming(64 * 1024, overTls: false);
        var chunk = new byte[64 * 1024];
        Array.Fill(chunk, (byte)'x');
        chunk[^10] = (byte)'\n';
        framing.Push(chunk);
        Assert.True(framing.TryRead(out _) && !framing.TryRead(out _));
        Assert.Equal(1, framing.Frames);
        Assert.True(framing.CapacityBytes >= chunk.Length);

        framing.Compact();
        Assert.Equal((9, 9), (framing.BufferedBytes, framing.CapacityBytes));
        framing.Push("end\n"u8);
        Assert.Equal("xxxxxxxxxend", Next(framing).Text);
        Assert.False(framing.TryRead(out _));
        framing.Compact();
        Assert.Equal(0, framing.CapacityBytes);
        framing.Push("<13>again\n"u8);
        Assert.Equal("<13>again", Next(framing).Text);
    }

    [Fact]
    public void After_a_framing_error_the_next_good_frame_says_so()
    {
        var framing = new SyslogFraming(100, overTls: false);
        framing.Push("8 <13>abcd?\n<13>x\n<13>y\n"u8);

        Assert.Equal(("<13>abcd", EventFlags.None), Next(framing));
        Assert.Equal(("?", EventFlags.FramingError), Next(framing));
        Assert.Equal(("<13>x", EventFlags.Resync), Next(framing));
        Assert.Equal(("<13>y", EventFlags.None), Next(framing));
    }

    /// <summary>How the network cuts the stream must not matter: every input in every split gives the same frames.</summary>
    [Fact]
    public void Frames_do_not_depend_on_how_the_stream_was_cut()
    {
        string[] pieces =
        [
            "<13>abc\n", "9 <13>hello", "9 <13>hello\n", "404 not found\n", "\r\n", "\n", "\0", " <13>x\n", "07 <13>zz\n",
            "99999999999 <13>x\n", "\u00ef\u00bb\u00bf", "7 <13>a\r\n", "text\r\n", "12", " ", "<", "\r", "5 <1>é", "x",
            "<13>a\0<13>b", "\0<", "\0x", "\0\0", new(' ', 12), "<13>longer than the limit\0",
        ];
        var random = new Random(6587);
        for (var round = 0; round < 20_000; round++)
        {
            var input = string.Concat(Enumerable.Range(0, random.Next(1, 6)).Select(_ => pieces[random.Next(pieces.Length)]));
            var (whole, wholeFraming) = Receive([input], limit: 12);
            var (cut, cutFraming) = Receive(Cut(input, random), limit: 12);

            var (single, singleFraming) = Receive(input.Select(c => c.ToString()), limit: 12);

            Assert.Equal(whole, cut);
            Assert.Equal(whole, single);
            Assert.Equal(wholeFraming.Flags, singleFraming.Flags);
            Assert.Equal(wholeFraming.DiscardedBytes, singleFraming.DiscardedBytes);
            Assert.Equal(wholeFraming.Flags, cutFraming.Flags);
            Assert.Equal(wholeFraming.DiscardedBytes, cutFraming.DiscardedBytes);
        }
    }

    [Fact]
    public void Any_bytes_come_out_as_frames_or_are_counted()
    {
        var random = new Random(514);
        for (var round = 0; round < 20_000; round++)
        {
            // No delimiters and digits: then every byte belongs to a frame or is counted.
            var input = new string([.. Enumerable.Range(0, random.Next(1, 60)).Select(_ => (char)random.Next('<', 256))]);
            var (frames, framing) = Receive(Cut(input, random), limit: 20, overTls: random.Next(2) == 0);

            Assert.Equal(input.Length, frames.Sum(frame => frame.Length) + framing.DiscardedBytes);
        }
    }

    private static (string Text, EventFlags Flags) Next(SyslogFraming framing)
    {
        Assert.True(framing.TryRead(out var frame));
        return (Encoding.Latin1.GetString(frame.Bytes), frame.Flags);
    }

    private static IEnumerable<string> Cut(string input, Random random)
    {
        while (input.Length > 0)
        {
            var length = random.Next(1, Math.Min(input.Length, 5) + 1);
            yield return input[..length];
            input = input[length..];
        }
    }

    private static (List<string> Frames, SyslogFraming Framing) Receive(
        IEnumerable<string> chunks, int limit = 8192, bool overTls = false)
    {
        var framing = new SyslogFraming(limit, overTls);
        var frames = new List<string>();
        foreach (var chunk in chunks)
        {
            framing.Push(Encoding.Latin1.GetBytes(chunk));
            while (framing.TryRead(out var frame)) frames.Add(Encoding.Latin1.GetString(frame.Bytes));
            if (chunk.Length % 2 == 0) framing.Compact(); // Whether memory was given back must not matter either.
        }

        framing.End();
        while (framing.TryRead(out var frame)) frames.Add(Encoding.Latin1.GetString(frame.Bytes));
        return (frames, framing);
    }
}
