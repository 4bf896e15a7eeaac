using System.Diagnostics;
using System.Net;
using Massif.Reb.Configuration;
using Massif.Reb.Telemetry;

namespace Massif.Benchmarks;

/// <summary>A domain of a benchmark: made in a temporary directory, its nodes as processes; nothing is left of it.</summary>
internal sealed class BenchDomain : IDisposable
{
    private const int DiskLimitMebibytes = 8 * 1024;
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(8);

    private readonly NodeLauncher _launch;
    private readonly string _directory;
    private readonly Dictionary<string, NodeOptions> _options = [];
    private readonly Dictionary<string, INodeProcess> _processes = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };

    private BenchDomain(NodeLauncher launch, string directory, Domain domain) =>
        (_launch, _directory, Domain) = (launch, directory, domain);

    /// <summary>Gets the domain description.</summary>
    public Domain Domain { get; }

    /// <summary>Gets the one edge.</summary>
    public NodeOptions Edge => _options[Domain.Edges[0].Id];

    /// <summary>Gets where the edge takes live syslog over TCP.</summary>
    public IPEndPoint Syslog => Edge.Edge!.Syslog
        .First(listener => listener is { Protocol: SyslogProtocol.Tcp, Mode: ListenerMode.Live })
        .Address;

    /// <summary>Gets the ids of the replicas.</summary>
    public IReadOnlyList<string> Replicas => [.. Domain.Replicas.Select(node => node.Id)];

    /// <summary>Returns the CPU time that each process has used.</summary>
    public Dictionary<string, TimeSpan> Cpu() =>
        _processes.ToDictionary(pair => pair.Key, pair => Read(pair.Value, p => p.TotalProcessorTime));

    /// <summary>Returns the directory with the operator's certificate and key.</summary>
    public string OperatorFile(string file) => Path.Combine(_directory, "clients", "operator", file);

    /// <summary>Returns the path of a node's <c>node.yaml</c>.</summary>
    public string NodeFile(string id) => Path.Combine(_directory, "nodes", id, "node.yaml");

    /// <summary>Makes a domain with one edge; nothing runs yet.</summary>
    public static BenchDomain Create(BenchRequest request, int replicas, int relays, ChannelPaths paths)
    {
        using var ports = new FreePorts();
        var directory = Directory.CreateTempSubdirectory("massif-bench-").FullName;
        var errors = DomainMaker.Create(directory, new()
        {
            Name = "bench",
            Replicas = replicas,
            Relays = relays,
            Paths = paths,
            PickPort = ports.Next,
            DiskLimitMebibytes = DiskLimitMebibytes,
            RulesText = request.RulesText,
        });
        var (domain, domainErrors) = errors.Count > 0 ? (null, errors) : Domain.Load(Path.Combine(directory, "domain.yaml"));
        if (domain is null)
        {
            Directory.Delete(directory, recursive: true);
            throw new BenchException(string.Join(Environment.NewLine, domainErrors));
        }

        var made = new BenchDomain(request.Launch, directory, domain);
        foreach (var node in domain.Nodes) made._options.Add(node.Id, NodeOptions.Load(made.NodeFile(node.Id)).Options!);
        return made;
    }

    /// <summary>Starts nodes and waits until each answers, or is ready for its work.</summary>
    public async Task StartAsync(IEnumerable<string> nodes, bool untilReady, CancellationToken cancel)
    {
        var started = nodes.ToList();
        foreach (var id in started)
        {
            var role = _options[id].Role.ToString().ToLowerInvariant();
            var process = _launch(id, [role, "-c", NodeFile(id)], Path.Combine(_directory, "nodes", id, "output.log"));
            _processes.Add(id, process);
            process.Start();
        }

        var watch = Stopwatch.StartNew();
        foreach (var id in started)
        {
            while (!await AnswersAsync(id, untilReady ? "readyz" : "metrics", cancel))
            {
                var process = _processes[id];
                if (process.ProcessId is null || watch.Elapsed > StartTime)
                    throw new BenchException($"{id} did not start: {process.LastWords()}");
                await Task.Delay(50, cancel);
            }
        }
    }

    /// <summary>Reads a node's metrics.</summary>
    public async Task<MetricsText> MetricsAsync(string id, CancellationToken cancel)
    {
        try
        {
            return MetricsText.Parse(await _http.GetStringAsync(Local(id, "metrics"), cancel));
        }
        catch (HttpRequestException silent)
        {
            throw new BenchException($"{id} does not answer: {silent.Message} {_processes[id].LastWords()}");
        }
    }

    /// <summary>Returns the lowest value of a metric at the replicas: what all of them have reached.</summary>
    public async Task<double> LowestAsync(string metric, CancellationToken cancel) =>
        (await Task.WhenAll(Replicas.Select(id => MetricsAsync(id, cancel)))).Min(metrics => metrics.Sum(metric));

    /// <summary>Returns the most memory that each process had, in MiB.</summary>
    public Dictionary<string, double> Memory() =>
        _processes.ToDictionary(pair => pair.Key, pair => Math.Round(Read(pair.Value, p => p.PeakWorkingSet64) / 1048576.0, 1));

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var process in _processes.Values) process.AskToStop();
        var watch = Stopwatch.StartNew();
        foreach (var process in _processes.Values)
        {
            var left = StopTime - watch.Elapsed;
            process.WaitForEnd(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            process.Dispose();
        }

        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static T Read<T>(INodeProcess node, Func<Process, T> of)
    {
        if (node.ProcessId is not { } id) throw new BenchException($"a node ended by itself: {node.LastWords()}");
        using var process = Process.GetProcessById(id);
        return of(process);
    }

    private async Task<bool> AnswersAsync(string id, string path, CancellationToken cancel)
    {
        try
        {
            using var answer = await _http.GetAsync(Local(id, path), cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private Uri Local(string id, string path) => new($"http://{_options[id].HttpListen}/{path}");
}
