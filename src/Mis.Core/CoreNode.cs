using System.Reflection;
using System.Security.Cryptography;
using Massif.Actors;
using Massif.Cep;
using Massif.Mis.Core.Api;
using Massif.Reb.Configuration;
using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Telemetry;
using Microsoft.Extensions.Logging;

namespace Massif.Mis.Core;

/// <summary>A core replica's process: links, journal, loop, <see cref="CoreHost"/>, read API, metrics.</summary>
public sealed partial class CoreNode : IAsyncDisposable, IActor<HostInput>
{
    private static readonly Dictionary<string, long> NoRefusals = [];

    private readonly NodeRuntime<HostInput> _runtime;
    private readonly PairwiseKeys _keys;
    private readonly ECDsa _signingKey;
    private readonly StartVerifier _verifier;
    private readonly CoreHost _host;
    private readonly ILogger _logger;
    private CoreApi? _api;
    private bool _saidLost;

    private CoreNode(NodeConfig config, RuleSet rules, ILogger logger)
    {
        _logger = logger;
        _runtime = new(config, static input => input, logger);
        using var agreement = config.Identity.AgreementKey();
        _keys = new(config.Domain, config.Index, agreement);
        _signingKey = config.Identity.SigningKey();
        _verifier = new(config.Domain);
        var options = config.Options.Core!;
        var parts = new ReplicaParts(
            config.Domain,
            config.Index,
            _keys,
            new(config.Domain, config.Index, _signingKey),
            _verifier,
            _runtime.Links,
            _runtime.OpenDisk(options.StopAtFreePercent),
            options.JournalLimitBytes,
            options.StopAtFreePercent,
            Nonces.Next,
            _runtime.Counters);
        _host = new(parts, rules, _runtime.Clock.Read());
        CoreMemory.AddTo(_runtime.Memory, config.Domain, rules, _host.Replica);
    }

    /// <summary>Gets the end of the replica's loop; faulted when an invariant of its own broke.</summary>
    public Task Completion => _runtime.Loop.Completion;

    /// <summary>Starts a replica: everything is restored before the first socket is opened.</summary>
    /// <param name="config">Its checked configuration.</param>
    /// <param name="rules">The correlation rules.</param>
    /// <param name="logger">Where log lines go.</param>
    /// <exception cref="IOException">An address or the data directory cannot be used.</exception>
    /// <exception cref="Reb.Storage.StorageFormatException">The journal is of another version.</exception>
    public static async Task<CoreNode> StartAsync(NodeConfig config, RuleSet rules, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(config);
        var node = new CoreNode(config, rules, logger);
        try
        {
            node._runtime.Start(node);
            await node._runtime.ServeMetricsAsync(node.ApiMetrics);
            var version = typeof(CoreNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
            var model = new CoreReadModel(node._runtime.AskAsync, node._host.Application, version);
            var trust = new DomainTrust(config.Domain, config.Identity.Authority);
            node._api = await CoreApi.StartAsync(config.Options.Core!.ApiListen, config.Identity, trust, model);
            return node;
        }
        catch
        {
            await node.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        if (_api is not null) await _api.DisposeAsync();
        await _runtime.DisposeAsync();
        _keys.Dispose();
        _verifier.Dispose();
        _signingKey.Dispose();
    }

    long? IActor<HostInput>.NextDeadlineNanoseconds => _host.NextDeadline?.Nanoseconds;

    void IActor<HostInput>.Step(in HostInput input) => _host.Step(input, _runtime.Clock.Read());

    void IActor<HostInput>.OnDeadline() => _host.OnDeadline(_runtime.Clock.Read());

    void IActor<HostInput>.EndTurn()
    {
        _host.EndTurn(_runtime.Clock.Read());
        if (_saidLost || !_host.Replica.EchoForbidden) return;
        _saidLost = true;
        LogVoteLogLost(_logger);
    }

    private IEnumerable<Metric> ApiMetrics() =>
    [
        Metric.By(
            "reason", "massif_api_refused_total", MetricKind.Counter, "Clients of the API that were refused or cut, by reason.",
            _api?.Refused ?? NoRefusals),
    ];

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "the vote log of this replica is lost, damaged or old: "
            + "it sends no ECHO in this epoch; it still delivers and serves what it has")]
    private static partial void LogVoteLogLost(ILogger logger);
}
