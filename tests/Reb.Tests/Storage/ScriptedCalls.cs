using Massif.Reb.Storage;
using Microsoft.Win32.SafeHandles;

namespace Massif.Reb.Tests.Storage;

/// <summary>The real calls, written down, with failures and pauses where a test wants them.</summary>
internal sealed class ScriptedCalls : FileCalls
{
    private readonly Dictionary<SafeFileHandle, string> _names = [];
    private readonly List<string> _log = [];

    /// <summary>Gets or sets what is called before each call, with its line in the log; may throw or wait.</summary>
    public Action<string>? Before { get; set; }

    public (long Free, long Total)? SpaceIs { get; set; }

    public string[] Log
    {
        get
        {
            lock (_log) return [.. _log];
        }
    }

    public override SafeFileHandle Open(string path)
    {
        Note($"open {Path.GetFileName(path)}");
        var file = base.Open(path);
        lock (_log) _names[file] = Path.GetFileName(path);
        return file;
    }

    public override void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset)
    {
        Note($"write {NameOf(file)} {offset}+{parts.Sum(part => part.Length)}");
        base.Write(file, parts, offset);
    }

    // Not in the log: whether and how often it reads is nobody's promise.
    public override int Read(SafeFileHandle file, Span<byte> destination, long offset)
    {
        Before?.Invoke($"read {NameOf(file)}");
        return base.Read(file, destination, offset);
    }

    public override void SyncData(SafeFileHandle file)
    {
        Note($"sync {NameOf(file)}");
        base.SyncData(file);
    }

    public override void SyncDirectory(string directory)
    {
        Note("sync directory");
        base.SyncDirectory(directory);
    }

    public override void Delete(string path)
    {
        Note($"delete {Path.GetFileName(path)}");
        base.Delete(path);
    }

    public override (long Free, long Total) Space(string directory) => SpaceIs ?? base.Space(directory);

    private string NameOf(SafeFileHandle file)
    {
        lock (_log) return _names[file];
    }

    private void Note(string line)
    {
        lock (_log) _log.Add(line);
        Before?.Invoke(line);
    }
}
