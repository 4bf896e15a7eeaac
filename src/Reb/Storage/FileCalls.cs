using System.ComponentModel;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

[assembly: InternalsVisibleTo("Massif.Reb.Tests")]

namespace Massif.Reb.Storage;

/// <summary>The calls of the operating system that can fail for lack of space or a broken disk; tests make them fail.</summary>
internal class FileCalls
{
    private const int OpenReadOnly = 0;
    private const int OpenCloseOnExec = 0x80000;

    /// <summary>Opens a file for reading and appending, and makes it (mode 0600) when there is none.</summary>
    public virtual SafeFileHandle Open(string path)
    {
        // Shared, because the lock of the directory already keeps other processes away.
        var file = File.OpenHandle(
            path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        if (!OperatingSystem.IsWindows() && RandomAccess.GetLength(file) == 0)
            File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return file;
    }

    /// <summary>Writes all parts, one after another, from an offset on.</summary>
    public virtual void Write(SafeFileHandle file, IReadOnlyList<ReadOnlyMemory<byte>> parts, long offset) =>
        RandomAccess.Write(file, parts, offset);

    /// <summary>Reads from an offset on and returns how many bytes there were.</summary>
    public virtual int Read(SafeFileHandle file, Span<byte> destination, long offset) => RandomAccess.Read(file, destination, offset);

    /// <summary>Makes the bytes and the length of a file durable.</summary>
    public virtual void SyncData(SafeFileHandle file)
    {
        // fdatasync leaves out the times of the inode, which nobody here reads; .NET offers fsync only.
        if (OperatingSystem.IsLinux()) WithDescriptor(file, Native.FileDataSync, "fdatasync");
        else RandomAccess.FlushToDisk(file);
    }

    /// <summary>Makes what was created in, renamed in or removed from a directory durable.</summary>
    public virtual void SyncDirectory(string directory)
    {
        if (!OperatingSystem.IsLinux()) return; // .NET cannot open a directory, and other systems are for development only.
        using var handle = OpenDirectory(directory);
        WithDescriptor(handle, Native.FileSync, "fsync");
    }

    /// <summary>Removes a file; not an error when there is none.</summary>
    public virtual void Delete(string path) => File.Delete(path);

    /// <summary>Returns the free bytes (for this user) and all bytes of the file system of a directory.</summary>
    public virtual (long Free, long Total) Space(string directory)
    {
        var drive = new DriveInfo(directory);
        return (drive.AvailableFreeSpace, drive.TotalSize);
    }

    private static SafeFileHandle OpenDirectory(string directory)
    {
        var path = Encoding.UTF8.GetBytes(directory + '\0');
        var descriptor = Native.Open(path, OpenReadOnly | OpenCloseOnExec);
        if (descriptor < 0) throw Failure("open", directory);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static void WithDescriptor(SafeFileHandle file, Func<int, int> call, string name)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            const int Interrupted = 4;
            while (call((int)file.DangerousGetHandle()) != 0)
            {
                if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure(name, "a file");
            }
        }
        finally
        {
            if (held) file.DangerousRelease();
        }
    }

    private static IOException Failure(string call, string what) =>
        new($"{call} of {what}: {new Win32Exception(Marshal.GetLastPInvokeError()).Message}");

    private static class Native
    {
        [DllImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int FileDataSync(int descriptor);

        [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int FileSync(int descriptor);

        [DllImport("libc", EntryPoint = "open", SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
        public static extern int Open(byte[] path, int flags);
    }
}
