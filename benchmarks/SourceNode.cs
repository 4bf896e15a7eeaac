using System.Security.Cryptography;
using Massif.Actors;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Microsoft.Extensions.Logging.Abstractions;

namespace Massif.Benchmarks;

/// <summary>An edge without collectors: publishes the same batch again and again, some windows ahead of the slowest replica.</summary>
internal sealed class SourceNode : IActor<HostInput>, IAsyncDisposable
{
    private readonly NodeConfig _config;
    private readonly NodeRuntime<HostInput> _runtime;
    private readonly PairwiseKeys _keys;
    private readonly SourceHost _host;
    private readonly byte[] _batch;
    private readonly Counters.Counter _repeats;
    private readonly ulong _ahead;
    private long _delivered;

    private SourceNode(NodeConfig config, int batchBytes)
    {
        _config = config;
        _runtime = new(config, static input => input, NullLogger.Instance);
        using var agreement = config.Identity.AgreementKey();
        _keys = new(config.Domain, config.Index, agreement);
        _batch = RandomNumberGenerator.GetBytes(batchBytes);
        _repeats = _runtime.Counters.Of("massif_initial_repeats_total");
        _ahead = (ulong)config.Domain.Protocol.Window;
        var edge = config.Options.Edge!;
        _host = new(
            new(
                config.Domain,
                config.Index,
                Channel: 0,
                _keys,
                _runtime.Links,
                _runtime.OpenDisk(edge.StopAtFreePercent),
                edge.SpoolLimitBytes,
                edge.StopAtFreePercent,
                _runtime.Clock.BootId,
                Nonces.Next,
                _runtime.Counters),
            _runtime.Clock.Read());
    }

    /// <summary>Gets how many batches every replica has delivered and durable.</summary>
    public long DeliveredEverywhere => Interlocked.Read(ref _delivered);

    /// <summary>Gets how many batches were published.</summary>
    public long Published => _runtime.Counters.Of("massif_batches_published_total").Value;

    /// <summary>Gets how many batches were sent again, once per replica.</summary>
    public long Repeats => _repeats.Value;

    /// <summary>Starts it.</summary>
    public static SourceNode Start(string nodeFile, int batchBytes)
    {
        var (config, errors) = NodeConfig.Load(nodeFile);
        if (config is null) throw new BenchException(string.Join(Environment.NewLine, errors));
        var node = new SourceNode(config, batchBytes);
        node._runtime.Start(node);
        return node;
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await _runtime.DisposeAsync();
        _keys.Dispose();
        _config.Dispose();
    }

    long? IActor<HostInput>.NextDeadlineNanoseconds => _host.NextDeadline?.Nanoseconds;

    void IActor<HostInput>.Step(in HostInput input)
    {
        var now = _runtime.Clock.Read();
        switch (input.Kind)
        {
            case HostInputKind.Frame: _host.OnFrame(input.Node, input.Frame.Span, now); break;
            case HostInputKind.LinkUp or HostInputKind.LinkDown: _host.OnLinkChange(now); break;
            case HostInputKind.DiskSynced: _host.OnSynced(input.Ticket, now); break;
            default: throw new InvariantViolationException($"No rule for input {input.Kind}.");
        }
    }

    void IActor<HostInput>.OnDeadline() => _host.OnDeadline(_runtime.Clock.Read());

    void IActor<HostInput>.EndTurn()
    {
        var now = _runtime.Clock.Read();
        var everywhere = ulong.MaxValue;
        foreach (var replica in _config.Domain.Replicas)
            everywhere = Math.Min(everywhere, _host.DurableAt(_config.Domain.ReplicaOf(replica.Index)!.Value));
        Interlocked.Exchange(ref _delivered, (long)everywhere);
        while (!_host.IsFull && _host.NextSeq <= everywhere + _ahead) _host.Publish(_batch, now);
        _host.EndTurn(now);
    }
}
