using System.Globalization;
using Massif.Actors;

namespace Massif.Reb.Storage;

/// <summary>The thread behind a <see cref="FileDisk"/>: carries requests out in order, as many at once as wait.</summary>
/// <remarks>
/// While one sync is under way the next turns queue their requests; they become one round with one sync. Appends that nobody
/// waits for stay in memory until a sync is asked for, or the round is full.
/// </remarks>
internal sealed class DiskWriter
{
    private readonly string _directory;
    private readonly FileDiskOptions _options;
    private readonly FileCalls _calls;
    private readonly Action<long> _synced;
    private readonly Action<string?>? _troubleChanged;
    private readonly BackOff _backOff;
    private readonly Thread _thread;

    private readonly object _gate = new();
    private List<DiskRequest> _incoming = [];
    private int _deletesWaiting;
    private bool _retryNow;
    private bool _stopping;

    // The writer's own.
    private readonly DiskRound _round = new();
    private List<DiskRequest> _taken = [];
    private int _takenUsed;

    private string? _trouble;
    private long _bytesStored;
    private long _bytesWaiting;
    private long _bytesWritten;
    private long _rounds;
    private long _syncs;
    private long _failures;

    public DiskWriter(
        string directory, FileDiskOptions options, FileCalls calls, Action<long> synced, Action<string?>? troubleChanged)
    {
        (_directory, _options, _calls, _synced, _troubleChanged) = (directory, options, calls, synced, troubleChanged);
        _backOff = new BackOff(options.RetryFirst, options.RetryLongest, new Random());
        _thread = new Thread(Run) { IsBackground = true, Name = "disk " + Path.GetFileName(directory) };
    }

    public string? Trouble => Volatile.Read(ref _trouble);

    public DiskCounters Counters => new(
        Interlocked.Read(ref _bytesWritten), Interlocked.Read(ref _bytesWaiting), Interlocked.Read(ref _rounds),
        Interlocked.Read(ref _syncs), Interlocked.Read(ref _failures));

    /// <summary>Adds to the bytes that all files hold together: what is found at open, cut or replaced.</summary>
    public void CountStored(long bytes) => Interlocked.Add(ref _bytesStored, bytes);

    public void Start() => _thread.Start();

