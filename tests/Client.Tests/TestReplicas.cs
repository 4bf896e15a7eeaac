using System.Net;
using Massif.Mis.Core.Api;
using Massif.Tests.Support;

namespace Massif.Client.Tests;

/// <summary>Four replicas with their real API on loopback, and what a client must know of them.</summary>
internal sealed class TestReplicas : IAsyncDisposable
{
    private readonly CoreApi?[] _apis = new CoreApi?[4];

    private TestReplicas()
    {
    }

    public TestDomain Domain { get; } = new();

    public FakeReplica[] Replicas { get; } = [.. Enumerable.Range(1, 4).Select(i => new FakeReplica($"core{i}"))];

    public ClientOptions Options { get; private set; } = null!;

    public static async Task<TestReplicas> StartAsync()
    {
        var all = new TestReplicas();
        for (var i = 0; i < 4; i++) await all.StartAsync(i, port: 0);
        all.Options = new(
            all.Domain.Name,
            1,
            [.. all._apis.Select((api, i) => new ReplicaAddress($"core{i + 1}", "127.0.0.1", api!.Endpoint.Port)
            {
                PublicKey = all.Domain.Domain[new((ushort)i)].PublicKey,
            })],
            all.Domain.Authority,
            all.Domain.Operator())
        {
            RetryPause = TimeSpan.FromMilliseconds(20),
        };
        return all;
    }

    /// <summary>Delivers one batch at some of the replicas; all when none is named.</summary>
    public void Deliver(ulong seq, byte[] payload, params int[] at)
    {
        foreach (var i in at.Length == 0 ? [0, 1, 2, 3] : at) Replicas[i].Deliver(seq, payload);
    }

    public async Task StopAsync(int replica)
    {
        await _apis[replica]!.DisposeAsync();
        _apis[replica] = null;
    }

    public Task RestartAsync(int replica) => StartAsync(replica, Options.Replicas[replica].Port);

    public async ValueTask DisposeAsync()
    {
        foreach (var api in _apis)
        {
            if (api is not null) await api.DisposeAsync();
        }

        Domain.Dispose();
    }

    private async Task StartAsync(int replica, int port) => _apis[replica] = await CoreApi.StartAsync(
        new(IPAddress.Loopback, port),
        Domain.Identity($"core{replica + 1}"),
        Domain.Trust,
        Replicas[replica],
        new() { Heartbeat = TimeSpan.FromMilliseconds(100) });
}
