using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>The frames by which a replica gets a checkpoint from its peers (R7, R11).</summary>
public static class TransferFrames
{
    private const int InstanceLength = 23;
    private const int OfferLength = InstanceLength + (2 * Digest.Length) + sizeof(uint);
    private const int FetchLength = InstanceLength + Digest.Length + sizeof(uint);

    /// <summary>Returns the question for checkpoints of a life at or above a seq.</summary>
    public static byte[] BuildQuery(in InstanceId above)
    {
        var frame = ReplicaFrames.New(FrameType.CheckpointQuery, InstanceLength, out var writer);
        writer.Instance(above);
        return frame;
    }

    /// <summary>Reads the body of such a question.</summary>
    public static bool TryReadQuery(ReadOnlySpan<byte> body, out InstanceId above)
    {
        var reader = new WireReader(body);
        above = reader.Instance();
        return reader.OkAndEmpty;
    }

    /// <summary>Returns the offer of one checkpoint.</summary>
    public static byte[] BuildOffer(uint epoch, StreamLife life, in CheckpointOffer offer)
    {
        var frame = ReplicaFrames.New(FrameType.CheckpointOffer, OfferLength, out var writer);
        writer.Instance(new(epoch, life.Stream, life.Incarnation, offer.Seq));
        writer.Digest(offer.Chain);
        writer.Digest(offer.State);
        writer.UInt32((uint)offer.Length);
        return frame;
    }

    /// <summary>Reads the body of an offer.</summary>
    public static bool TryReadOffer(ReadOnlySpan<byte> body, out InstanceId checkpoint, out CheckpointOffer offer)
    {
        var reader = new WireReader(body);
        checkpoint = reader.Instance();
        var (chain, state) = (reader.Digest(), reader.Digest());
        var length = reader.UInt32();
        offer = new(checkpoint.Seq, chain, state, (int)Math.Min(length, int.MaxValue));
        return reader.OkAndEmpty;
    }

    /// <summary>Returns the question for the state with this hash, from an offset in bytes on.</summary>
    public static byte[] BuildFetch(in InstanceId checkpoint, in Digest state, int offset)
    {
        var frame = ReplicaFrames.New(FrameType.CheckpointFetch, FetchLength, out var writer);
        writer.Instance(checkpoint);
        writer.Digest(state);
        writer.UInt32((uint)offset);
        return frame;
    }

    /// <summary>Reads the body of such a question.</summary>
    public static bool TryReadFetch(ReadOnlySpan<byte> body, out InstanceId checkpoint, out Digest state, out int offset)
    {
        var reader = new WireReader(body);
        checkpoint = reader.Instance();
        state = reader.Digest();
        offset = (int)Math.Min(reader.UInt32(), int.MaxValue);
        return reader.OkAndEmpty;
    }

    /// <summary>Returns a part of the state of a checkpoint.</summary>
    public static byte[] BuildPart(in InstanceId checkpoint, int offset, ReadOnlySpan<byte> bytes)
    {
        var frame = ReplicaFrames.New(FrameType.CheckpointPart, InstanceLength + sizeof(uint) + bytes.Length, out var writer);
        writer.Instance(checkpoint);
        writer.UInt32((uint)offset);
        writer.Bytes(bytes);
        return frame;
    }

    /// <summary>Reads the body of a part.</summary>
    public static bool TryReadPart(ReadOnlySpan<byte> body, out InstanceId checkpoint, out int offset, out ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(body);
        checkpoint = reader.Instance();
        offset = (int)Math.Min(reader.UInt32(), int.MaxValue);
        bytes = reader.Bytes(Math.Max(0, body.Length - InstanceLength - sizeof(uint)));
        return reader.OkAndEmpty;
    }
}
