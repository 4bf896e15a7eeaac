using Massif.Reb.Links;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Wire;

/// <summary>Every frame: what is written is read again, equals the golden file of its version, and limits hold.</summary>
public sealed class CodecTests
{
    private static readonly byte[] Payload = [1, 2, 3];
    private static readonly BatchHeader Header = new(
        Golden.Instance, 3, Payload.Length, Digest.Of(Payload), 1_700_000_000_123_456_789, -5, new("00112233-4455-6677-8899-aabbccddeeff"));

    [Fact]
    public void Votes()
    {
        Vote[] votes =
        [
            new(VoteKind.Echo, Golden.Instance, Golden.SomeDigest),
            new(VoteKind.Ready, Golden.Instance with { Seq = ulong.MaxValue }, Golden.OtherDigest),
            new(VoteKind.Done, Golden.Instance with { Stream = new(ushort.MaxValue, StreamClass.Bulk) }, default),
        ];
        var frame = Golden.Check("votes-v1", VotesFrame.Build(votes));
        Assert.Equal((byte)FrameType.Votes, Frames.TypeOf(frame));
        var read = new Vote[VotesFrame.MaxVotes];
        Assert.Equal(3, VotesFrame.Read(Frames.BodyOf(frame), read));
        Assert.Equal(votes, read[..3]);
    }

    [Fact]
    public void Votes_have_limits()
    {
        var vote = new Vote(VoteKind.Echo, Golden.Instance, Golden.SomeDigest);
        var read = new Vote[VotesFrame.MaxVotes];
        var most = VotesFrame.Build([.. Enumerable.Repeat(vote, VotesFrame.MaxVotes)]);
        Assert.Equal(VotesFrame.MaxVotes, VotesFrame.Read(Frames.BodyOf(most), read));
        Assert.Throws<InvariantViolationException>(() => VotesFrame.Build([.. Enumerable.Repeat(vote, VotesFrame.MaxVotes + 1)]));
        Assert.Throws<InvariantViolationException>(() => VotesFrame.Build([]));

        var tooMany = (byte[])[65, .. Enumerable.Repeat((byte)0, 65 * 56)];
        Assert.Equal(-1, VotesFrame.Read(tooMany, read));
        Assert.Equal(-1, VotesFrame.Read([0], read));
        Assert.Equal(-1, VotesFrame.Read([], read));
        Assert.Equal(-1, VotesFrame.Read([.. Frames.BodyOf(most), 0], read)); // A byte too much.
        Assert.Equal(-1, VotesFrame.Read(Frames.BodyOf(most)[..^1], read));
        Assert.Equal(-1, VotesFrame.Read(Changed(VotesFrame.Build([vote]), 7, 3).AsSpan(6), read)); // No such kind.
        var ofNothing = vote with { Instance = Golden.Instance with { Seq = 0 } };
        Assert.Equal(-1, VotesFrame.Read(Frames.BodyOf(VotesFrame.Build([ofNothing])), read));
        Assert.Equal(-1, VotesFrame.Read(Changed(VotesFrame.Build([vote]), 14, 2).AsSpan(6), read)); // No such class.
    }

    [Fact]
    public void Statuses()
    {
        var have = default(HaveBits);
        have.Set(0);
        have.Set(130);
        var full = default(HaveBits);
        full.Set(HaveBits.Capacity - 1);
        StreamStatus[] statuses =
        [
            new(7, Golden.Instance.Life, 5, 261, 4, have),
            new(ulong.MaxValue, new(new(1, StreamClass.Bulk), 1), ulong.MaxValue, 0, ulong.MaxValue, full),
            new(1, new(new(0, StreamClass.Bulk), 0), 0, 0, 0, default),
        ];
        var frame = Golden.Check("status-v1", StatusFrame.Build(statuses));
        Assert.Equal((byte)FrameType.Status, Frames.TypeOf(frame));
        var read = new StreamStatus[StatusFrame.MaxStatuses];
        Assert.Equal(3, StatusFrame.Read(Frames.BodyOf(frame), read));
        Assert.Equal(statuses, read[..3]);
    }

