using System.Threading.Channels;
using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

/// <summary>A file disk in a directory of its own, with waits for its answers and its troubles.</summary>
internal sealed class DiskUnderTest : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Channel<long> _answers = Channel.CreateUnbounded<long>();
    private readonly Channel<string?> _troubles = Channel.CreateUnbounded<string?>();
    private readonly bool _ownsDirectory;
    private long _ticket;

    public DiskUnderTest(FileDiskOptions? options = null, string? directory = null)
    {
        _ownsDirectory = directory is null;
        Directory = directory ?? System.IO.Directory.CreateTempSubdirectory("massif-disk-").FullName;
        Options = (options ?? new FileDiskOptions { FreePercentMin = 0 }) with
        {
            RetryFirst = TimeSpan.FromMilliseconds(1),
            RetryLongest = TimeSpan.FromMilliseconds(5),
        };
        Disk = Reopened();
    }

    public string Directory { get; }

    public FileDiskOptions Options { get; }

    public ScriptedCalls Calls { get; } = new();

    public FileDisk Disk { get; private set; }

    /// <summary>Gets the answers that came and nobody has waited for.</summary>
    public bool HasAnswer => _answers.Reader.TryPeek(out _);

    public void Reopen()
    {
        Disk.Dispose();
        Disk = Reopened();
    }

    public long Sync()
    {
        Disk.Sync(++_ticket);
        return _ticket;
    }

    /// <summary>Waits for the next answer, which must be this one.</summary>
    public async Task Answer(long ticket) => Assert.Equal(ticket, await _answers.Reader.ReadAsync().AsTask().WaitAsync(Patience));

    public Task SyncAndWait() => Answer(Sync());

    public async Task<string?> NextTrouble() => await _troubles.Reader.ReadAsync().AsTask().WaitAsync(Patience);

    public byte[] Content(string file) => File.ReadAllBytes(Path.Combine(Directory, file));

    public void Dispose()
    {
        Disk.Dispose();
        if (_ownsDirectory) System.IO.Directory.Delete(Directory, recursive: true);
    }

    private FileDisk Reopened() => FileDisk.Open(
        Directory, Options, Calls, ticket => _answers.Writer.TryWrite(ticket), text => _troubles.Writer.TryWrite(text));
}
