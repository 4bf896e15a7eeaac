using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Massif.Cli;
using Massif.Client;
using Massif.Mis.Core;
using Massif.Mis.Core.Rules;
using Massif.Mis.Edge;
using Massif.Reb.Configuration;
using Massif.Reb.Hosting;
using Massif.Reb.Overlay;
using Massif.Reb.Storage;
using Massif.Reb.Telemetry;
using Microsoft.Extensions.Logging.Abstractions;

namespace Massif.Integration.Tests.BadDays;

/// <summary>
/// A domain on free loopback ports. Its nodes run as processes of their own, or inside the test where nothing has to be
/// killed. Whatever happens, nothing of it is left at the end.
/// </summary>
internal sealed class LiveDomain : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<string, NodeOptions> _options = [];
    private readonly Dictionary<string, TestProcess> _processes = [];
    private readonly Dictionary<string, (IAsyncDisposable Node, NodeConfig Config)> _here = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(10) };
    private readonly X509Certificate2 _authority;
    private readonly X509Certificate2 _operator;
    private readonly ClientOptions _client;

    public LiveDomain(Func<DomainMakerOptions, DomainMakerOptions>? change = null, Action<LiveDomain>? edit = null)
    {
        using (var ports = new FreePorts())
        {
            var options = new DomainMakerOptions
            {
                PickPort = ports.Next,
                Durability = Durability.Process,
                RulesText = ShippedRules.Text,
            };
            Assert.Empty(DomainMaker.Create(Home, change?.Invoke(options) ?? options));
        }

        edit?.Invoke(this);
        Description = Domain.Load(Path.Combine(Home, "domain.yaml")).Domain!;
        foreach (var node in Description.Nodes) _options.Add(node.Id, NodeOptions.Load(NodeFile(node.Id)).Options!);
        _authority = X509CertificateLoader.LoadCertificateFromFile(Operator("ca.pem"));
        _operator = X509Certificate2.CreateFromPemFile(Operator("cert.pem"), Operator("key.pem"));
        var replicas = Description.Replicas.Select(node =>
            new ReplicaAddress(node.Id, node.ApiAddress!.Value.Host, node.ApiAddress.Value.Port) { PublicKey = node.PublicKey });
        _client = new(Description.Name, Description.Quorums.Faults, [.. replicas], _authority, _operator)
        {
            Timeout = TimeSpan.FromSeconds(10),
        };
        Client = new(_client);
        string Operator(string file) => Path.Combine(Home, "clients", "operator", file);
    }

    public string Home => _directory["domain"];

    public Domain Description { get; }

    public VotingClient Client { get; }

    public IEnumerable<string> Cores => Description.Replicas.Select(node => node.Id);

    public NodeOptions this[string id] => _options[id];

    public string NodeFile(string id) => Path.Combine(Home, "nodes", id, "node.yaml");

    public string DataOf(string id) => Path.Combine(Home, "nodes", id, "data");

    public string At(string file) => _directory[file];

    /// <summary>Where an edge listens, by the listener's name in its configuration.</summary>
    public IPEndPoint Listener(string name) => this["edge1"].Edge!.Syslog.Single(listener => listener.Name == name).Address;

    /// <summary>Replaces text in a node's own file; the text must be there.</summary>
    public void Edit(string id, string old, string replacement)
    {
        var text = File.ReadAllText(NodeFile(id));
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(NodeFile(id), text.Replace(old, replacement, StringComparison.Ordinal));
    }

    public TestProcess StartProcess(string id, params string[] more)
    {
        if (_processes.Remove(id, out var old)) old.Dispose();
        var role = Description.Find(id)!.Role.ToString().ToLowerInvariant();
        return _processes[id] = new(_directory[$"{id}.log"], [role, "-c", NodeFile(id), .. more]);
    }

    public TestProcess Process(string id) => _processes[id];

    /// <summary>Starts a node inside the test.</summary>
    public async Task StartHereAsync(string id, Misbehaviours misbehave = Misbehaviours.None)
    {
        var (config, errors) = NodeConfig.Load(NodeFile(id));
        Assert.Empty(errors);
        IAsyncDisposable node = config!.Self.Role switch
        {
            NodeRole.Edge => await EdgeNode.StartAsync(config, NullLogger.Instance),
            NodeRole.Relay => await RelayNode.StartAsync(config, misbehave, () => true, NullLogger.Instance),
            _ => await CoreNode.StartAsync(config, RuleFile.Load(config.Options.Core!.RulesFile, new ConfigErrors())!, NullLogger.Instance),
        };
        _here.Add(id, (node, config));
    }

    public async Task StartHereAsync(IEnumerable<string> ids)
    {
        foreach (var id in ids) await StartHereAsync(id);
    }

    /// <summary>Stops a node inside the test as SIGTERM does.</summary>
    public async Task StopHereAsync(string id)
    {
        if (!_here.Remove(id, out var one)) throw new InvalidOperationException($"{id} does not run here.");
        await one.Node.DisposeAsync().AsTask().WaitAsync(Until.Patience);
        one.Config.Dispose();
    }

    public Task ReadyAsync(params IEnumerable<string> ids) => Task.WhenAll(ids.Select(id =>
        Until.HoldsAsync(
            async () => (await AskAsync(id, "readyz")).Status == HttpStatusCode.OK,
            () => $"{id} is not ready. {LastWords(id)}")));

    /// <summary>Asks a node on its loopback port; status 0 when nobody answers.</summary>
    public async Task<(HttpStatusCode Status, string Text)> AskAsync(string id, string path)
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://{this[id].HttpListen}/{path}"));
            return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return (0, e.Message);
        }
    }

    public async Task<MetricsText> MetricsAsync(string id) => MetricsText.Parse((await AskAsync(id, "metrics")).Text);

    public Task MetricAsync(string id, Func<MetricsText, bool> holds, string what) =>
        Until.HoldsAsync(async () => holds(await MetricsAsync(id)), () => $"{id}: {what}. {LastWords(id)}");

    /// <summary>Returns what one replica delivered, in its order: the raw lines in which the marker is.</summary>
    public async Task<List<string>> LinesAsync(string replica, string marker)
    {
        var lines = new List<string>();
        var status = await Client.GetStatusAsync(CancellationToken.None);
        var report = status.Replicas.First(one => one.Id == replica).Report;
        if (report is null) return lines;
        using var archive = new ReplicaArchive(_client.Replicas.First(address => address.Id == replica), _client);
        foreach (var stream in report.Streams.OrderBy(stream => stream.Incarnation))
        {
            await foreach (var batch in archive.ReadAsync(stream.Edge, stream.Incarnation, 0, CancellationToken.None))
                lines.AddRange(EventLines.Of(batch.Payload.Span).Where(line => line.Contains(marker, StringComparison.Ordinal)));
        }

        return lines;
    }

    /// <summary>Waits until each of the replicas has delivered that many lines, and returns what each has.</summary>
    public async Task<IReadOnlyList<List<string>>> DeliveredAsync(string marker, int count, params IEnumerable<string> replicas)
    {
        var all = await Task.WhenAll(replicas.Select(async replica =>
        {
            List<string> lines = [];
            await Until.HoldsAsync(
                async () => (lines = await LinesAsync(replica, marker)).Count >= count,
                () => $"{replica} has {lines.Count} of {count} lines. {LastWords(replica)}");
            return lines;
        }));
        return all;
    }

    /// <summary>Waits until all replicas agree about everything, alarms included.</summary>
    public Task AgreeAsync()
    {
        var why = "";
        return Until.HoldsAsync(
            async () =>
            {
                var status = await Client.GetStatusAsync(CancellationToken.None);
                var alarms = await Client.GetAlarmsAsync(CancellationToken.None);
                var others = status.Replicas.Concat(alarms.Replicas).Where(replica => replica.State != ReplicaState.Agrees);
                why = string.Join("; ", others.Select(replica => $"{replica.Id} {replica.State} {replica.Note}"));
                return status.Agreed && why.Length == 0;
            },
            () => $"not all replicas agree: {why}");
    }

    public string LastWords(string id) => _processes.TryGetValue(id, out var process) ? process.LastWords() : "";

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.Values) process.Dispose();
        foreach (var id in _here.Keys.ToArray()) await StopHereAsync(id);
        Client.Dispose();
        _http.Dispose();
        _operator.Dispose();
        _authority.Dispose();
        _directory.Dispose();
    }
}

