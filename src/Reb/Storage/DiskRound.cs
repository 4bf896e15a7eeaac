namespace Massif.Reb.Storage;

/// <summary>What a host asks of its disk.</summary>
internal enum DiskRequestKind : byte
{
    Append,
    Sync,
    Delete,
}

/// <summary>One request, in the order of asking.</summary>
internal readonly record struct DiskRequest(DiskRequestKind Kind, StoredFile? File, ReadOnlyMemory<byte> Bytes, long Ticket);

/// <summary>
/// Requests that are carried out together: writes, then one sync per file, then deletes, then the answers. It is the unit
/// of repetition: after any failure the whole round is done again, the writes at the same offsets.
/// </summary>
/// <remarks>
/// The bytes are kept until the sync has succeeded. After a failed sync Linux may drop the written pages and report success
/// the next time ("fsyncgate", 2018), so only writing again makes a second sync mean something.
/// </remarks>
internal sealed class DiskRound
{
    /// <summary>Bytes at which a round is full: some milliseconds of a fast disk, so no answer waits long for others' bytes.</summary>
    public const long BytesMax = 8 * 1024 * 1024;

    private readonly List<StoredFile> _files = [];
    private readonly List<StoredFile> _deletes = [];
    private readonly List<long> _tickets = [];
    private bool _full;

    /// <summary>Gets the files that are appended to, in the order of their first append.</summary>
    public IReadOnlyList<StoredFile> Files => _files;

    public IReadOnlyList<StoredFile> Deletes => _deletes;

    public IReadOnlyList<long> Tickets => _tickets;

    public long Bytes { get; private set; }

    public bool IsEmpty => _files.Count == 0 && _deletes.Count == 0 && _tickets.Count == 0;

    /// <summary>Gets whether somebody waits for it, or nothing more may be added.</summary>
    public bool IsDue => _full || _tickets.Count > 0 || _deletes.Count > 0;

    /// <summary>Adds a request; false when it belongs to the next round.</summary>
    public bool TryAdd(in DiskRequest request)
    {
        if (_full) return false;
        switch (request.Kind)
        {
            case DiskRequestKind.Append:
                return TryAppend(request.File!, request.Bytes);
            case DiskRequestKind.Delete:
                _deletes.Add(request.File!);
                return true;
            default:
                _tickets.Add(request.Ticket);
                return true;
        }
    }

    /// <summary>Takes note that all is done, and is empty again.</summary>
    public void Clear()
    {
        foreach (var file in _files)
        {
            file.Written += file.PartsBytes;
            file.PartsBytes = 0;
            file.Parts.Clear();
        }

        _files.Clear();
        _deletes.Clear();
        _tickets.Clear();
        Bytes = 0;
        _full = false;
    }

    private bool TryAppend(StoredFile file, ReadOnlyMemory<byte> bytes)
    {
        // A file is made only when everything before is durable, and when an older one of its name is gone. Appends to the
        // others may overtake a delete: it asks for what was appended before it and does not mind more.
        var isNew = file.Handle is null && file.Parts.Count == 0;
        if (isNew && _files.Count + _deletes.Count > 0)
        {
            _full = true;
            return false;
        }

        if (file.Parts.Count == 0) _files.Add(file);
        file.Parts.Add(bytes);
        file.PartsBytes += bytes.Length;
        Bytes += bytes.Length;
        _full = Bytes >= BytesMax;
        return true;
    }
}
