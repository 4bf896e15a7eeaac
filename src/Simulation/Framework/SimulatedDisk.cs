using Massif.Reb.Protocol;
using Massif.Reb.Storage;

namespace Massif.Simulation;

/// <summary>A disk in memory that does to its owner what real ones do: late syncs, lost and torn tails, flipped bits, no space.</summary>
/// <remarks>
/// Operations wait in order. A sync makes those before it durable when the world says so (<see cref="CompleteSync"/>); a
/// crash keeps a random prefix of the rest and may cut the last kept append anywhere in its bytes, or leave a hole of
/// zeros where its middle should be. What a killed process had handed to the operating system is readable afterwards
/// without being durable: a later power cut may still take it away.
/// </remarks>
public sealed class SimulatedDisk : IDisk
{
    private readonly SortedDictionary<string, Contents> _files = new(StringComparer.Ordinal);
    private readonly Queue<Operation> _waiting = [];
    private readonly Action<long> _syncAsked;
    private readonly Prng _prng;

    /// <summary>Makes an empty disk.</summary>
    /// <param name="totalBytes">Size of the file system in bytes.</param>
    /// <param name="prng">Decides what a crash leaves.</param>
    /// <param name="syncAsked">Told the ticket of each sync; the world answers later by <see cref="CompleteSync"/>.</param>
    public SimulatedDisk(long totalBytes, Prng prng, Action<long> syncAsked)
    {
        ArgumentNullException.ThrowIfNull(syncAsked);
        (TotalBytes, _prng, _syncAsked) = (totalBytes, prng, syncAsked);
    }

    private enum OperationKind : byte
    {
        Append,
        Delete,
        Sync,
    }

    /// <inheritdoc />
    public IReadOnlyList<string> Files =>
        [.. _files.Where(file => file.Value.Seen.Length > 0 || file.Value.Exists).Select(file => file.Key)];

    /// <inheritdoc />
    public string? Trouble { get; private set; }

    /// <inheritdoc />
    public long FreeBytes => TotalBytes - UsedBytes;

    /// <inheritdoc />
    public long TotalBytes { get; set; }

    /// <summary>Gets the bytes of all files, waiting ones included.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>Gets the bytes ever appended, in all lives of the owner together.</summary>
    public long AppendedBytes { get; private set; }

    /// <summary>Gets or sets whether the disk answers syncs that it does not carry out: a disk that lies counts among f.</summary>
    public bool Lies { get; set; }

    /// <inheritdoc />
    public long LengthOf(string file) => _files.TryGetValue(file, out var contents) ? contents.Seen.Length : 0;

    /// <inheritdoc />
    public int Read(string file, long offset, Span<byte> destination)
    {
        if (!_files.TryGetValue(file, out var contents) || offset >= contents.Seen.Length) return 0;
        var count = (int)Math.Min(destination.Length, contents.Seen.Length - offset);
        Invariant.Holds(offset + count <= contents.Readable); // The owner asked for bytes that no sync has answered for.
        contents.Seen.Span((int)offset, count).CopyTo(destination);
        return count;
    }

    /// <inheritdoc />
    public void Append(string file, ReadOnlyMemory<byte> bytes)
    {
        ContentsOf(file).Seen.Append(bytes.Span);
        UsedBytes += bytes.Length;
        AppendedBytes += bytes.Length;
        _waiting.Enqueue(new(OperationKind.Append, file, bytes, 0));
    }

    /// <inheritdoc />
    public void Sync(long ticket)
    {
        _waiting.Enqueue(new(OperationKind.Sync, string.Empty, default, ticket));
        _syncAsked(ticket);
    }

    /// <inheritdoc />
    public void Delete(string file)
    {
        if (!_files.TryGetValue(file, out var contents)) return;
        UsedBytes -= contents.Seen.Length;
        contents.Seen.Clear();
        (contents.Readable, contents.Exists) = (0, false);
        _waiting.Enqueue(new(OperationKind.Delete, file, default, 0));
    }

    /// <inheritdoc />
    public void Truncate(string file, long length)
    {
        Invariant.Holds(_waiting.Count == 0); // For the start only.
        if (!_files.TryGetValue(file, out var contents)) return;
        UsedBytes -= contents.Seen.Length - length;
        contents.Seen.Cut((int)length);
        contents.Durable.Cut((int)Math.Min(length, contents.Durable.Length));
        contents.Readable = length;
    }

    /// <inheritdoc />
    public void Replace(string file, ReadOnlySpan<byte> bytes)
    {
        var contents = ContentsOf(file);
        UsedBytes += bytes.Length - contents.Seen.Length;
        foreach (var side in (Bytes[])[contents.Seen, contents.Durable])
        {
            side.Clear();
            side.Append(bytes);
        }

        (contents.Readable, contents.Exists, contents.DurablyExists) = (bytes.Length, true, true);
    }

    /// <summary>
    /// Carries out everything up to the sync with this ticket. False while the disk is full: nothing was done, the caller
    /// asks again later, and <see cref="Trouble"/> says why. An answer for a sync of an earlier life does nothing and is false.
    /// </summary>
    public bool CompleteSync(long ticket)
    {
        if (!_waiting.Any(operation => operation.Kind == OperationKind.Sync && operation.Ticket == ticket)) return false;
        Trouble = FreeBytes < 0 ? "No space left on device" : null;
        if (Trouble is not null) return false;
        while (true)
        {
            var operation = _waiting.Dequeue();
            if (operation.Kind == OperationKind.Sync)
            {
                foreach (var contents in _files.Values)
                {
                    contents.Readable = Lies
                        ? contents.Seen.Length
                        : Math.Max(contents.Readable, contents.Durable.Length);
                }

                if (operation.Ticket == ticket) return true;
            }
            else if (!Lies)
            {
                CarryOut(operation, operation.Bytes.Length);
            }
        }
    }

