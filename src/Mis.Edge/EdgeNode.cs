using Massif.Actors;
using Massif.Mis.Edge.Collectors;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Microsoft.Extensions.Logging;

namespace Massif.Mis.Edge;

/// <summary>An edge's process: collectors, spool, links, loop, <see cref="EdgeHost"/>, metrics.</summary>
public sealed class EdgeNode : IAsyncDisposable, IActor<EdgeInput>
{
    private readonly NodeRuntime<EdgeInput> _runtime;
    private readonly PairwiseKeys _keys;
    private readonly EdgeHost _host;
    private readonly InputGate _gate;
    private SyslogCollectors? _collectors;

    private EdgeNode(NodeConfig config, ILogger logger)
    {
        _runtime = new(config, static input => new EdgeInput(EdgeInputKind.Bus, input), logger);
        using var agreement = config.Identity.AgreementKey();
        _keys = new(config.Domain, config.Index, agreement);
        var options = config.Options.Edge!;
        var channel = config.Domain.Channels.ToList().FindIndex(c => c.Class == Reb.Protocol.StreamClass.Bulk);
        var parts = new SourceParts(
            config.Domain,
            config.Index,
            (byte)channel,
            _keys,
            _runtime.Links,
            _runtime.OpenDisk(options.StopAtFreePercent),
            options.SpoolLimitBytes,
            options.StopAtFreePercent,
            _runtime.Clock.BootId,
            Nonces.Next,
            _runtime.Counters);
        _host = new(options, parts, _runtime.Clock.Read());
        _gate = new(_runtime.Loop);
        Completion = _runtime.Loop.Completion;
        AddTo(_runtime.Memory);
    }

    /// <summary>Gets the end of the edge: faulted when an invariant of its own broke or a listener failed.</summary>
    public Task Completion { get; private set; }

    /// <summary>Starts an edge: the spool is opened before the first socket is.</summary>
    /// <param name="config">Its checked configuration.</param>
    /// <param name="logger">Where log lines go.</param>
    /// <exception cref="IOException">An address or the data directory cannot be used.</exception>
    /// <exception cref="Reb.Storage.StorageFormatException">The spool is of another version.</exception>
    public static async Task<EdgeNode> StartAsync(NodeConfig config, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(config);
        var node = new EdgeNode(config, logger);
        try
        {
            node._runtime.Start(node);
            node._collectors = SyslogCollectors.Start(config.Options.Edge!.Syslog, node._gate);
            node.Completion = Task.WhenAny(node._runtime.Loop.Completion, node._collectors.Completion).Unwrap();
            await node._runtime.ServeMetricsAsync(node._collectors.Metrics, node.Trouble);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops the listeners first, spools what they had taken, then stops the rest.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_collectors is not null) await _collectors.DisposeAsync();
        if (_collectors is not null)
        {
            var flush = new FlushRequest(_runtime.Clock, InputGate.Inboxes);
            await _gate.PostToAllAsync(flush);
            await Task.WhenAny(flush.Done, _runtime.Loop.Completion);
        }

        await _runtime.DisposeAsync();
        _keys.Dispose();
    }

    long? IActor<EdgeInput>.NextDeadlineNanoseconds => _host.NextDeadline?.Nanoseconds;

    void IActor<EdgeInput>.Step(in EdgeInput input)
    {
        _host.Step(input, _runtime.Clock.Read());
        if (input.Kind == EdgeInputKind.Datagram) _gate.Took(input.Bytes.Length);
    }

    void IActor<EdgeInput>.OnDeadline() => _host.OnDeadline(_runtime.Clock.Read());

    void IActor<EdgeInput>.EndTurn()
    {
        _host.EndTurn(_runtime.Clock.Read());
        while (_host.TryTakeClosed(out var connection)) _collectors?.Close(connection);
        _gate.Set(_host.Accepts);
    }

    private void AddTo(MemoryBound bound)
    {
        bound.Add("bytes of TCP senders on their way to the loop", InputGate.StreamBytesMax);
        bound.Add("datagrams on their way to the loop", InputGate.DatagramBytesMax);
        _host.AddTo(bound);
    }

    private string? Trouble() => _host.Accepts ? null : "the spool is full: TCP senders wait";

    /// <summary>Closes the batch under way before the node stops; done when it was the last input of every inbox.</summary>
    private sealed class FlushRequest(SystemClock clock, int inboxes) : IHostRequest
    {
        private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = inboxes;

        public Task Done => _done.Task;

        public void Answer(object host)
        {
            if (--_left > 0) return; // What the other inboxes hold was read from senders and goes into the spool too.
            ((EdgeHost)host).Flush(clock.Read());
            _done.TrySetResult();
        }
    }
}
