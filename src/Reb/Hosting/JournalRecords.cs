using Massif.Reb.Crypto;
using Massif.Reb.Protocol;
using Massif.Reb.Storage;
using Massif.Reb.Wire;

namespace Massif.Reb.Hosting;

/// <summary>Kinds of records in a replica's journal.</summary>
internal enum JournalKind : byte
{
    /// <summary>Encoded header and payload of a batch that this replica holds.</summary>
    Payload = 1,

    /// <summary>A vote of this replica.</summary>
    Vote = 2,

    /// <summary>A batch was delivered.</summary>
    Delivered = 3,

    /// <summary>An own start, not settled yet.</summary>
    Start = 4,

    /// <summary>An own start is settled.</summary>
    StartSettled = 5,

    /// <summary>A start of a peer, with the one before it.</summary>
    PeerStart = 6,

    /// <summary>No ECHO in this epoch any more.</summary>
    EchoForbidden = 7,

    /// <summary>First record of a snapshot: forget what the records before it said about state.</summary>
    SnapshotBegins = 8,

    /// <summary>A life and what it has reached, in a snapshot.</summary>
    Life = 9,

    /// <summary>A payload of an undecided instance that stands in an older segment, in a snapshot.</summary>
    HeldPayload = 10,

    /// <summary>A part of the application's state, in a snapshot.</summary>
    Application = 11,

    /// <summary>Last record of a snapshot: it is whole, and the segment starts from it.</summary>
    SnapshotEnds = 12,

    /// <summary>A part of the state of a checkpoint.</summary>
    CheckpointState = 13,

    /// <summary>A checkpoint, whose state stands before it.</summary>
    Checkpoint = 14,

    /// <summary>A life went to a checkpoint, which stands before it.</summary>
    Jump = 15,

    /// <summary>Digests and addresses of one interval of delivered batches, all durable before it.</summary>
    Page = 16,
}

/// <summary>A restored record about starts.</summary>
internal readonly record struct StartRecord(
    JournalKind Kind,
    StartMark Mark,
    ReplicaId Peer = default,
    ReadOnlyMemory<byte> Signature = default,
    StartMark Earlier = default,
    ReadOnlyMemory<byte> EarlierSignature = default);

/// <summary>Encodes and decodes the small records of a replica's journal; a record that does not decode is damage.</summary>
internal static class JournalRecords
{
    private const int PageHeadBytes = 11 + 8; // A life, a seq.
    private const int PageEntryBytes = Digest.Length + 8 + 4;

    public static byte[] Vote(in Vote vote) =>
        Encode(64, vote, static (ref WireWriter writer, in Vote v) => VotesFrame.WriteVote(ref writer, v));

    public static Vote ReadVote(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var kind = (VoteKind)reader.Byte();
        var vote = new Vote(kind, reader.Instance(), reader.Digest());
        return Checked(reader, vote);
    }

    public static byte[] Delivered(in Effect effect) => Encode(128, effect, static (ref WireWriter writer, in Effect e) =>
    {
        writer.Instance(e.Instance);
        writer.Digest(e.Digest);
        writer.UInt32((uint)e.Number);
        writer.Digest(e.Other);
    });

    public static (InstanceId Instance, Digest Digest, int Length, Digest Chain) ReadDelivered(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var record = (reader.Instance(), reader.Digest(), (int)reader.UInt32(), reader.Digest());
        return Checked(reader, record);
    }

    public static byte[] Page(StreamLife life, ulong first, ReadOnlySpan<DeliveredBatch> batches)
    {
        var bytes = new byte[PageHeadBytes + (batches.Length * PageEntryBytes)];
        var writer = new WireWriter(bytes);
        writer.Life(life);
        writer.UInt64(first);
        foreach (ref readonly var batch in batches)
        {
            writer.Digest(batch.Digest);
            writer.Int64(batch.Address.FileIndex);
            writer.UInt32((uint)batch.Address.Offset);
        }

        return bytes;
    }

    public static (StreamLife Life, ulong First, DeliveredBatch[] Batches) ReadPage(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var (life, first) = (reader.Life(), reader.UInt64());
        var batches = new DeliveredBatch[Math.Max(0, body.Length - PageHeadBytes) / PageEntryBytes];
        foreach (ref var batch in batches.AsSpan())
            batch = new(reader.Digest(), new(reader.Int64(), (int)reader.UInt32()));
        return Checked(reader, (life, first, batches));
    }

    public static byte[] Life(in LifeRecord life) => Encode(64, life, static (ref WireWriter writer, in LifeRecord l) =>
    {
        writer.Life(l.Life);
        writer.UInt64(l.Durable);
        writer.Digest(l.Chain);
        writer.Byte(l.ByInitial ? (byte)1 : (byte)0);
    });

