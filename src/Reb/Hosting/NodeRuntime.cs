using Massif.Actors;
using Massif.Reb.Configuration;
using Massif.Reb.Links;
using Massif.Reb.Storage;
using Massif.Reb.Telemetry;
using Microsoft.Extensions.Logging;

namespace Massif.Reb.Hosting;

/// <summary>
/// What every node's process has in common: clock, links, disk, the loop that turns what they say into inputs, metrics and health.
/// </summary>
/// <typeparam name="TInput">The host's input.</typeparam>
public sealed partial class NodeRuntime<TInput> : IAsyncDisposable
{
    private const int DiskAnswers = 4096;
    private const int Requests = 256;
    private const int NewsAtOnce = 20; // Ups and downs of one peer; then one a second.

    private readonly Func<HostInput, TInput> _wrap;
    private readonly ILogger _logger;
    private readonly LateActor _actor = new();
    private readonly Inbox<TInput> _diskInbox;
    private readonly Inbox<TInput> _requestInbox;
    private FileDisk? _disk;
    private MetricsServer? _metrics;

    /// <summary>Prepares a node; nothing is opened yet.</summary>
    public NodeRuntime(NodeConfig config, Func<HostInput, TInput> wrap, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(config);
        (Config, _wrap, _logger) = (config, wrap, logger);
        Loop = new(config.Options.Id, _actor, () => Clock.MonotonicNanoseconds);
        _diskInbox = Loop.AddInbox("disk", DiskAnswers);
        _requestInbox = Loop.AddInbox("requests", Requests);
        var observer = new LinkInputs(this);
        var options = new LinkOptions { Listen = config.Options.BusListen, StartNonce = Nonces.Next() };
        Links = new(config.Domain, config.Index, config.Identity, options, observer);
        Memory.AddNode(config.Domain, config.Index);
    }

    /// <summary>Gets the configuration.</summary>
    public NodeConfig Config { get; }

    /// <summary>Gets the clocks.</summary>
    public SystemClock Clock { get; } = new();

    /// <summary>Gets the counters.</summary>
    public Counters Counters { get; } = new();

    /// <summary>Gets what others can make this node hold; the host adds what is its own before the start.</summary>
    public MemoryBound Memory { get; } = new();

    /// <summary>Gets the links.</summary>
    public LinkManager Links { get; }

    /// <summary>Gets the loop.</summary>
    public ActorLoop<TInput> Loop { get; }

    /// <summary>Opens the node's data directory.</summary>
    /// <param name="stopAtFreePercent">
    /// The share of the file system at which the host stops; the disk itself keeps half of it as a reserve.
    /// </param>
    /// <exception cref="IOException">The directory is in use by another process, or cannot be read.</exception>
    public FileDisk OpenDisk(int stopAtFreePercent)
    {
        var options = new FileDiskOptions
        {
            Durability = Config.Options.Durability,
            FreePercentMin = stopAtFreePercent / 2,
        };
        return _disk = FileDisk.Open(Config.Options.DataDirectory, options, OnSynced, LogTrouble);
    }

    /// <summary>Posts a question from inside the process.</summary>
    public ValueTask<bool> AskAsync(HostInput request, CancellationToken cancel) => _requestInbox.PostAsync(_wrap(request), cancel);

    /// <summary>Waits for one turn of the loop: a loop that hangs does not answer.</summary>
    /// <exception cref="InvalidOperationException">The node has stopped.</exception>
    public async ValueTask TurnAsync(CancellationToken cancel)
    {
        var turn = new EmptyRequest();
        if (!await AskAsync(HostInput.OfRequest(turn), cancel)) throw new InvalidOperationException($"{Config.Options.Id} has stopped.");
        await turn.Answered.WaitAsync(cancel);
    }

    /// <summary>Logs what others can make this node hold, and starts the loop and then the links.</summary>
    /// <exception cref="IOException">The bus address cannot be used.</exception>
    public void Start(IActor<TInput> actor)
    {
        foreach (var item in Memory.Items) LogMemoryItem(_logger, MemoryBound.Megabytes(item.Bytes), item.What);
        LogMemoryTotal(_logger, MemoryBound.Megabytes(Memory.Total));
        _actor.Inner = actor;
        Loop.Start();
        Links.Start();
    }

    /// <summary>Opens <c>/metrics</c> and <c>/healthz</c>.</summary>
    /// <param name="more">Metrics besides those of counters, links, memory and process; null for none.</param>
    /// <param name="trouble">Why the host does not do its work, or null while it does; null when only links can be in its way.</param>
    /// <exception cref="IOException">The address cannot be used.</exception>
    public async Task ServeMetricsAsync(Func<IEnumerable<Metric>>? more = null, Func<string?>? trouble = null)
    {
        var (domain, self) = (Config.Domain, Config.Index);
        var telemetry = new NodeTelemetry(
            Counters,
            TurnAsync,
            () => LinkTelemetry.Of(domain, self, Links).Concat(more?.Invoke() ?? []).Append(Memory.ToMetric()),
            () => trouble?.Invoke() is { } reason ? new(false, reason) : LinkTelemetry.Health(domain, self, Links));
        _metrics = await MetricsServer.StartAsync(Config.Options.HttpListen, telemetry);
    }

