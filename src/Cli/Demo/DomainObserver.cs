using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Massif.Client;
using Massif.Events;
using Massif.Reb.Telemetry;

namespace Massif.Cli.Demo;

/// <summary>Looks at the domain over the replicas' API, with the operator's certificate, and over the nodes' loopback metrics.</summary>
internal sealed class DomainObserver : IDomainObserver
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan SettleTime = TimeSpan.FromSeconds(10);

    private readonly DemoDomain _domain;
    private readonly HttpClient _http = new() { Timeout = Patience };
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _certificate;
    private readonly ClientOptions _options;
    private readonly VotingClient _client;
    private readonly Dictionary<string, RisingCount> _rising = [];
    private readonly List<AgreedAlarm> _alarms = [];

    /// <summary>Reads the operator's certificate; connects when it is first asked.</summary>
    public DomainObserver(DemoDomain domain)
    {
        _domain = domain;
        string Mine(string file) => Path.Combine(domain.OperatorDirectory, file);
        _authority = X509CertificateLoader.LoadCertificateFromFile(Mine("ca.pem"));
        _certificate = X509Certificate2.CreateFromPemFile(Mine("cert.pem"), Mine("key.pem"));
        var replicas = domain.Domain.Replicas.Select(node =>
            new ReplicaAddress(node.Id, node.ApiAddress!.Value.Host, node.ApiAddress.Value.Port) { PublicKey = node.PublicKey });
        _options = new(domain.Domain.Name, domain.Domain.Quorums.Faults, [.. replicas], _authority, _certificate) { Timeout = Patience };
        _client = new(_options);
    }

    /// <inheritdoc />
    public async Task<bool> IsReadyAsync(string node, CancellationToken cancel)
    {
        try
        {
            using var answer = await _http.GetAsync(Local(node, "readyz"), cancel);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception e) when (IsSilence(e, cancel))
        {
            return false;
        }
    }

    /// <inheritdoc />
    public async Task<bool> IsMisbehavingAsync(string relay, CancellationToken cancel) =>
        (await MetricsAsync(relay, cancel)).Sum(MetricNames.Misbehaving) > 0;

    /// <inheritdoc />
    public async Task<DomainReading> ReadAsync(CancellationToken cancel)
    {
        var edge = MetricsAsync(_domain.Edge.Id, cancel);
        var cores = _domain.Domain.Replicas.ToDictionary(node => node.Id, node => MetricsAsync(node.Id, cancel));
        var status = await _client.GetStatusAsync(cancel);
        if (status.Replicas.Sum(replica => replica.Report?.Alarms ?? 0) > 0) await ReadAlarmsAsync(cancel);
        await Task.WhenAll(cores.Values.Append(edge));
        AgreedAlarm[] known;
        lock (_alarms) known = [.. _alarms];
        return new()
        {
            Replayed = (long)edge.Result.Sum(MetricNames.ListenerEvents, ("listener", _domain.ReplayName)),
            TakenIn = (long)edge.Result.Sum(MetricNames.Received),
            Unreleased = (long)(edge.Result.Sum(MetricNames.Published) - edge.Result.Sum(MetricNames.Released)),
            Replicas = status.Replicas.ToDictionary(replica => replica.Id, replica => Replica(replica, cores[replica.Id].Result)),
            Paths = Paths(edge.Result, cores.ToDictionary(core => core.Key, core => core.Value.Result)),
            Alarms = known,
        };
    }

    /// <inheritdoc />
    public async Task<DeliveryAudit> AuditAsync(string replica, CancellationToken cancel)
    {
        var audit = new DeliveryAudit(_domain.LineBytesMax);
        var report = await ReportAsync(_client.GetStatusAsync, replica, SettleTime, cancel);
        using var archive = new ReplicaArchive(_options.Replicas.First(address => address.Id == replica), _options);
        foreach (var stream in report.Streams.OrderBy(stream => stream.Incarnation))
        {
            await foreach (var batch in archive.ReadAsync(stream.Edge, stream.Incarnation, 0, cancel))
                Take(audit, stream, batch);
        }

        return audit;
    }

    /// <inheritdoc />
    public async Task<IReadOnlyList<string>> CompareAsync(CancellationToken cancel)
    {
        var until = DateTime.UtcNow + SettleTime;
        while (true)
        {
            var status = await _client.GetStatusAsync(cancel);
            var alarms = await _client.GetAlarmsAsync(cancel);
            Note(alarms); // What was compared is what is told in the end; a look may have missed the last.
            var differences = Differences(status, alarms);
            if (differences.Count == 0 || DateTime.UtcNow > until) return differences;
            await Task.Delay(200, cancel);
        }
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _client.Dispose();
        _http.Dispose();
        _certificate.Dispose();
        _authority.Dispose();
    }

    /// <summary>Asks until the replica answers: what a busy machine did not say at once is not lost.</summary>
    /// <param name="ask">Asks all replicas.</param>
    /// <param name="replica">The one whose answer is wanted.</param>
    /// <param name="patience">For how long it is asked again.</param>
    /// <param name="cancel">Ends asking.</param>
    /// <exception cref="IOException">It does not answer.</exception>
    internal static async Task<ReplicaReport> ReportAsync(
        Func<CancellationToken, Task<DomainStatus>> ask, string replica, TimeSpan patience, CancellationToken cancel)
    {
        var began = Stopwatch.StartNew();
        while (true)
        {
            var status = await ask(cancel);
            var answer = status.Replicas.First(one => one.Id == replica);
            if (answer.Report is { } report) return report;
            if (began.Elapsed >= patience) throw new IOException(answer.Note);
            await Task.Delay(200, cancel);
        }
    }

    private static void Take(DeliveryAudit audit, StreamReport stream, in ArchivedBatch batch)
    {
        if (!BatchReader.TryOpen(batch.Payload.Span, out var reader, out var reason))
            throw new InvalidDataException($"Batch {batch.Seq} of {stream.Edge} is none: {reason}");
        for (var index = 0; index < reader.Count; index++)
        {
            var view = reader[index];
            audit.Add(
                new(stream.Edge, stream.Incarnation, batch.Seq, index),
                view.Flags,
                isInternal: view.SourceType == EventSourceType.Massif,
                view.Raw);
        }
    }

    private ReplicaReading Replica(ReplicaStatus replica, MetricsText metrics)
    {
        if (replica.Report is not { } report)
        {
            return ReplicaReading.Silent with
            {
                Delivered = Rising($"{replica.Id} delivered").Total,
                Correlated = Rising($"{replica.Id} correlated").Total,
            };
        }

        var state = replica.State == ReplicaState.Agrees ? "up" : replica.State.ToString().ToLowerInvariant();
        return new(
            true,
            Rising($"{replica.Id} delivered").Take(report.EventsDelivered),
            Rising($"{replica.Id} correlated").Take((long)metrics.Sum(MetricNames.Correlated)),
            state,
            string.Join(' ', report.Streams.Select(Position).Order(StringComparer.Ordinal)));
    }

    private static string Position(StreamReport stream) =>
        string.Create(CultureInfo.InvariantCulture, $"{stream.Edge}/{stream.Class}/{stream.Incarnation}/{stream.Delivered}");

    private List<PathLine> Paths(MetricsText edge, Dictionary<string, MetricsText> cores)
    {
        var paths = new List<PathLine>();
        foreach (var (name, _) in edge.By(MetricNames.PathSent, "path"))
        {
            var end = name.StartsWith("via ", StringComparison.Ordinal) ? name[4..] : _domain.Edge.Id;
            var (corrupt, replayed) = (0L, 0L);
            foreach (var (core, metrics) in cores)
            {
                var again = (long)metrics.Sum(MetricNames.PathFaults, ("neighbour", end), ("reason", "replayed"));
                var all = (long)metrics.Sum(MetricNames.PathFaults, ("neighbour", end));
                replayed += Rising($"{core} {end} replayed").Take(again);
                corrupt += Rising($"{core} {end} corrupt").Take(all - again);
            }

            paths.Add(new(name, corrupt + replayed > 0 ? "blamed" : "ok", corrupt, replayed));
        }

        return paths;
    }

    private async Task ReadAlarmsAsync(CancellationToken cancel)
    {
        Note(await _client.GetAlarmsAsync(cancel));
    }

    private void Note(AlarmList list)
    {
        lock (_alarms)
        {
            var known = _alarms.Select(alarm => alarm.Id).ToHashSet(StringComparer.Ordinal);
            _alarms.AddRange(list.Alarms.Where(alarm => !known.Contains(alarm.Id)).Select(alarm =>
                new AgreedAlarm(alarm.Id, alarm.Rule, alarm.Key.ToDictionary(), alarm.First, alarm.Last, alarm.Count, alarm.Events)));
        }
    }

    private static List<string> Differences(DomainStatus status, AlarmList alarms)
    {
        var differences = new List<string>();
        foreach (var replica in status.Replicas.Where(replica => replica.State != ReplicaState.Agrees))
            differences.Add($"{replica.Id} {replica.State.ToString().ToLowerInvariant()}: {replica.Note}");
        var ends = status.Replicas.Where(replica => replica.Report is not null).GroupBy(replica => string.Join(' ', replica.Report!.Streams
            .Select(stream => $"{Position(stream)} {LastDigest(stream)}")
            .Order(StringComparer.Ordinal)));
        if (ends.Count() > 1) differences.Add("the chained digests at the last batch are not equal");
        foreach (var replica in alarms.Replicas.Where(replica => replica.State != ReplicaState.Agrees))
            differences.Add($"{replica.Id} {replica.State.ToString().ToLowerInvariant()} in alarms: {replica.Note}");
        foreach (var (id, who) in alarms.Unconfirmed) differences.Add($"only {string.Join(", ", who)} has alarm {id}");
        return differences;
    }

    private static string LastDigest(StreamReport stream) => stream.Chain.Count == 0 ? "none" : stream.Chain[^1].Digest;

    private RisingCount Rising(string name)
    {
        if (!_rising.TryGetValue(name, out var count)) _rising.Add(name, count = new());
        return count;
    }

    private async Task<MetricsText> MetricsAsync(string node, CancellationToken cancel)
    {
        try
        {
            return MetricsText.Parse(await _http.GetStringAsync(Local(node, "metrics"), cancel));
        }
        catch (Exception e) when (IsSilence(e, cancel))
        {
            return MetricsText.Parse("");
        }
    }

    private Uri Local(string node, string path) => new($"http://{_domain[node].HttpListen}/{path}");

    private static bool IsSilence(Exception e, CancellationToken cancel) =>
        e is HttpRequestException || (e is OperationCanceledException && !cancel.IsCancellationRequested);

    /// <summary>A counter that begins anew when its process does; this one does not.</summary>
    private sealed class RisingCount
    {
        private long _before;
        private long _last;

        public long Total => _before + _last;

        public long Take(long value)
        {
            if (value < _last) _before += _last;
            _last = value;
            return Total;
        }
    }
}

/// <summary>The metrics of nodes that the demonstration reads.</summary>
internal static class MetricNames
{
    public const string Received = "massif_events_received_total";
    public const string ListenerEvents = "massif_listener_events_total";
    public const string Published = "massif_batches_published_total";
    public const string Released = "massif_batches_released_total";
    public const string PathSent = "massif_path_sent_envelopes_total";
    public const string PathFaults = "massif_path_faults_total";
    public const string Correlated = "massif_events_correlated_total";
    public const string Misbehaving = "massif_relay_misbehaving";
}