    /// <summary>Cuts the power: a random prefix of what no sync answered for survives, its end possibly torn.</summary>
    public void CutPower()
    {
        var kept = _waiting.Count == 0 ? 0 : _prng.Below(_waiting.Count + 1);
        for (; kept > 0; kept--)
        {
            var operation = _waiting.Dequeue();
            var torn = kept == 1 && operation.Kind == OperationKind.Append && operation.Bytes.Length > 0 && _prng.Chance(50);
            if (operation.Kind != OperationKind.Sync)
                CarryOut(operation, torn ? _prng.Below(operation.Bytes.Length) : operation.Bytes.Length);
            if (torn && _prng.Chance(30)) Blank(operation.File);
        }

        Restart();
    }

    /// <summary>Kills the process: a random prefix of what waits had reached the operating system, readable and not durable.</summary>
    /// <returns>How many operations of the queue were lost.</returns>
    public int KillProcess()
    {
        var survivors = _waiting.Take(_prng.Below(_waiting.Count + 1)).Where(operation => operation.Kind != OperationKind.Sync).ToArray();
        var lost = _waiting.Count - survivors.Length;
        Restart();
        foreach (var operation in survivors)
        {
            if (operation.Kind == OperationKind.Append) Append(operation.File, operation.Bytes);
            else Delete(operation.File);
        }

        foreach (var contents in _files.Values) contents.Readable = contents.Seen.Length;
        return lost;
    }

    /// <summary>
    /// Makes durable what a killed process had handed to the operating system: a process does it when it opens its files,
    /// because it will act upon what it reads there. Without a kill nothing waits, and nothing happens.
    /// </summary>
    public void SyncAll()
    {
        while (_waiting.TryDequeue(out var operation))
            if (operation.Kind != OperationKind.Sync) CarryOut(operation, operation.Bytes.Length);
    }

    /// <summary>Turns one bit of a file over, wherever it is; false when the file is empty.</summary>
    public bool Flip(string file)
    {
        if (!_files.TryGetValue(file, out var contents) || contents.Durable.Length == 0) return false;
        var (at, bit) = (_prng.Below(contents.Durable.Length), (byte)(1 << _prng.Below(8)));
        contents.Durable.Flip(at, bit);
        if (at < contents.Seen.Length) contents.Seen.Flip(at, bit);
        return true;
    }

    /// <summary>Loses everything: a new disk in the same slot.</summary>
    public void Wipe()
    {
        _waiting.Clear();
        _files.Clear();
        UsedBytes = 0;
        Trouble = null;
    }

    private Contents ContentsOf(string file)
    {
        if (!_files.TryGetValue(file, out var contents)) _files[file] = contents = new();
        contents.Exists = true;
        return contents;
    }

    private void CarryOut(in Operation operation, int length)
    {
        var contents = _files[operation.File];
        if (operation.Kind == OperationKind.Delete) contents.Durable.Clear();
        else contents.Durable.Append(operation.Bytes.Span[..length]);
        contents.DurablyExists = operation.Kind == OperationKind.Append;
    }

    /// <summary>Blocks that never reached the platter read as zeros, even when later ones did.</summary>
    private void Blank(string file)
    {
        var durable = _files[file].Durable;
        if (durable.Length == 0) return;
        var zeros = _prng.Between(1, 64);
        for (; zeros > 0; zeros--) durable.Append([0]);
    }

    /// <summary>The owner sees the durable bytes, and only those.</summary>
    private void Restart()
    {
        _waiting.Clear();
        UsedBytes = 0;
        foreach (var name in _files.Keys.ToArray())
        {
            var contents = _files[name];
            if (!contents.DurablyExists)
            {
                _files.Remove(name);
                continue;
            }

            contents.Seen.Clear();
            contents.Seen.Append(contents.Durable.Span(0, contents.Durable.Length));
            (contents.Readable, contents.Exists) = (contents.Seen.Length, true);
            UsedBytes += contents.Seen.Length;
        }
    }

    private readonly record struct Operation(OperationKind Kind, string File, ReadOnlyMemory<byte> Bytes, long Ticket);

    private sealed class Contents
    {
        /// <summary>What the owner wrote in this life, and what a power cut leaves of it.</summary>
        public Bytes Seen { get; } = new();

        public Bytes Durable { get; } = new();

        public long Readable { get; set; }

        public bool Exists { get; set; }

        public bool DurablyExists { get; set; }
    }

    private sealed class Bytes
    {
        private byte[] _bytes = new byte[256];

        public int Length { get; private set; }

        public ReadOnlySpan<byte> Span(int offset, int count) => _bytes.AsSpan(offset, count);

        public void Append(ReadOnlySpan<byte> more)
        {
            if (Length + more.Length > _bytes.Length) Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Length + more.Length));
            more.CopyTo(_bytes.AsSpan(Length));
            Length += more.Length;
        }

        public void Flip(int at, byte bit) => _bytes[at] ^= bit;

        public void Cut(int length) => Length = length;

        public void Clear() => Length = 0;
    }
}