    public void Enqueue(in DiskRequest request)
    {
        var waiting = Interlocked.Add(ref _bytesWaiting, request.Bytes.Length);
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_stopping, typeof(FileDisk));
            _incoming.Add(request);
            if (request.Kind == DiskRequestKind.Append && waiting < DiskRound.BytesMax) return; // Nobody waits for it yet.
            if (request.Kind == DiskRequestKind.Delete)
            {
                _deletesWaiting++;
                _retryNow = true; // It lifts the floor; see WhyNoRoom.
            }

            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Carries out what waits, or gives up when the disk is in trouble, and ends the thread.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _stopping = true;
            Monitor.Pulse(_gate);
        }

        if (_thread.IsAlive) _thread.Join();
    }

    private void Run()
    {
        while (true)
        {
            var stopping = TakeRequests();
            FillRound();
            if (_round.IsDue || (stopping && !_round.IsEmpty))
            {
                if (!CarryOut()) return;
            }
            else if (stopping)
            {
                return;
            }
        }
    }

    /// <summary>Takes what has come in; waits when there is nothing to do. Returns whether this is the end.</summary>
    private bool TakeRequests()
    {
        if (_takenUsed < _taken.Count) return false;
        _taken.Clear();
        _takenUsed = 0;
        lock (_gate)
        {
            // Appends alone are taken too, but do not keep the thread awake: FillRound leaves them in the round.
            if (_incoming.Count == 0 && !_stopping) Monitor.Wait(_gate);
            (_incoming, _taken) = (_taken, _incoming);
            return _stopping && _taken.Count == 0;
        }
    }

    private void FillRound()
    {
        while (_takenUsed < _taken.Count && _round.TryAdd(_taken[_takenUsed])) _takenUsed++;
    }

    /// <summary>Does the round until it succeeds, then answers; false when the disk is in trouble and the end has come.</summary>
    private bool CarryOut()
    {
        while (TryOnce() is { } failure)
        {
            Interlocked.Increment(ref _failures);
            SayTrouble(failure);
            if (!WaitBeforeRetry(_backOff.Next())) return false;
        }

        _backOff.Reset();
        SayTrouble(null);
        TakeNote();
        foreach (var ticket in _round.Tickets) _synced(ticket);
        _round.Clear();
        return true;
    }

    private string? TryOnce()
    {
        try
        {
            if (WhyNoRoom() is { } reason) return reason;
            foreach (var file in _round.Files)
            {
                file.Handle ??= _calls.Open(file.Path);
                _calls.Write(file.Handle, file.Parts, file.Written);
            }

            if (_options.Durability == Durability.Power) SyncFiles();
            foreach (var file in _round.Deletes) _calls.Delete(file.Path);
            if (_round.Deletes.Count > 0 && _options.Durability == Durability.Power) _calls.SyncDirectory(_directory);
            return null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return $"{_directory}: {failure.Message}";
        }
    }

    private void SyncFiles()
    {
        var inDirectory = true;
        foreach (var file in _round.Files)
        {
            _calls.SyncData(file.Handle!);
            inDirectory &= file.IsInDirectory;
            Interlocked.Increment(ref _syncs);
        }

        if (inDirectory) return;
        _calls.SyncDirectory(_directory);
        foreach (var file in _round.Files) file.IsInDirectory = true;
    }

    /// <summary>Returns why the limits that the operator set forbid this round; null when they allow it.</summary>
    /// <remarks>
    /// A delete that waits lifts them: the appends before it are in memory already, few, and the way to the delete that
    /// makes room. Without that a full disk could never empty itself.
    /// </remarks>
    private string? WhyNoRoom()
    {
        if (_round.Bytes == 0) return null;
        lock (_gate)
        {
            if (_deletesWaiting > 0) return null;
        }

        var stored = Interlocked.Read(ref _bytesStored);
        if (stored + _round.Bytes > _options.BytesMax)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{_directory} holds {stored} bytes; {_round.Bytes} more would pass its limit of {_options.BytesMax}.");
        }

        if (_options.FreePercentMin == 0) return null;
        var (free, total) = _calls.Space(_directory);
        var floor = total / 100 * _options.FreePercentMin;
        if (free - _round.Bytes >= floor) return null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{_directory}: {free} of {total} bytes are free; {_options.FreePercentMin} % must stay free. Make room.");
    }

    private bool WaitBeforeRetry(TimeSpan delay)
    {
        var until = Environment.TickCount64 + (long)Math.Ceiling(delay.TotalMilliseconds);
        lock (_gate)
        {
            while (!_stopping && !_retryNow)
            {
                var left = until - Environment.TickCount64;
                if (left <= 0) break;
                Monitor.Wait(_gate, (int)left);
            }

            _retryNow = false;
            return !_stopping;
        }
    }

    private void SayTrouble(string? text)
    {
        if (text == _trouble) return;
        Volatile.Write(ref _trouble, text);
        _troubleChanged?.Invoke(text);
    }

    private void TakeNote()
    {
        Interlocked.Add(ref _bytesStored, _round.Bytes);
        Interlocked.Add(ref _bytesWritten, _round.Bytes);
        Interlocked.Add(ref _bytesWaiting, -_round.Bytes);
        Interlocked.Increment(ref _rounds);
        if (_round.Deletes.Count == 0) return;
        foreach (var file in _round.Deletes)
        {
            var gone = file.Written + file.PartsBytes;
            Interlocked.Add(ref _bytesStored, -gone);
            file.Dispose();
        }

        lock (_gate) _deletesWaiting -= _round.Deletes.Count;
    }
}