/// <summary>Waits for conditions.</summary>
internal static class Until
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>Asks again and again until the condition holds; fails with the reason after a minute.</summary>
    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> why)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(Pause);
        while (!await condition())
        {
            if (patience.IsCancellationRequested) Assert.Fail(why());
            await timer.WaitForNextTickAsync();
        }
    }
}

/// <summary>Sends syslog.</summary>
internal static class Senders
{
    /// <summary>
    /// Sends lines over one TCP connection, LF at the end of each, and returns when the edge has closed it, having read all.
    /// </summary>
    public static async Task SendAsync(IPEndPoint listener, IEnumerable<string> lines)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener);
        await using var stream = new NetworkStream(socket);
        await using (var writer = new StreamWriter(stream, new UTF8Encoding(false), 16 * 1024, leaveOpen: true) { NewLine = "\n" })
        {
            foreach (var line in lines) await writer.WriteLineAsync(line);
        }

        socket.Shutdown(SocketShutdown.Send);
        var rest = new byte[1];
        while (await stream.ReadAsync(rest) > 0)
        {
            // An edge says nothing; this waits for its end of the connection.
        }
    }

    public static async Task SendDatagramAsync(IPEndPoint listener, string line)
    {
        using var socket = new Socket(SocketType.Dgram, ProtocolType.Udp);
        await socket.SendToAsync(Encoding.UTF8.GetBytes(line), listener);
    }

    public static IEnumerable<string> Numbered(string marker, int count, int bytes = 0)
    {
        var padding = bytes == 0 ? "" : " " + new string('x', bytes);
        return Enumerable.Range(1, count).Select(i => $"<13>Nov 21 11:15:51 web-1 load: {marker} {i:D7}{padding}");
    }

    /// <summary>Six failed logins of one address: an alarm of the rule that ships.</summary>
    public static IEnumerable<string> BruteForce(string address) =>
        Enumerable.Range(1, 6).Select(i =>
            $"<38>Nov 21 11:15:5{i} web-1 sshd[{700 + i}]: Failed password for root from {address} port {40000 + i} ssh2");
}
