using Massif.Actors;
using Massif.Reb.Configuration;
using Massif.Reb.Overlay;
using Massif.Reb.Protocol;
using Microsoft.Extensions.Logging;

namespace Massif.Reb.Hosting;

/// <summary>A relay's process: links, loop, <see cref="RelayHost"/>, metrics.</summary>
public sealed class RelayNode : IAsyncDisposable, IActor<HostInput>
{
    private readonly NodeRuntime<HostInput> _runtime;
    private readonly RelayHost _host;
    private readonly MisbehavingLinks? _lies;
    private readonly Func<bool> _lieNow;
    private readonly Counters.Counter _misbehaving;

    private RelayNode(NodeConfig config, Misbehaviours misbehave, Func<bool> misbehaveNow, ILogger logger)
    {
        if (misbehave != Misbehaviours.None && !config.Domain.Demo)
            throw new InvalidOperationException("--misbehave is refused: the domain description does not say \"demo: true\".");
        _runtime = new(config, static input => input, logger);
        _lieNow = misbehaveNow;
        _misbehaving = _runtime.Counters.Of("massif_relay_misbehaving");
        if (misbehave != Misbehaviours.None) _lies = new(_runtime.Links, misbehave, config.Domain.Nodes.Count);
        _host = new(config.Index, config.Domain.Nodes.Count, (ILinks?)_lies ?? _runtime.Links, _runtime.Counters);
    }

    /// <summary>Gets the end of the relay's loop; faulted when it broke.</summary>
    public Task Completion => _runtime.Loop.Completion;

    /// <summary>Starts a relay.</summary>
    /// <param name="config">Its checked configuration.</param>
    /// <param name="misbehave">What it does to what it forwards; refused outside a demonstration.</param>
    /// <param name="misbehaveNow">Whether it misbehaves at present; asked once a turn.</param>
    /// <param name="logger">Where log lines go.</param>
    /// <exception cref="InvalidOperationException">Misbehaviour was asked for in a domain that is no demonstration.</exception>
    /// <exception cref="IOException">An address cannot be used.</exception>
    public static async Task<RelayNode> StartAsync(NodeConfig config, Misbehaviours misbehave, Func<bool> misbehaveNow, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(config);
        var node = new RelayNode(config, misbehave, misbehaveNow, logger);
        try
        {
            node._runtime.Start(node);
            await node._runtime.ServeMetricsAsync();
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync() => _runtime.DisposeAsync();

    long? IActor<HostInput>.NextDeadlineNanoseconds => _lies?.NextDeadline?.Nanoseconds;

    void IActor<HostInput>.Step(in HostInput input) => _host.Step(input);

    void IActor<HostInput>.EndTurn() => TellTime();

    void IActor<HostInput>.OnDeadline() => TellTime();

    private void TellTime()
    {
        if (_lies is null) return;
        _lies.Active = _lieNow();
        _misbehaving.Value = _lies.Active ? 1 : 0;
        _lies.OnTime(new Instant(_runtime.Clock.MonotonicNanoseconds));
    }
}
