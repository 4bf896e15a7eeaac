using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Massif.Reb.Storage;

/// <summary>The bytes of a segment file, version 1. All numbers are little-endian; every check value is CRC-32C.</summary>
/// <remarks>
/// <code>
/// file header, 32 bytes                       record header, 16 bytes, then the body
///  0  magic "MASSIFSL"                          0  u32 length of the body
///  8  u32 format version                        4  u32 check value of the body
/// 12  u32 check value of bytes 0..11            8  u8  kind, not 0
/// 16  u64 index of the file                     9  3 bytes of 0
/// 24  u32 length of the file before; 0: none   12  u32 check value of bytes 0..11, file index u64, offset u32
/// 28  u32 check value of bytes 0..27 and the log's name
/// </code>
/// A record header is valid at its own place only, so neither a block that the disk wrote to the wrong place nor a copy of a
/// record inside a body is taken for one. The first 16 bytes are the same in every version to come, so another version is
/// told from a torn or damaged header.
/// </remarks>
internal static class SegmentFormat
{
    public const uint Version = 1;
    public const int FileHeaderBytes = 32;
    public const int RecordHeaderBytes = 16;

    /// <summary>Largest body: as large as a frame of the wire, so whatever arrives in one can be kept in one.</summary>
    public const int BodyBytesMax = 1024 * 1024;

    /// <summary>Longest name of a log, in characters of ASCII.</summary>
    public const int NameCharactersMax = 32;

    private const string Extension = ".log";
    private const int IndexDigits = 16;

    private static ReadOnlySpan<byte> Magic => "MASSIFSL"u8;

    /// <summary>What the first bytes of a file say.</summary>
    public enum FileHeaderVerdict : byte
    {
        Valid,

        /// <summary>Ours, but of another format version.</summary>
        OtherVersion,

        /// <summary>Too short, or a check value does not fit.</summary>
        Damaged,
    }

    /// <summary>Returns NAME-0000000000000001.log.</summary>
    public static string FileName(string log, long fileIndex) =>
        string.Create(CultureInfo.InvariantCulture, $"{log}-{fileIndex:x16}{Extension}");

    /// <summary>Returns whether the file belongs to the log, and its index.</summary>
    public static bool TryParseFileName(string log, string file, out long fileIndex)
    {
        fileIndex = 0;
        return file.Length == log.Length + 1 + IndexDigits + Extension.Length
            && file.StartsWith(log, StringComparison.Ordinal)
            && file[log.Length] == '-'
            && file.EndsWith(Extension, StringComparison.Ordinal)
            && long.TryParse(
                file.AsSpan(log.Length + 1, IndexDigits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out fileIndex)
            && fileIndex > 0
            && FileName(log, fileIndex) == file; // Lower case only: one index, one name.
    }

    public static void WriteFileHeader(Span<byte> destination, string log, long fileIndex, int lengthOfFileBefore)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Crc32C.Of(destination[..12]));
        BinaryPrimitives.WriteInt64LittleEndian(destination[16..], fileIndex);
        BinaryPrimitives.WriteInt32LittleEndian(destination[24..], lengthOfFileBefore);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[28..], CheckOfFileHeader(destination, log));
    }

    /// <summary>Reads a file header; <paramref name="version"/> is set when the beginning is ours.</summary>
    public static FileHeaderVerdict ReadFileHeader(
        ReadOnlySpan<byte> source, string log, long fileIndex, out uint version, out int lengthOfFileBefore)
    {
        (version, lengthOfFileBefore) = (0, 0);
        if (source.Length < 16 || !source.StartsWith(Magic)) return FileHeaderVerdict.Damaged;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != Crc32C.Of(source[..12])) return FileHeaderVerdict.Damaged;
        version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version) return FileHeaderVerdict.OtherVersion;
        if (source.Length < FileHeaderBytes) return FileHeaderVerdict.Damaged;
        lengthOfFileBefore = BinaryPrimitives.ReadInt32LittleEndian(source[24..]);
        var valid = BinaryPrimitives.ReadUInt32LittleEndian(source[28..]) == CheckOfFileHeader(source, log)
            && BinaryPrimitives.ReadInt64LittleEndian(source[16..]) == fileIndex;
        return valid ? FileHeaderVerdict.Valid : FileHeaderVerdict.Damaged;
    }

    private static uint CheckOfFileHeader(ReadOnlySpan<byte> header, string log)
    {
        Span<byte> name = stackalloc byte[NameCharactersMax];
        name = name[..Encoding.ASCII.GetBytes(log, name)];
        return Crc32C.Finish(Crc32C.Continue(Crc32C.Continue(Crc32C.Start, header[..28]), name));
    }

    public static void WriteRecordHeader(Span<byte> destination, byte kind, int bodyBytes, uint checkOfBody, RecordAddress place)
    {
        BinaryPrimitives.WriteInt32LittleEndian(destination, bodyBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], checkOfBody);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], kind);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], CheckOfHeader(destination, place));
    }

    /// <summary>Reads a record header; false when it is not one that was written at this place.</summary>
    public static bool TryReadRecordHeader(ReadOnlySpan<byte> source, RecordAddress place, out RecordHeader header)
    {
        header = default;
        if (source.Length < RecordHeaderBytes) return false;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(source);
        var kind = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (length > BodyBytesMax || kind is 0 or > byte.MaxValue) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != CheckOfHeader(source, place)) return false;
        header = new((byte)kind, (int)length, BinaryPrimitives.ReadUInt32LittleEndian(source[4..]));
        return true;
    }

    private static uint CheckOfHeader(ReadOnlySpan<byte> header, RecordAddress place)
    {
        Span<byte> where = stackalloc byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(where, place.FileIndex);
        BinaryPrimitives.WriteInt32LittleEndian(where[8..], place.Offset);
        return Crc32C.Finish(Crc32C.Continue(Crc32C.Continue(Crc32C.Start, header[..12]), where));
    }

    /// <summary>A valid record header.</summary>
    public readonly record struct RecordHeader(byte Kind, int BodyBytes, uint CheckOfBody);
}
