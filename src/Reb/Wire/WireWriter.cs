using System.Buffers.Binary;
using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>Writes little-endian values into a span that is known to be large enough.</summary>
internal ref struct WireWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    /// <summary>Gets how many bytes were written.</summary>
    public int Written { get; private set; }

    public void Byte(byte value) => Next(1)[0] = value;

    public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Next(2), value);

    public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Next(4), value);

    public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Next(8), value);

    public void Int64(long value) => UInt64((ulong)value);

    public void Digest(in Digest value) => value.Write(Next(Protocol.Digest.Length));

    public void Bytes(ReadOnlySpan<byte> value) => value.CopyTo(Next(value.Length));

    public void Life(StreamLife life)
    {
        UInt16(life.Stream.Source);
        Byte((byte)life.Stream.Class);
        UInt64(life.Incarnation);
    }

    public void Instance(in InstanceId instance)
    {
        UInt32(instance.Epoch);
        Life(instance.Life);
        UInt64(instance.Seq);
    }

    /// <summary>Returns the next bytes for the caller to fill.</summary>
    public Span<byte> Next(int count)
    {
        var next = _destination.Slice(Written, count);
        Written += count;
        return next;
    }
}
