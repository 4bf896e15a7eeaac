using Massif.Reb.Crypto;
using Massif.Reb.Links;
using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>The small frames between replicas: FETCH, its answers, and starts.</summary>
public static class ReplicaFrames
{
    private const int InstanceLength = 23;
    private const int MarkLength = 16;

    /// <summary>Bytes of a start announcement that its replica signs.</summary>
    public const int StartStatementLength = 1 + MarkLength;

    /// <summary>Returns a FETCH for the payload of an instance with digest d (R7).</summary>
    public static byte[] BuildFetch(in InstanceId instance, in Digest digest)
    {
        var frame = New(FrameType.Fetch, InstanceLength + Digest.Length, out var writer);
        writer.Instance(instance);
        writer.Digest(digest);
        return frame;
    }

    /// <summary>Reads the body of a FETCH.</summary>
    public static bool TryReadFetch(ReadOnlySpan<byte> body, out InstanceId instance, out Digest digest)
    {
        var reader = new WireReader(body);
        instance = reader.Instance();
        digest = reader.Digest();
        return reader.OkAndEmpty;
    }

    /// <summary>Returns the answer to a FETCH: encoded header and payload.</summary>
    public static byte[] BuildPayload(ReadOnlySpan<byte> header, ReadOnlySpan<byte> payload)
    {
        var frame = New(FrameType.Payload, header.Length + payload.Length, out var writer);
        writer.Bytes(header);
        writer.Bytes(payload);
        return frame;
    }

    /// <summary>Reads the body of an answer to a FETCH. Hashes are not checked here.</summary>
    public static bool TryReadPayload(ReadOnlySpan<byte> body, out BatchHeader header)
    {
        header = default;
        return body.Length > BatchHeader.Length
            && BatchHeader.TryRead(body[..BatchHeader.Length], out header)
            && header.PayloadLength == body.Length - BatchHeader.Length;
    }

    /// <summary>Returns GONE: everything of the life below low is forgotten here (R9).</summary>
    public static byte[] BuildGone(in InstanceId low)
    {
        var frame = New(FrameType.Gone, InstanceLength, out var writer);
        writer.Instance(low);
        return frame;
    }

    /// <summary>Reads the body of GONE.</summary>
    public static bool TryReadGone(ReadOnlySpan<byte> body, out InstanceId low)
    {
        var reader = new WireReader(body);
        low = reader.Instance();
        return reader.OkAndEmpty;
    }

    /// <summary>Writes what a replica signs when it starts (R13).</summary>
    public static void WriteStartStatement(ReplicaId replica, StartMark mark, Span<byte> destination)
    {
        var writer = new WireWriter(destination);
        writer.Byte(replica.Index);
        WriteMark(ref writer, mark);
    }

    /// <summary>Returns a start announcement with its signature (R13).</summary>
    public static byte[] BuildStart(StartMark mark, ReadOnlySpan<byte> signature)
    {
        var frame = New(FrameType.Start, MarkLength + StartSigner.SignatureLength, out var writer);
        WriteMark(ref writer, mark);
        writer.Bytes(signature);
        return frame;
    }

    /// <summary>Reads the body of a start announcement; the signature is not checked here.</summary>
    public static bool TryReadStart(ReadOnlySpan<byte> body, out StartMark mark, out ReadOnlySpan<byte> signature)
    {
        var reader = new WireReader(body);
        mark = ReadMark(ref reader);
        signature = reader.Bytes(StartSigner.SignatureLength);
        return reader.OkAndEmpty;
    }

    /// <summary>Returns the answer to a start: the earlier start known, with the signature it came with (R13).</summary>
    public static byte[] BuildStartAnswer(StartMark answered, StartMark earlier, ReadOnlySpan<byte> earlierSignature)
    {
        var frame = New(FrameType.StartAnswer, (2 * MarkLength) + StartSigner.SignatureLength, out var writer);
        WriteMark(ref writer, answered);
        WriteMark(ref writer, earlier);
        var signature = writer.Next(StartSigner.SignatureLength);
        signature.Clear();
        earlierSignature.CopyTo(signature);
        return frame;
    }

    /// <summary>Reads the body of the answer to a start; the signature is not checked here.</summary>
    public static bool TryReadStartAnswer(
        ReadOnlySpan<byte> body, out StartMark answered, out StartMark earlier, out ReadOnlySpan<byte> earlierSignature)
    {
        var reader = new WireReader(body);
        answered = ReadMark(ref reader);
        earlier = ReadMark(ref reader);
        earlierSignature = reader.Bytes(StartSigner.SignatureLength);
        return reader.OkAndEmpty;
    }

    internal static byte[] New(FrameType type, int bodyLength, out WireWriter writer)
    {
        var frame = new byte[Frames.HeaderLength + bodyLength];
        Frames.WriteHeader(frame, frame.Length, (byte)type);
        writer = new(frame.AsSpan(Frames.HeaderLength));
        return frame;
    }

    private static void WriteMark(ref WireWriter writer, StartMark mark)
    {
        writer.UInt64(mark.Counter);
        writer.UInt64(mark.Nonce);
    }

    private static StartMark ReadMark(ref WireReader reader) => new(reader.UInt64(), reader.UInt64());
}
