using System.Runtime.InteropServices;

namespace Massif.Cli;

/// <summary>Ctrl-C and SIGTERM ask a command to end. Asked again it goes on ending: what it started has to be cleared away.</summary>
internal sealed class StopSignals : IDisposable
{
    /// <summary>How long a command may take to end after it was asked before the process ends regardless.</summary>
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly PosixSignalRegistration[] _registrations;

    /// <summary>Listens until disposed.</summary>
    public StopSignals() => _registrations =
    [
        PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
        PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
    ];

    /// <summary>Gets what is cancelled at the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (_stop.IsCancellationRequested) return;
        new Thread(EndRegardless) { IsBackground = true, Name = "end regardless" }.Start();
        _stop.Cancel();
    }

    private static void EndRegardless()
    {
        Thread.Sleep(StopTime);
        Environment.Exit(ExitCodes.Failed);
    }
}