    [Fact]
    public void Statuses_have_limits()
    {
        var read = new StreamStatus[StatusFrame.MaxStatuses];
        var one = StatusFrame.BuildBody([new(1, Golden.Instance.Life, 1, 2, 0, default)]);
        Assert.Equal(1, StatusFrame.Read(one, read));
        Assert.Equal(-1, StatusFrame.Read(Changed(one, one.Length - 1, HaveBits.Words + 1), read));
        Assert.Equal(-1, StatusFrame.Read(Changed(one, one.Length - 1, 1), read)); // A word that is not there.
        Assert.Equal(-1, StatusFrame.Read(Changed(one, 0, 0), read));
        Assert.Equal(-1, StatusFrame.Read(Changed(one, 0, 2), read));
        Assert.Equal(-1, StatusFrame.Read([65, .. Enumerable.Repeat((byte)0, 65 * 44)], read));
        Assert.Equal(-1, StatusFrame.Read([.. one, 0], read));
        var many = Enumerable.Range(0, 64)
            .Select(i => new StreamStatus(1, new(new((ushort)i, StreamClass.Bulk), 1), 1, 2, 0, default))
            .ToArray();
        Assert.Equal(64, StatusFrame.Read(StatusFrame.BuildBody(many), read));
        Assert.Throws<InvariantViolationException>(() => StatusFrame.BuildBody([.. many, many[0]]));
    }

    [Fact]
    public void Checkpoints()
    {
        var query = Golden.Check("checkpoint-query-v1", TransferFrames.BuildQuery(Golden.Instance));
        Assert.True(TransferFrames.TryReadQuery(Frames.BodyOf(query), out var above));
        Assert.Equal(Golden.Instance, above);
        Assert.False(TransferFrames.TryReadQuery([.. Frames.BodyOf(query), 0], out _));

        var named = new CheckpointOffer(Golden.Instance.Seq, Golden.SomeDigest, Digest.Of([1]), 70_000);
        var offer = Golden.Check("checkpoint-offer-v1", TransferFrames.BuildOffer(Golden.Instance.Epoch, Golden.Instance.Life, named));
        Assert.True(TransferFrames.TryReadOffer(Frames.BodyOf(offer), out var checkpoint, out var read));
        Assert.Equal((Golden.Instance, named), (checkpoint, read));
        Assert.False(TransferFrames.TryReadOffer(Frames.BodyOf(offer)[..^1], out _, out _));

        var fetch = Golden.Check("checkpoint-fetch-v1", TransferFrames.BuildFetch(Golden.Instance, Golden.SomeDigest, 512));
        Assert.True(TransferFrames.TryReadFetch(Frames.BodyOf(fetch), out var wanted, out var state, out var offset));
        Assert.Equal((Golden.Instance, Golden.SomeDigest, 512), (wanted, state, offset));
        Assert.False(TransferFrames.TryReadFetch([.. Frames.BodyOf(fetch), 0], out _, out _, out _));

        var part = Golden.Check("checkpoint-part-v1", TransferFrames.BuildPart(Golden.Instance, 512, Payload));
        Assert.True(TransferFrames.TryReadPart(Frames.BodyOf(part), out var of, out var at, out var bytes));
        Assert.Equal((Golden.Instance, 512), (of, at));
        Assert.Equal(Payload, bytes.ToArray());
        Assert.False(TransferFrames.TryReadPart(Frames.BodyOf(part)[..20], out _, out _, out _));
    }

    [Fact]
    public void Fetch_gone_and_payload()
    {
        var fetch = Golden.Check("fetch-v1", ReplicaFrames.BuildFetch(Golden.Instance, Golden.SomeDigest));
        Assert.True(ReplicaFrames.TryReadFetch(Frames.BodyOf(fetch), out var wanted, out var digest));
        Assert.Equal((Golden.Instance, Golden.SomeDigest), (wanted, digest));
        Assert.False(ReplicaFrames.TryReadFetch([.. Frames.BodyOf(fetch), 0], out _, out _));

        var gone = Golden.Check("gone-v1", ReplicaFrames.BuildGone(Golden.Instance));
        Assert.True(ReplicaFrames.TryReadGone(Frames.BodyOf(gone), out var low));
        Assert.Equal(Golden.Instance, low);
        Assert.False(ReplicaFrames.TryReadGone(Frames.BodyOf(gone)[..^1], out _));

        var encoded = new byte[BatchHeader.Length];
        Header.Write(encoded);
        var payload = Golden.Check("payload-v1", ReplicaFrames.BuildPayload(encoded, Payload));
        Assert.True(ReplicaFrames.TryReadPayload(Frames.BodyOf(payload), out var header));
        Assert.Equal(Header, header);
        Assert.False(ReplicaFrames.TryReadPayload([.. Frames.BodyOf(payload), 0], out _)); // Not the length that the header says.
        Assert.False(ReplicaFrames.TryReadPayload(encoded, out _));
    }

