using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Massif.Benchmarks;

/// <summary>What this machine allows at all, in bytes per second.</summary>
/// <param name="MemoryCopy">Copying memory on one core.</param>
/// <param name="Sha256">SHA-256 on one core.</param>
/// <param name="Tcp">One TCP connection over loopback, both ends on this machine.</param>
/// <param name="Tls">The same with TLS 1.3.</param>
internal sealed record MachineLimits(double MemoryCopy, double Sha256, double Tcp, double Tls)
{
    private const int BlockBytes = 128 * 1024;
    private static readonly TimeSpan SliceTime = TimeSpan.FromMilliseconds(300);
    private const int Slices = 5;

    /// <summary>Gets the rows of the table.</summary>
    public IEnumerable<BenchRow> Rows =>
    [
        BenchRow.OfMachine("machine: memory copy", MemoryCopy / 1e9),
        BenchRow.OfMachine("machine: SHA-256", Sha256 / 1e9),
        BenchRow.OfMachine("machine: loopback TCP", Tcp / 1e9),
        BenchRow.OfMachine("machine: TLS 1.3", Tls / 1e9),
    ];

    /// <summary>Measures.</summary>
    public static async Task<MachineLimits> MeasureAsync(CancellationToken cancel)
    {
        var source = new byte[64 * BlockBytes]; // 8 MiB: a batch passes through memory, not through a cache.
        var target = new byte[source.Length];
        var copy = Median(() => source.CopyTo(target, 0), source.Length);
        var hash = new byte[SHA256.HashSizeInBytes];
        var sha = Median(() => SHA256.HashData(source.AsSpan(0, BlockBytes), hash), BlockBytes);
        return new(copy, sha, await StreamAsync(secured: false, cancel), await StreamAsync(secured: true, cancel));
    }

    private static double Median(Action work, int bytes)
    {
        var rates = new List<double>();
        for (var slice = 0; slice < Slices; slice++)
        {
            var watch = Stopwatch.StartNew();
            long done = 0;
            for (; watch.Elapsed < SliceTime; done += bytes) work();
            rates.Add(done / watch.Elapsed.TotalSeconds);
        }

        return Measurement.Median(rates);
    }

    private static async Task<double> StreamAsync(bool secured, CancellationToken cancel)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        using var sender = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await sender.ConnectAsync(listener.LocalEndPoint!, cancel);
        using var receiver = await listener.AcceptAsync(cancel);
        using var certificate = secured ? Certificate() : null;
        var ends = await Task.WhenAll(
            OpenAsync(sender, certificate, isServer: false, cancel),
            OpenAsync(receiver, certificate, isServer: true, cancel));
        await using var write = ends[0];
        await using var read = ends[1];
        return await RateAsync(write, read, sender, cancel);
    }

    private static async Task<double> RateAsync(Stream write, Stream read, Socket sender, CancellationToken cancel)
    {
        long received = 0;
        var stop = false;
        var writing = Task.Run(
            async () =>
            {
                var block = RandomNumberGenerator.GetBytes(BlockBytes);
                while (!Volatile.Read(ref stop)) await write.WriteAsync(block, cancel);
                sender.Shutdown(SocketShutdown.Send);
            },
            cancel);
        var reading = Task.Run(
            async () =>
            {
                var buffer = new byte[BlockBytes];
                for (int count; (count = await read.ReadAsync(buffer, cancel)) > 0;) Interlocked.Add(ref received, count);
            },
            cancel);

        var rates = new List<double>();
        for (var slice = -1; slice < Slices; slice++)
        {
            var (watch, before) = (Stopwatch.StartNew(), Interlocked.Read(ref received));
            await Task.Delay(SliceTime, cancel);
            if (slice >= 0) rates.Add((Interlocked.Read(ref received) - before) / watch.Elapsed.TotalSeconds);
        }

        Volatile.Write(ref stop, true);
        await writing;
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // TLS calls the missing farewell an error.
        return Measurement.Median(rates);
    }

    private static async Task<Stream> OpenAsync(Socket socket, X509Certificate2? certificate, bool isServer, CancellationToken cancel)
    {
        var stream = new NetworkStream(socket);
        if (certificate is null) return stream;
        var tls = new SslStream(stream);
        if (isServer)
        {
            await tls.AuthenticateAsServerAsync(
                new SslServerAuthenticationOptions
                {
                    ServerCertificate = certificate,
                    EnabledSslProtocols = SslProtocols.Tls13,
                },
                cancel);
        }
        else
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = "bench",
                    EnabledSslProtocols = SslProtocols.Tls13,
                    RemoteCertificateValidationCallback = (_, offered, _, _) => certificate.Equals(offered),
                },
                cancel);
        }

        return tls;
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench", key, HashAlgorithmName.SHA256);
        using var made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
    }
}
