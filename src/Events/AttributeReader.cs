using System.Buffers.Binary;

namespace Massif.Events;

/// <summary>Walks the attributes of an event in the order in which the parser added them.</summary>
/// <remarks>
/// One attribute is {kind u8, name length u8, value length u16, name, value}; a number's value is 8 bytes.
/// </remarks>
public ref struct AttributeReader
{
    internal const int HeadLength = 4;
    internal const byte TextKind = 0;
    internal const byte NumberKind = 1;

    private ReadOnlySpan<byte> _rest;
    private byte _kind;

    internal AttributeReader(ReadOnlySpan<byte> attributes) => _rest = attributes;

    /// <summary>Gets the current name.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Gets the current value: the text, or the eight bytes of <see cref="Number"/>.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Gets whether the current value is a number.</summary>
    public readonly bool IsNumber => _kind == NumberKind;

    /// <summary>Gets the current value as a number; 0 when it is text.</summary>
    public readonly long Number => IsNumber ? BinaryPrimitives.ReadInt64LittleEndian(Value) : 0;

    /// <summary>Moves to the next attribute; false at the end.</summary>
    public bool MoveNext()
    {
        if (_rest.Length == 0) return false;

        _kind = _rest[0];
        var nameLength = _rest[1];
        var valueLength = BinaryPrimitives.ReadUInt16LittleEndian(_rest[2..]);
        Name = _rest.Slice(HeadLength, nameLength);
        Value = _rest.Slice(HeadLength + nameLength, valueLength);
        _rest = _rest[(HeadLength + nameLength + valueLength)..];
        return true;
    }

    /// <summary>Moves to the attribute of that name; false when there is none behind the current one.</summary>
    public bool Find(ReadOnlySpan<byte> name)
    {
        while (MoveNext())
        {
            if (Name.SequenceEqual(name)) return true;
        }

        return false;
    }

    internal static bool IsWellFormed(ReadOnlySpan<byte> attributes)
    {
        while (attributes.Length > 0)
        {
            if (attributes.Length < HeadLength) return false;
            var valueLength = BinaryPrimitives.ReadUInt16LittleEndian(attributes[2..]);
            var length = HeadLength + attributes[1] + valueLength;
            if (length > attributes.Length || attributes[0] > NumberKind || attributes[1] == 0) return false;
            if (attributes[0] == NumberKind && valueLength != 8) return false;
            attributes = attributes[length..];
        }

        return true;
    }
}
