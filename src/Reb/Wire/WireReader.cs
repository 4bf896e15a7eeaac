using System.Buffers.Binary;
using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>Reads little-endian values from bytes that a peer sent. It never throws and never reads past the end.</summary>
/// <remarks>
/// After the first read that finds too few bytes <see cref="Ok"/> is false and every further read returns zero, so a decoder
/// reads all its fields and looks at <see cref="Ok"/> once.
/// </remarks>
internal ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Gets whether every read so far found its bytes.</summary>
    public bool Ok { get; private set; } = true;

    /// <summary>Gets whether every read found its bytes and none is left over.</summary>
    public readonly bool OkAndEmpty => Ok && _rest.IsEmpty;

    /// <summary>Gets the bytes not read yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _rest;

    public byte Byte() => Take(1) is { IsEmpty: false } b ? b[0] : (byte)0;

    public ushort UInt16() => Take(2) is { IsEmpty: false } b ? BinaryPrimitives.ReadUInt16LittleEndian(b) : (ushort)0;

    public uint UInt32() => Take(4) is { IsEmpty: false } b ? BinaryPrimitives.ReadUInt32LittleEndian(b) : 0;

    public ulong UInt64() => Take(8) is { IsEmpty: false } b ? BinaryPrimitives.ReadUInt64LittleEndian(b) : 0;

    public long Int64() => (long)UInt64();

    public Digest Digest() => Take(Protocol.Digest.Length) is { IsEmpty: false } b ? Protocol.Digest.Read(b) : default;

    public ReadOnlySpan<byte> Bytes(int count) => Take(count);

    public StreamLife Life()
    {
        var source = UInt16();
        var streamClass = Byte();
        if (streamClass > (byte)StreamClass.Urgent) Fail();
        return new(new(source, (StreamClass)streamClass), UInt64());
    }

    public InstanceId Instance()
    {
        var epoch = UInt32();
        var life = Life();
        return new(epoch, life.Stream, life.Incarnation, UInt64());
    }

    public void Fail()
    {
        Ok = false;
        _rest = default;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if ((uint)count > (uint)_rest.Length)
        {
            Fail();
            return default;
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
