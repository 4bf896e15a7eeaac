using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Massif.Cep;

/// <summary>Identity of an alarm: the first 16 bytes of SHA-256 over rule, key and event ids; written as 32 hex digits.</summary>
public readonly record struct AlarmId(UInt128 Value)
{
    /// <summary>Length in bytes.</summary>
    public const int Length = 16;

    /// <summary>Reads 16 bytes.</summary>
    public static AlarmId Read(ReadOnlySpan<byte> bytes) => new(BinaryPrimitives.ReadUInt128BigEndian(bytes));

    /// <summary>Writes 16 bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);

    /// <summary>Reads the text form: exactly 32 lower-case hex digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out AlarmId id)
    {
        id = default;
        if (text is not { Length: 2 * Length } || text.Any(c => c is >= 'A' and <= 'F')) return false;
        if (!UInt128.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value)) return false;
        id = new(value);
        return true;
    }

    /// <inheritdoc />
    public override string ToString() => Value.ToString("x32", CultureInfo.InvariantCulture);
}
