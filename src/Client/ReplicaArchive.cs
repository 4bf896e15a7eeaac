using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Massif.Client;

/// <summary>One batch as a replica delivered it.</summary>
/// <param name="Seq">Its seq in its stream's life.</param>
/// <param name="Payload">Its bytes; valid until the next batch is asked for.</param>
public readonly record struct ArchivedBatch(ulong Seq, ReadOnlyMemory<byte> Payload);

/// <summary>Reads back what one replica delivered. Nothing of it is voted: it is for audits that compare replicas.</summary>
public sealed class ReplicaArchive : IDisposable
{
    // A batch is at most 256 KiB (docs/protocols/BROADCAST.md, budgets); the rest is room for its head.
    private const int PayloadBytesMax = 512 * 1024;
    private const int HeadBytes = 12;
    private readonly ReplicaConnection _replica;

    /// <summary>Makes an archive of one replica; it connects when it is first asked.</summary>
    public ReplicaArchive(ReplicaAddress address, ClientOptions options) => _replica = new(address, options);

    /// <summary>Reads the batches of one life of a stream, in order, until the first that the replica does not have.</summary>
    /// <param name="edge">Id of the edge.</param>
    /// <param name="incarnation">Life of its spool.</param>
    /// <param name="after">Seq of the batch behind which to begin; 0 for the beginning.</param>
    /// <param name="cancel">Ends reading.</param>
    /// <exception cref="HttpRequestException">The replica cannot be reached, or refuses.</exception>
    /// <exception cref="IOException">The connection broke, or what came is no sequence of batches.</exception>
    public async IAsyncEnumerable<ArchivedBatch> ReadAsync(
        string edge, ulong incarnation, ulong after, [EnumeratorCancellation] CancellationToken cancel)
    {
        var path = string.Create(CultureInfo.InvariantCulture, $"/v1/batches/{Uri.EscapeDataString(edge)}/{incarnation}?after={after}");
        using var response = await _replica.OpenStreamAsync(path, cancel);
        await using var stream = await response.Content.ReadAsStreamAsync(cancel);
        var head = new byte[HeadBytes];
        var payload = new byte[64 * 1024];
        while (true)
        {
            var read = await stream.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancel);
            if (read == 0) yield break;
            var length = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
            if (read < HeadBytes || length is < 0 or > PayloadBytesMax)
                throw new IOException($"{_replica.Address.Id} sends what is no batch.");
            if (payload.Length < length) payload = new byte[length];
            await stream.ReadExactlyAsync(payload.AsMemory(0, length), cancel);
            yield return new(BinaryPrimitives.ReadUInt64LittleEndian(head), payload.AsMemory(0, length));
        }
    }

    /// <inheritdoc />
    public void Dispose() => _replica.Dispose();
}
