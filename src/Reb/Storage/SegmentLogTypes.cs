using System.Globalization;

namespace Massif.Reb.Storage;

/// <summary>Where a record is: the index of its file and the offset of its header in it, in bytes.</summary>
public readonly record struct RecordAddress(long FileIndex, int Offset) : IComparable<RecordAddress>
{
    /// <inheritdoc />
    public int CompareTo(RecordAddress other) =>
        FileIndex != other.FileIndex ? FileIndex.CompareTo(other.FileIndex) : Offset.CompareTo(other.Offset);

    /// <summary>Before it in the log.</summary>
    public static bool operator <(RecordAddress left, RecordAddress right) => left.CompareTo(right) < 0;

    /// <summary>After it in the log.</summary>
    public static bool operator >(RecordAddress left, RecordAddress right) => left.CompareTo(right) > 0;

    /// <summary>Not after it in the log.</summary>
    public static bool operator <=(RecordAddress left, RecordAddress right) => left.CompareTo(right) <= 0;

    /// <summary>Not before it in the log.</summary>
    public static bool operator >=(RecordAddress left, RecordAddress right) => left.CompareTo(right) >= 0;

    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{FileIndex}@{Offset}");
}

/// <summary>Bytes in the middle of a log that are not what was written: the disk, or a hand, changed them.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">First bad byte.</param>
/// <param name="Bytes">How many bytes are lost up to the next valid record, or missing at the end of the file.</param>
/// <param name="Reason">One sentence for the operator.</param>
public sealed record LogDamage(string File, long Offset, long Bytes, string Reason);

/// <summary>A torn tail: what a crash left of appends that no sync had answered for; cut away at open.</summary>
/// <param name="File">The file.</param>
/// <param name="Offset">Where it was cut.</param>
/// <param name="Bytes">How many bytes were cut.</param>
public sealed record LogCut(string File, long Offset, long Bytes);

/// <summary>Takes one record of a scan. The body is valid during the call only.</summary>
public delegate void RecordVisitor(RecordAddress address, byte kind, ReadOnlySpan<byte> body);

/// <summary>What came of reading one record.</summary>
public enum LogReadResult : byte
{
    /// <summary>The record, with its check value.</summary>
    Read,

    /// <summary>Its file was dropped, or nothing was ever written there.</summary>
    Gone,

    /// <summary>There are bytes, but not those that were written; it is in <see cref="SegmentLog.Damage"/> now.</summary>
    Damaged,
}

/// <summary>A file that this program must not touch: it has a format version of its own.</summary>
public sealed class StorageFormatException : Exception
{
    /// <summary>Makes the exception without a text.</summary>
    public StorageFormatException()
    {
    }

    /// <summary>Makes the exception with a text that says what to do.</summary>
    public StorageFormatException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with a text and a cause.</summary>
    public StorageFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
