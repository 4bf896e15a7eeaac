using Microsoft.Win32.SafeHandles;

namespace Massif.Reb.Storage;

/// <summary>One file of a <see cref="FileDisk"/>. A name that is deleted and made again is a second one of these.</summary>
internal sealed class StoredFile(string name, string path) : IDisposable
{
    private SafeFileHandle? _handle;

    public string Name { get; } = name;

    public string Path { get; } = path;

    /// <summary>Gets or sets the open file; null until the writer has made it.</summary>
    public SafeFileHandle? Handle
    {
        get => Volatile.Read(ref _handle);
        set => Volatile.Write(ref _handle, value);
    }

    /// <summary>Gets or sets whether its name in the directory is durable; not so until the sync after its making.</summary>
    public bool IsInDirectory { get; set; }

    /// <summary>Gets or sets the length as the host sees it, with everything it appended; under the disk's lock.</summary>
    public long Length { get; set; }

    /// <summary>Gets or sets the length that is carried out; the writer's.</summary>
    public long Written { get; set; }

    /// <summary>Gets what the round at hand appends to it; the writer's.</summary>
    public List<ReadOnlyMemory<byte>> Parts { get; } = [];

    /// <summary>Gets or sets the sum of <see cref="Parts"/> in bytes; the writer's.</summary>
    public long PartsBytes { get; set; }

    public void Dispose() => Handle?.Dispose();
}
