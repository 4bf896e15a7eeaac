using System.Diagnostics;
using System.Runtime.InteropServices;
using Massif.Reb.Protocol;

namespace Massif.Reb.Hosting;

/// <summary>The operating system's clocks, with what its clock discipline says about them.</summary>
/// <remarks>
/// Quality comes from adjtimex(2), asked once a second: synchronised with the kernel's own bound of the error (offset, root
/// dispersion and half the root delay are in <c>maxerror</c>), or not. After synchronisation was lost the bound grows by the
/// drift that adjtimex allows, 500 parts per million; past a second there is no bound worth the name.
/// </remarks>
public sealed class SystemClock : IClock
{
    private const int StateUnsynchronised = 0x40; // STA_UNSYNC
    private const long DriftPartsPerMillion = 500;
    private const long HoldoverErrorMicrosecondsMax = 1_000_000;
    private const long AskEveryNanoseconds = 1_000_000_000;

    private readonly long _start = Stopwatch.GetTimestamp();
    private long _nextAsk;
    private long _syncedAt = -1;
    private uint _syncedError;
    private ClockQuality _quality = ClockQuality.Unsync;
    private uint? _error;

    /// <inheritdoc />
    public Guid BootId { get; } = ReadBootId();

    /// <summary>Gets monotonic time in nanoseconds since this clock was made.</summary>
    public long MonotonicNanoseconds => (long)Stopwatch.GetElapsedTime(_start).TotalNanoseconds;

    /// <inheritdoc />
    public Moment Read()
    {
        var monotonic = MonotonicNanoseconds;
        if (monotonic >= _nextAsk)
        {
            _nextAsk = monotonic + AskEveryNanoseconds;
            Ask(monotonic);
        }

        return new(new Instant(monotonic), (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) * 100, _quality, _error);
    }

    private void Ask(long monotonic)
    {
        if (OperatingSystem.IsLinux() && TryReadKernel(out var synchronised, out var maxError) && synchronised)
        {
            (_quality, _error, _syncedAt, _syncedError) = (ClockQuality.Sync, maxError, monotonic, maxError);
            return;
        }

        var error = _syncedAt < 0 ? long.MaxValue : _syncedError + ((monotonic - _syncedAt) / 1000 * DriftPartsPerMillion / 1_000_000);
        if (error > HoldoverErrorMicrosecondsMax) (_quality, _error) = (ClockQuality.Unsync, null);
        else (_quality, _error) = (ClockQuality.Holdover, (uint)error);
    }

    private static bool TryReadKernel(out bool synchronised, out uint maxError)
    {
        var timex = new long[26]; // struct timex of 64-bit Linux is 208 bytes; modes = 0 only reads.
        (synchronised, maxError) = (false, 0);
        try
        {
            if (AdjustTime(timex) < 0) return false;
        }
        catch (Exception failure) when (failure is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;
        }

        maxError = (uint)Math.Clamp(timex[3], 0, uint.MaxValue);
        synchronised = (timex[5] & StateUnsynchronised) == 0;
        return true;
    }

    private static Guid ReadBootId()
    {
        const string Path = "/proc/sys/kernel/random/boot_id";
        return File.Exists(Path) && Guid.TryParse(File.ReadAllText(Path).Trim(), out var id) ? id : Guid.NewGuid();
    }

    [DllImport("libc", EntryPoint = "adjtimex")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int AdjustTime([In, Out] long[] timex);
}
