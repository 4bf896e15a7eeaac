using System.Net;
using System.Net.Sockets;

namespace Massif.Benchmarks;

/// <summary>Sends lines over one TCP connection as fast as they are taken, or as far ahead as it is allowed.</summary>
internal sealed class SyslogSender : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Thread _thread;
    private readonly Lock _gate = new();
    private readonly ManualResetEventSlim _mayGo = new(true);
    private long _sent;
    private long _allowed;
    private volatile bool _stop;

    /// <summary>Connects and starts.</summary>
    /// <param name="listener">Where to.</param>
    /// <param name="allowed">How many events it may send for now; see <see cref="Allow"/>.</param>
    public SyslogSender(IPEndPoint listener, long allowed = long.MaxValue)
    {
        _allowed = allowed;
        try
        {
            _socket.Connect(listener);
        }
        catch
        {
            _socket.Dispose();
            _mayGo.Dispose();
            throw;
        }

        _thread = new(Run) { IsBackground = true, Name = "bench sender" };
        _thread.Start();
    }

    /// <summary>Gets how many events it has sent.</summary>
    public long Sent
    {
        get
        {
            lock (_gate) return _sent;
        }
    }

    /// <summary>Lets it send up to a number of events since its start.</summary>
    public void Allow(long events)
    {
        lock (_gate)
        {
            _allowed = events;
            if (_sent < _allowed) _mayGo.Set();
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _stop = true;
        _mayGo.Set();
        _socket.Dispose(); // Ends a send that waits.
        _thread.Join();
        _mayGo.Dispose();
    }

    private void Run()
    {
        try
        {
            while (!_stop)
            {
                _mayGo.Wait();
                for (var sent = 0; sent < SyslogLines.Block.Length && !_stop;) sent += _socket.Send(SyslogLines.Block.AsSpan(sent));
                lock (_gate)
                {
                    _sent += SyslogLines.LinesPerBlock;
                    if (_sent >= _allowed && !_stop) _mayGo.Reset();
                }
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // The benchmark is over, or the edge has gone, which the measurement notices.
        }
    }
}