    [Fact]
    public void Starts()
    {
        var signature = Enumerable.Range(0, 64).Select(i => (byte)i).ToArray();
        var start = Golden.Check("start-v1", ReplicaFrames.BuildStart(new(3, 0xABCD), signature));
        Assert.True(ReplicaFrames.TryReadStart(Frames.BodyOf(start), out var mark, out var proof));
        Assert.Equal(new(3, 0xABCD), mark);
        Assert.Equal(signature, proof);
        Assert.False(ReplicaFrames.TryReadStart(Frames.BodyOf(start)[..^1], out _, out _));

        var answer = Golden.Check("start-answer-v1", ReplicaFrames.BuildStartAnswer(new(3, 0xABCD), new(2, 7), signature));
        Assert.True(ReplicaFrames.TryReadStartAnswer(Frames.BodyOf(answer), out var answered, out var earlier, out var earlierProof));
        Assert.Equal((new StartMark(3, 0xABCD), new StartMark(2, 7)), (answered, earlier));
        Assert.Equal(signature, earlierProof);

        var statement = new byte[ReplicaFrames.StartStatementLength];
        ReplicaFrames.WriteStartStatement(new(2), new(3, 0xABCD), statement);
        Assert.Equal("02" + "0300000000000000" + "CDAB000000000000", Convert.ToHexString(statement));
    }

