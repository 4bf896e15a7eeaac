namespace Massif.Reb.Storage;

/// <summary>One directory of append-only files, as a host sees it: the operating system's or a simulated one.</summary>
/// <remarks>
/// Everything but <see cref="Append"/>, <see cref="Sync"/>, <see cref="Read"/> and <see cref="Delete"/> is for the start,
/// before the first turn. Writing is carried out in order behind the host's back; the answer to <see cref="Sync"/> comes
/// back to the host as an input. A disk that cannot write (full, broken) keeps what it was given, tries again, and says so
/// in <see cref="Trouble"/>: the answer is late, never wrong.
/// </remarks>
public interface IDisk
{
    /// <summary>Gets the names of the files, in ordinal order.</summary>
    IReadOnlyList<string> Files { get; }

    /// <summary>Gets why writing fails at the moment; null while all is well.</summary>
    string? Trouble { get; }

    /// <summary>Gets the free space of the file system in bytes.</summary>
    long FreeBytes { get; }

    /// <summary>Gets the size of the file system in bytes.</summary>
    long TotalBytes { get; }

    /// <summary>Returns the length of a file in bytes; 0 when there is none.</summary>
    long LengthOf(string file);

    /// <summary>Reads from a file and returns how many bytes there were. Only what a sync has answered for may be asked.</summary>
    int Read(string file, long offset, Span<byte> destination);

    /// <summary>
    /// Appends to a file, and makes it when there is none. The bytes must not change afterwards. A file is made only after
    /// everything appended before is durable: a crash then tears the newest file of a log and no other.
    /// </summary>
    void Append(string file, ReadOnlyMemory<byte> bytes);

    /// <summary>Asks that everything appended so far becomes durable; the host is told the ticket when it is.</summary>
    void Sync(long ticket);

    /// <summary>
    /// Removes a file after everything appended before is durable (it may be what replaces the file); not an error when
    /// there is none.
    /// </summary>
    void Delete(string file);

    /// <summary>Cuts a file: a torn tail at the start.</summary>
    void Truncate(string file, long length);

    /// <summary>Replaces a small file as a whole, atomically and durably, before it returns.</summary>
    void Replace(string file, ReadOnlySpan<byte> bytes);
}