    /// <summary>Stops metrics, links, loop and disk, in this order; what was accepted is carried out.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_metrics is not null) await _metrics.DisposeAsync();
        await Links.DisposeAsync();
        if (_actor.Inner is not null)
        {
            Loop.RequestStop();
            await Loop.Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        _disk?.Dispose();
    }

    private void OnSynced(long ticket)
    {
        // The writer's own thread: there is room for more answers than it can have under way, and it may wait for some.
        if (!_diskInbox.TryPost(_wrap(HostInput.OfSynced(ticket))))
            _diskInbox.PostAsync(_wrap(HostInput.OfSynced(ticket))).AsTask().GetAwaiter().GetResult();
    }

    private void LogTrouble(string? trouble)
    {
        if (trouble is null) LogDiskWell(_logger);
        else LogDiskTrouble(_logger, trouble);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "disk: {Trouble}; nothing is acknowledged until it can write again")]
    private static partial void LogDiskTrouble(ILogger logger, string trouble);

    [LoggerMessage(Level = LogLevel.Information, Message = "memory: at most {Size} for {What}")]
    private static partial void LogMemoryItem(ILogger logger, string size, string what);

    [LoggerMessage(Level = LogLevel.Information, Message = "memory: at most {Size} in all, besides the program itself")]
    private static partial void LogMemoryTotal(ILogger logger, string size);

    [LoggerMessage(Level = LogLevel.Information, Message = "disk: writes again")]
    private static partial void LogDiskWell(ILogger logger);

    [LoggerMessage(Level = LogLevel.Information, Message = "link to {Peer}: up")]
    private static partial void LogUp(ILogger logger, string peer);

    [LoggerMessage(Level = LogLevel.Warning, Message = "link to {Peer}: down ({Reason})")]
    private static partial void LogDown(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "link to {Peer}: {Count} changes were not told, they came too fast")]
    private static partial void LogUntold(ILogger logger, string peer, long count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Peer} cannot be reached at {Remote}: {Detail}; it is tried again and again")]
    private static partial void LogUnreachable(ILogger logger, string peer, string remote, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "connection with {Remote} refused: {Reason}. {Detail} ({Total} so far)")]
    private static partial void LogRefused(ILogger logger, string remote, LinkRefusal reason, string detail, long total);

    /// <summary>Turns what happens on the links into inputs; a neighbour whose inbox is full is not read.</summary>
    private sealed class LinkInputs : ILinkObserver
    {
        private readonly NodeRuntime<TInput> _node;
        private readonly Inbox<TInput>[] _inboxes;
        private readonly NewsBudget _news;

        public LinkInputs(NodeRuntime<TInput> node)
        {
            _node = node;
            _news = new(node.Config.Domain.Nodes.Count, NewsAtOnce);
            _inboxes = [.. node.Config.Domain.Nodes.Select(peer => node.Loop.AddInbox(peer.Id, NodeLimits.FramesPerNeighbour))];
        }

        public async ValueTask OnFrameAsync(NodeIndex from, ReadOnlyMemory<byte> frame, CancellationToken closed) =>
            await _inboxes[from.Value].PostAsync(_node._wrap(HostInput.OfFrame(from, frame)), closed);

        public async ValueTask OnUpAsync(NodeIndex peer, ulong startNonce)
        {
            if (MayTell(peer)) LogUp(_node._logger, _node.Config.Domain[peer].Id);
            await _inboxes[peer.Value].PostAsync(_node._wrap(HostInput.OfLinkUp(peer)));
        }

        public async ValueTask OnDownAsync(NodeIndex peer, string reason)
        {
            if (MayTell(peer)) LogDown(_node._logger, _node.Config.Domain[peer].Id, reason);
            await _inboxes[peer.Value].PostAsync(_node._wrap(HostInput.OfLinkDown(peer)));
        }

        public void OnRefused(LinkRefused refused)
        {
            if (refused is { Reason: LinkRefusal.Unreachable, Peer: { } peer })
            {
                LogUnreachable(_node._logger, _node.Config.Domain[peer].Id, refused.Remote, refused.Detail);
                return;
            }

            LogRefused(_node._logger, refused.Remote, refused.Reason, refused.Detail, refused.Total);
        }

        private bool MayTell(NodeIndex peer)
        {
            if (!_news.MayTell(peer, Environment.TickCount64, out var untold)) return false;
            if (untold > 0) LogUntold(_node._logger, _node.Config.Domain[peer].Id, untold);
            return true;
        }
    }

    /// <summary>Stands for the actor until the host exists: the host needs links and disk, and they need the loop.</summary>
    private sealed class LateActor : IActor<TInput>
    {
        public IActor<TInput>? Inner { get; set; }

        public long? NextDeadlineNanoseconds => Inner!.NextDeadlineNanoseconds;

        public void Step(in TInput input) => Inner!.Step(input);

        public void EndTurn() => Inner!.EndTurn();

        public void OnDeadline() => Inner!.OnDeadline();
    }
}

/// <summary>A question without content: its answer shows that the loop turns.</summary>
public sealed class EmptyRequest : IHostRequest
{
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Gets the answer.</summary>
    public Task Answered => _answer.Task;

    /// <inheritdoc />
    public void Answer(object host) => _answer.TrySetResult();
}

/// <summary>Random numbers for what only has to be new.</summary>
public static class Nonces
{
    /// <summary>Returns 64 random bits.</summary>
    public static ulong Next() => BitConverter.ToUInt64(System.Security.Cryptography.RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
