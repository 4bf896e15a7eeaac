using System.Text;

namespace Massif.Events.Tests;

public sealed class BatchTests
{
    [Fact]
    public void Every_field_comes_back_as_it_was_set()
    {
        Assert.True(BatchReader.TryOpen(Samples.Batch(), out var batch, out _));
        var view = batch[0];

        Assert.Equal(Samples.Line, Encoding.UTF8.GetString(view.Raw));
        Assert.Equal(Samples.Observed, view.TimeObserved);
        Assert.Equal((TimeQuality.Holdover, 1500u), (view.Quality, view.ErrorMicros!.Value));
        Assert.Equal(Samples.Observed - 1_800_000_000_000, view.Time);
        Assert.Equal((short)-210, view.TimeOffsetMinutes);
        Assert.Equal((4, 6, 3u), (view.Facility, view.Severity, view.Count));
        Assert.Equal(EventFlags.YearAssumed | EventFlags.SameAttempt, view.Flags);
        Assert.Equal((EventCategory.Authentication, EventAction.Login, EventOutcome.Failure), (view.Category, view.Action, view.Outcome));
        Assert.Equal((EventSourceType.Sshd, EventParser.Rfc3164, (byte)1), (view.SourceType, view.Parser, view.ParserVersion));
        Assert.Equal(((byte)95, EventTransport.Tls), (view.ConfidencePercent, view.Transport));
        Assert.Equal("host1", Text(view, EventField.Host));
        Assert.Equal("sshd", Text(view, EventField.App));
        Assert.Equal("root", Text(view, EventField.UserName));
        Assert.StartsWith("Failed password", Text(view, EventField.Message), StringComparison.Ordinal);
        Assert.Equal((Samples.Observed - 5, Samples.Observed), (view.TimeFirst!.Value, view.TimeLast!.Value));
        Assert.True(view.TryGetNumber(EventField.SourcePort, out var port));
        Assert.Equal(51022, port);
        Assert.True(view.TryGetAddress(EventField.SourceAddress, out var source));
        Assert.Equal("203.0.113.7", source.ToString());
        Assert.True(view.TryGetAddress(EventField.PeerAddress, out var peer));
        Assert.Equal("2001:db8::1", peer.ToString());
    }

    [Fact]
    public void Absent_and_empty_are_different()
    {
        Assert.True(BatchReader.TryOpen(Samples.Batch(), out var batch, out _));

        Assert.True(batch[0].Has(EventField.MsgId));
        Assert.Equal("", Text(batch[0], EventField.MsgId));
        Assert.False(batch[1].Has(EventField.MsgId));
        Assert.False(batch[1].Has(EventField.Time));
        Assert.Null(batch[1].Time);
        Assert.Null(batch[1].ErrorMicros);
        Assert.False(batch[1].TryGetAddress(EventField.SourceAddress, out _));
    }

    [Fact]
    public void Text_of_the_raw_line_is_stored_once()
    {
        var draft = new EventDraft();
        draft.Reset("a line with a word"u8);
        var without = draft.EncodedLength;

        draft.SetText(EventField.UserName, draft.Raw[14..]);
        Assert.Equal(without + 4, draft.EncodedLength);

        draft.SetText(EventField.App, "another"u8);
        Assert.Equal(without + 4 + 4 + 7, draft.EncodedLength);
    }

    [Fact]
    public void Attributes_keep_order_and_type()
    {
        Assert.True(BatchReader.TryOpen(Samples.Batch(), out var batch, out _));
        var attributes = batch[0].Attributes;

        Assert.True(attributes.MoveNext());
        Assert.Equal(("text", "value"), (EventText.Decode(attributes.Name), EventText.Decode(attributes.Value)));
        Assert.False(attributes.IsNumber);
        Assert.True(attributes.MoveNext());
        Assert.Equal(("number", -7), (EventText.Decode(attributes.Name), attributes.Number));
        Assert.False(attributes.MoveNext());
    }

    [Fact]
    public void A_long_line_uses_the_wide_table_and_reads_the_same()
    {
        Assert.True(BatchReader.TryOpen(Samples.Batch(), out var batch, out _));

        Assert.Equal(70_000, batch[2].Raw.Length);
        Assert.Equal(70_000, batch[2].Text(EventField.Message).Length);
    }

    [Fact]
    public void The_lookup_finds_each_event_and_nothing_else()
    {
        var bytes = Samples.Batch();
        Assert.True(BatchReader.TryOpen(bytes, out var batch, out _));

        for (var i = 0; i < batch.Count; i++)
        {
            Assert.True(EventLookup.TryGet(bytes, i, out var view));
            Assert.True(view.Encoded.SequenceEqual(batch[i].Encoded));
        }

        Assert.False(EventLookup.TryGet(bytes, batch.Count, out _));
        Assert.False(EventLookup.TryGet(bytes, -1, out _));
    }

    [Fact]
    public void A_batch_ends_at_1024_events()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        Samples.FillPlain(draft, "x");

        while (builder.TryAdd(draft))
        {
        }

        Assert.Equal(BatchBuilder.EventsMax, builder.Count);
        Assert.Equal(builder.Bytes, builder.Build().Length);
    }

    [Fact]
    public void A_batch_ends_at_128_KiB_and_goes_on_after_reset()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        Samples.FillPlain(draft, new string('x', 1000));

        while (builder.TryAdd(draft))
        {
        }

        Assert.InRange(builder.Bytes, BatchBuilder.BytesMax - draft.EncodedLength - 4, BatchBuilder.BytesMax);
        builder.Reset();
        Assert.Equal(0, builder.Count);
        Assert.True(builder.TryAdd(draft));
    }

    [Fact]
    public void The_largest_possible_event_fits_a_batch_of_its_own()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        Samples.FillPlain(draft, new string('x', 1_000_000));
        for (var i = 0; i < 100; i++) draft.SetText(EventField.UserName, new byte[1024]);
        for (var i = 0; i < 100; i++) draft.AddAttribute("name"u8, new byte[1024]);

        Assert.True(builder.TryAdd(draft));
        Assert.False(builder.TryAdd(draft));
        var bytes = builder.Build();
        Assert.InRange(bytes.Length, BatchBuilder.BytesMax, BatchBuilder.SingleEventBytesMax);
        Assert.True(BatchReader.TryOpen(bytes, out var batch, out _));
        Assert.Equal(EventFlags.Truncated | EventFlags.FieldOverLimit, batch[0].Flags);
        Assert.Equal(EventDraft.RawBytesMax, batch[0].Raw.Length);
    }

    [Fact]
    public void Making_events_allocates_nothing()
    {
        var draft = new EventDraft();
        var builder = new BatchBuilder();
        var line = Encoding.UTF8.GetBytes(Samples.Line);
        Fill();

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) Fill();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Fill()
        {
            draft.Reset(line);
            draft.SetText(EventField.Message, draft.Raw[36..]);
            draft.SetText(EventField.App, "other"u8);
            draft.SetAddress(EventField.SourceAddress, IpAddress.FromIPv4(0x7F000001));
            draft.AddAttribute("n"u8, 1);
            if (!builder.TryAdd(draft)) builder.Reset();
        }
    }

    [Fact]
    public void The_format_of_version_1_never_changes()
    {
        var golden = File.ReadAllBytes(Path.Combine("Golden", "batch-v1.bin"));

        Assert.True(golden.AsSpan().SequenceEqual(Samples.Batch()));
        Assert.True(BatchReader.TryOpen(golden, out var batch, out _));
        Assert.Equal(4, batch.Count);
    }

    private static string Text(in EventView view, EventField field) => Encoding.UTF8.GetString(view.Text(field));
}
