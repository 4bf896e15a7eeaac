namespace Massif.Reb.Storage;

/// <summary>A directory of the operating system as an <see cref="IDisk"/>.</summary>
/// <remarks>
/// <para>
/// One process at a time: the directory is locked while this is open. Appends, syncs and deletes are carried out in order by
/// a thread of its own, with one fdatasync per file for all that wait. Errors (no space, a broken disk, the operator's
/// limits) are kept in <see cref="Trouble"/> and tried again; nothing is acknowledged meanwhile.
/// </para>
/// <para>One thread of the host calls; the counters, <see cref="Trouble"/> and the sizes may be read by any.</para>
/// </remarks>
public sealed class FileDisk : IDisk, IDisposable
{
    private const string LockName = ".lock";
    private const string TemporarySuffix = ".tmp";

    // Hosts ask at every turn; a fast disk fills less than 1 GB between two looks, and the writer itself looks each time.
    private const long LookAtSpaceMilliseconds = 100;

    private readonly string _directory;
    private readonly FileDiskOptions _options;
    private readonly FileCalls _calls;
    private readonly FileStream _lock;
    private readonly DiskWriter _writer;
    private readonly Lock _gate = new();
    private (long Free, long Total) _space;
    private long _lookedAtSpace = long.MinValue / 2;
    private readonly SortedDictionary<string, StoredFile> _files = new(StringComparer.Ordinal);

    private FileDisk(
        string directory, FileDiskOptions options, FileCalls calls, Action<long> synced, Action<string?>? troubleChanged)
    {
        (_directory, _options, _calls) = (directory, options, calls);
        _writer = new DiskWriter(directory, options, calls, synced, troubleChanged);
        _lock = LockDirectory(directory);
    }

    /// <inheritdoc />
    public IReadOnlyList<string> Files
    {
        get
        {
            lock (_gate) return [.. _files.Keys];
        }
    }

    /// <inheritdoc />
    public string? Trouble => _writer.Trouble;

    /// <inheritdoc />
    public long FreeBytes => Space().Free;

    /// <inheritdoc />
    public long TotalBytes => Space().Total;

    /// <summary>Gets what it has done so far.</summary>
    public DiskCounters Counters => _writer.Counters;

    /// <summary>Opens a directory, and makes it (mode 0700) when there is none.</summary>
    /// <param name="directory">Its path. Names that begin with a dot are this class's own.</param>
    /// <param name="options">The operator's choices.</param>
    /// <param name="synced">Told each ticket when it is durable, on the writer's thread; must neither block nor throw.</param>
    /// <param name="troubleChanged">Told when <see cref="Trouble"/> changes, on the writer's thread, for the log.</param>
    /// <exception cref="IOException">The directory is in use by another process, or cannot be read.</exception>
    public static FileDisk Open(
        string directory, FileDiskOptions options, Action<long> synced, Action<string?>? troubleChanged = null) =>
        Open(directory, options, new FileCalls(), synced, troubleChanged);

    internal static FileDisk Open(
        string directory, FileDiskOptions options, FileCalls calls, Action<long> synced, Action<string?>? troubleChanged)
    {
        ArgumentException.ThrowIfNullOrEmpty(directory);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(synced);
        directory = Path.GetFullPath(directory);
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(directory);
        else Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var disk = new FileDisk(directory, options, calls, synced, troubleChanged);
        try
        {
            disk.FindFiles();
        }
        catch
        {
            disk.CloseFiles();
            throw;
        }

        disk._writer.Start();
        return disk;
    }

    /// <inheritdoc />
    public long LengthOf(string file)
    {
        lock (_gate) return _files.TryGetValue(file, out var stored) ? stored.Length : 0;
    }

    /// <inheritdoc />
    /// <exception cref="DiskFailedException">The operating system cannot read it.</exception>
    public int Read(string file, long offset, Span<byte> destination)
    {
        StoredFile? stored;
        lock (_gate) _files.TryGetValue(file, out stored);
        if (stored?.Handle is not { } handle) return 0;
        try
        {
            return _calls.Read(handle, destination, offset);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw DiskFailedException.Unreadable(stored.Path, offset, failure);
        }
    }

    /// <inheritdoc />
    public void Append(string file, ReadOnlyMemory<byte> bytes)
    {
        StoredFile? stored;
        lock (_gate)
        {
            if (!_files.TryGetValue(file, out stored))
            {
                stored = new StoredFile(file, PathOf(file));
                _files.Add(file, stored);
            }

            stored.Length += bytes.Length;
        }

        _writer.Enqueue(new(DiskRequestKind.Append, stored, bytes, 0));
    }