    [Fact]
    public void Batch_header()
    {
        var bytes = new byte[BatchHeader.Length];
        Header.Write(bytes);
        Assert.True(BatchHeader.TryRead(Golden.Check("header-v1", bytes), out var header));
        Assert.Equal(Header, header);
        Assert.False(BatchHeader.TryRead(Changed(bytes, 0, 2), out _)); // Another version.
        Assert.False(BatchHeader.TryRead(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.False(BatchHeader.TryRead([.. bytes, 0], out _));
        Assert.False(BatchHeader.TryRead(Written(Header with { PayloadLength = 0 }), out _));
        Assert.False(BatchHeader.TryRead(Written(Header with { PayloadLength = -1 }), out _));
        Assert.False(BatchHeader.TryRead(Written(Header with { Instance = Golden.Instance with { Seq = 0 } }), out _));
    }

    [Fact]
    public void Initial()
    {
        var bytes = Golden.Check("initial-v1", InitialMessage.Build(Header, 4, Payload, Mac));
        Assert.True(InitialMessage.TryRead(bytes, out var message));
        Assert.Equal(Header, message.Header);
        Assert.Equal(Payload, message.Payload);
        Assert.Equal(InitialMessage.PrefixLength(4), message.PayloadOffset);
        for (byte i = 0; i < 4; i++) Assert.Equal(Enumerable.Repeat((byte)(i + 1), 16), message.MacFor(new(i)).ToArray());
        Assert.True(message.MacFor(new(4)).IsEmpty);
        Assert.False(InitialMessage.TryRead(bytes.AsSpan(0, bytes.Length - 1), out _));
        Assert.False(InitialMessage.TryRead([.. bytes, 0], out _));
        Assert.False(InitialMessage.TryRead(Changed(bytes, BatchHeader.Length, 65), out _));
        Assert.False(InitialMessage.TryRead(bytes.AsSpan(0, BatchHeader.Length), out _));
    }

    [Fact]
    public void Envelope_has_a_golden_file()
    {
        using var keys = Golden.KeysOf("edge1");
        var route = new Reb.Hosting.NodeIndex[] { TestDomain.Index("relay1") };
        var frame = Golden.Check("envelope-v1", Envelope.Build(
            new(TestDomain.Index("edge1"), 0x0102030405060708, 9, EnvelopeContent.Initial, 2, route),
            [new(0), new(3)],
            Golden.SomeDigest,
            Payload,
            keys));
        Assert.True(Envelope.TryOpen(frame, out var envelope));
        Assert.Equal((0, 6, 0x0102030405060708UL, 9UL), (envelope.Hop, (int)envelope.Source.Value, envelope.Session, envelope.Number));
        Assert.Equal(
            (EnvelopeContent.Initial, 2, 1, 2),
            (envelope.Content, envelope.Path, envelope.RouteLength, envelope.DestinationCount));
        Assert.Equal((route[0], 0, 3), (envelope.Relay(0), (int)envelope.Destination(0).Value, (int)envelope.Destination(1).Value));
        Assert.Equal(Golden.SomeDigest, envelope.BodyHash);
        Assert.Equal(Payload, envelope.Body.ToArray());
        using var receiver = Golden.KeysOf("core4");
        Assert.True(envelope.IsAuthentic(receiver, new(3)));
        Assert.False(envelope.IsAuthentic(receiver, new(1)));
    }

    [Fact]
    public void No_bytes_make_a_decoder_throw_and_what_is_read_is_written_as_it_was()
    {
        var random = new Random(42);
        byte[][] golden = [.. Directory.GetFiles(Path.Combine(Golden.Folder, "Golden"), "*.bin").Select(File.ReadAllBytes)];
        Assert.Equal(14, golden.Length);
        for (var i = 0; i < 200_000; i++)
        {
            var bytes = (byte[])golden[random.Next(golden.Length)].Clone();
            if (random.Next(4) == 0) random.NextBytes(bytes);
            for (var flips = random.Next(3); flips > 0; flips--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[..random.Next(bytes.Length + 1)];
            if (random.Next(8) == 0) bytes = [.. bytes, .. new byte[random.Next(40)]];
            ReadAll(bytes);
            if (bytes.Length >= Frames.HeaderLength) ReadAll(bytes[Frames.HeaderLength..]);
        }
    }

    private static void ReadAll(byte[] bytes)
    {
        var votes = new Vote[VotesFrame.MaxVotes];
        var count = VotesFrame.Read(bytes, votes);
        if (count > 0) Assert.Equal(bytes, Frames.BodyOf(VotesFrame.Build(votes.AsSpan(0, count))));
        var statuses = new StreamStatus[StatusFrame.MaxStatuses];
        var statusCount = StatusFrame.Read(bytes, statuses);
        Assert.InRange(statusCount, -1, StatusFrame.MaxStatuses);
        if (ReplicaFrames.TryReadFetch(bytes, out var instance, out var digest))
            Assert.Equal(bytes, Frames.BodyOf(ReplicaFrames.BuildFetch(instance, digest)));
        if (ReplicaFrames.TryReadGone(bytes, out var low)) Assert.Equal(bytes, Frames.BodyOf(ReplicaFrames.BuildGone(low)));
        if (ReplicaFrames.TryReadStart(bytes, out var mark, out var signature))
            Assert.Equal(bytes, Frames.BodyOf(ReplicaFrames.BuildStart(mark, signature)));
        if (ReplicaFrames.TryReadStartAnswer(bytes, out var answered, out var earlier, out var proof))
            Assert.Equal(bytes, Frames.BodyOf(ReplicaFrames.BuildStartAnswer(answered, earlier, proof)));
        ReplicaFrames.TryReadPayload(bytes, out _);
        if (BatchHeader.TryRead(bytes, out var header)) Assert.Equal(bytes, Written(header));
        if (InitialMessage.TryRead(bytes, out var initial))
        {
            Assert.Equal(bytes.Length, initial.Prefix.Length + initial.Payload.Length);
            for (byte i = 0; i < 70; i++) Assert.True(initial.MacFor(new(i)).Length is 0 or 16);
        }

        if (Envelope.TryOpen(bytes, out var envelope))
        {
            for (var i = 0; i < envelope.RouteLength; i++) _ = envelope.Relay(i);
            for (var i = 0; i < envelope.DestinationCount; i++) _ = envelope.Destination(i);
            _ = (envelope.Source, envelope.Session, envelope.Number, envelope.Content, envelope.Path, envelope.BodyHash);
            Assert.InRange(envelope.BodyOffset, 0, bytes.Length);
            Assert.InRange(envelope.DestinationCount, 1, Envelope.MaxDestinations);
            Assert.InRange(envelope.RouteLength, 0, Envelope.MaxRoute);
        }
    }

    private static void Mac(ReplicaId replica, in Digest digest, Span<byte> mac) => mac.Fill((byte)(replica.Index + 1));

    private static byte[] Changed(byte[] bytes, int at, byte value)
    {
        var copy = (byte[])bytes.Clone();
        copy[at] = value;
        return copy;
    }

    private static byte[] Written(in BatchHeader header)
    {
        var bytes = new byte[BatchHeader.Length];
        header.Write(bytes);
        return bytes;
    }
}