    public static LifeRecord ReadLife(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var life = new LifeRecord(reader.Life(), reader.UInt64(), reader.Digest(), reader.Byte() != 0);
        return Checked(reader, life);
    }

    public static byte[] HeldPayload(in InstanceId instance, in Digest digest, int length, RecordAddress address) =>
        Encode(128, (instance, digest, length, address), static (
            ref WireWriter writer, in (InstanceId I, Digest D, int L, RecordAddress A) p) =>
        {
            writer.Instance(p.I);
            writer.Digest(p.D);
            writer.UInt32((uint)p.L);
            writer.Int64(p.A.FileIndex);
            writer.UInt32((uint)p.A.Offset);
        });

    public static (InstanceId Instance, Digest Digest, int Length, RecordAddress Address) ReadHeldPayload(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var record = (reader.Instance(), reader.Digest(), (int)reader.UInt32(), new RecordAddress(reader.Int64(), (int)reader.UInt32()));
        return Checked(reader, record);
    }

    public static byte[] Checkpoint(StreamLife life, in CheckpointOffer offer) =>
        Encode(128, (life, offer), static (ref WireWriter writer, in (StreamLife L, CheckpointOffer O) c) =>
        {
            writer.Life(c.L);
            writer.UInt64(c.O.Seq);
            writer.Digest(c.O.Chain);
            writer.Digest(c.O.State);
            writer.UInt32((uint)c.O.Length);
        });

    public static (StreamLife Life, CheckpointOffer Offer) ReadCheckpoint(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var life = reader.Life();
        var offer = new CheckpointOffer(reader.UInt64(), reader.Digest(), reader.Digest(), (int)reader.UInt32());
        return Checked(reader, (life, offer));
    }

    public static byte[] Jump(in Effect effect) => Encode(64, effect, static (ref WireWriter writer, in Effect e) =>
    {
        writer.Instance(e.Instance);
        writer.Digest(e.Digest);
    });

    public static (InstanceId Instance, Digest Chain) ReadJump(ReadOnlySpan<byte> body)
    {
        var reader = new WireReader(body);
        var record = (reader.Instance(), reader.Digest());
        return Checked(reader, record);
    }

    public static byte[] Start(StartMark mark) =>
        Encode(16, mark, static (ref WireWriter writer, in StartMark m) => WriteMark(ref writer, m));

    public static byte[] PeerStart(
        ReplicaId peer, StartMark mark, ReadOnlySpan<byte> signature, StartMark earlier, ReadOnlySpan<byte> earlierSignature)
    {
        var bytes = new byte[1 + 32 + (2 * StartSigner.SignatureLength)];
        var writer = new WireWriter(bytes);
        writer.Byte(peer.Index);
        WriteMark(ref writer, mark);
        WriteMark(ref writer, earlier);
        signature.CopyTo(writer.Next(StartSigner.SignatureLength));
        earlierSignature.CopyTo(writer.Next(StartSigner.SignatureLength));
        return bytes;
    }

    public static StartRecord ReadStart(JournalKind kind, ReadOnlyMemory<byte> body)
    {
        var reader = new WireReader(body.Span);
        if (kind == JournalKind.EchoForbidden) return Checked(reader, new StartRecord(kind, default));
        if (kind != JournalKind.PeerStart) return Checked(reader, new StartRecord(kind, ReadMark(ref reader)));
        var peer = new ReplicaId(reader.Byte());
        var mark = ReadMark(ref reader);
        var earlier = ReadMark(ref reader);
        var signatures = body[^(2 * StartSigner.SignatureLength)..];
        reader.Bytes(2 * StartSigner.SignatureLength);
        return Checked(reader, new StartRecord(
            kind, mark, peer, signatures[..StartSigner.SignatureLength], earlier, signatures[StartSigner.SignatureLength..]));
    }

    private delegate void Writing<T>(ref WireWriter writer, in T value);

    private static byte[] Encode<T>(int most, in T value, Writing<T> write)
    {
        Span<byte> buffer = stackalloc byte[most];
        var writer = new WireWriter(buffer);
        write(ref writer, value);
        return buffer[..writer.Written].ToArray();
    }

    private static T Checked<T>(in WireReader reader, T value) => reader.OkAndEmpty
        ? value
        : throw new StorageFormatException("A record of the journal passed its checksum and cannot be read: it is of another version.");

    private static void WriteMark(ref WireWriter writer, StartMark mark)
    {
        writer.UInt64(mark.Counter);
        writer.UInt64(mark.Nonce);
    }

    private static StartMark ReadMark(ref WireReader reader) => new(reader.UInt64(), reader.UInt64());
}