    /// <inheritdoc />
    public void Sync(long ticket) => _writer.Enqueue(new(DiskRequestKind.Sync, null, default, ticket));

    /// <inheritdoc />
    public void Delete(string file)
    {
        StoredFile? stored;
        lock (_gate)
        {
            // Gone for the host from now on; an append to the same name begins a new file behind this request.
            if (!_files.Remove(file, out stored)) return;
        }

        _writer.Enqueue(new(DiskRequestKind.Delete, stored, default, 0));
    }

    /// <inheritdoc />
    public void Truncate(string file, long length)
    {
        lock (_gate)
        {
            if (!_files.TryGetValue(file, out var stored) || stored.Length <= length) return;
            var handle = IdleHandleOf(stored);
            RandomAccess.SetLength(handle, length);
            if (_options.Durability == Durability.Power) _calls.SyncData(handle);
            _writer.CountStored(length - stored.Length);
            (stored.Length, stored.Written) = (length, length);
        }
    }

    /// <inheritdoc />
    /// <exception cref="IOException">It could not be replaced; the old content is still there.</exception>
    public void Replace(string file, ReadOnlySpan<byte> bytes)
    {
        var path = PathOf(file);
        var temporary = Path.Combine(_directory, "." + file + TemporarySuffix);
        lock (_gate)
        {
            if (_files.TryGetValue(file, out var old)) IdleHandleOf(old);
            var handle = _calls.Open(temporary);
            try
            {
                RandomAccess.SetLength(handle, 0);
                _calls.Write(handle, [bytes.ToArray()], 0);
                if (_options.Durability == Durability.Power) _calls.SyncData(handle);
                File.Move(temporary, path, overwrite: true);
                if (_options.Durability == Durability.Power) _calls.SyncDirectory(_directory);
            }
            catch
            {
                handle.Dispose();
                throw;
            }

            // The handle follows the file through the rename.
            _files[file] = new StoredFile(file, path)
            {
                Handle = handle,
                IsInDirectory = true,
                Length = bytes.Length,
                Written = bytes.Length,
            };
            _writer.CountStored(bytes.Length - (old?.Length ?? 0));
            old?.Dispose();
        }
    }

    /// <summary>Carries out what waits, unless the disk is in trouble, and lets go of the directory.</summary>
    public void Dispose()
    {
        _writer.Stop();
        CloseFiles();
    }

    private static FileStream LockDirectory(string directory)
    {
        var path = Path.Combine(directory, LockName);
        try
        {
            // Not shared: .NET takes flock for that, which the system releases however this process ends.
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException failure)
        {
            throw new IOException($"{directory} is in use by another process, or cannot be locked: {failure.Message}", failure);
        }
    }

    private (long Free, long Total) Space()
    {
        lock (_gate)
        {
            var now = Environment.TickCount64;
            if (now - _lookedAtSpace < LookAtSpaceMilliseconds) return _space;
            _lookedAtSpace = now;
            return _space = _calls.Space(_directory);
        }
    }

    private void FindFiles()
    {
        foreach (var path in Directory.EnumerateFiles(_directory))
        {
            var name = Path.GetFileName(path);
            if (name.StartsWith('.'))
            {
                // What a crash left of a replacement: the old content is in place.
                if (name.EndsWith(TemporarySuffix, StringComparison.Ordinal)) _calls.Delete(path);
                continue;
            }

            // What a killed process wrote may be in the page cache only. The host takes what it reads for durable, and says so
            // to others, so it is made durable before it can be read. A file that is clean costs microseconds.
            var handle = _calls.Open(path);
            if (_options.Durability == Durability.Power) _calls.SyncData(handle);
            var length = RandomAccess.GetLength(handle);
            _files.Add(name, new StoredFile(name, path) { Handle = handle, IsInDirectory = true, Length = length, Written = length });
            _writer.CountStored(length);
        }
    }

    private static Microsoft.Win32.SafeHandles.SafeFileHandle IdleHandleOf(StoredFile file)
    {
        if (file.Handle is { } handle && file.Length == file.Written) return handle;
        throw new InvalidOperationException($"{file.Name} has appends that wait; it is cut or replaced before the first turn only.");
    }

    private string PathOf(string file)
    {
        if (file.Length is 0 or > 200 || file[0] == '.' || file.Contains('/') || file.Contains('\\') || file.Contains('\0'))
            throw new ArgumentException($"'{file}' is not a name for a file here.", nameof(file));
        return Path.Combine(_directory, file);
    }

    private void CloseFiles()
    {
        lock (_gate)
        {
            foreach (var file in _files.Values) file.Dispose();
            _files.Clear();
        }

        _lock.Dispose();
    }
}
