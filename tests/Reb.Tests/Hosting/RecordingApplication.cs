using System.Buffers;
using System.Buffers.Binary;
using Massif.Reb.Hosting;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Tests.Hosting;

/// <summary>
/// An application whose state is the chained digest of the payloads it was given; it insists on FIFO and on true payloads.
/// </summary>
internal sealed class RecordingApplication : IApplication
{
    private const int EntryLength = 2 + 1 + 8 + 8 + Digest.Length;

    public SortedDictionary<(ushort, StreamClass, ulong), (ulong Seq, Digest Chain)> State { get; } = [];

    /// <summary>Gets the payloads since the start of this process.</summary>
    public List<byte[]> Payloads { get; } = [];

    public int Padding { get; init; }

    public bool WasRestored { get; private set; }

    public void Apply(in BatchHeader header, in Digest digest, ReadOnlyMemory<byte> payload)
    {
        Span<byte> encoded = stackalloc byte[BatchHeader.Length];
        header.Write(encoded);
        Assert.Equal(digest, Digest.Of(encoded));
        Assert.Equal(header.PayloadHash, Digest.Of(payload.Span));
        Assert.Equal(Applied(header.Instance.Life) + 1, header.Instance.Seq);
        var key = KeyOf(header.Instance.Life);
        State[key] = (header.Instance.Seq, State.GetValueOrDefault(key).Chain.Chain(Digest.Of(payload.Span)));
        Payloads.Add(payload.ToArray());
    }

    public ulong Applied(StreamLife life) => State.GetValueOrDefault(KeyOf(life)).Seq;

    public void Snapshot(IBufferWriter<byte> destination)
    {
        foreach (var ((source, streamClass, incarnation), (seq, chain)) in State)
        {
            var entry = destination.GetSpan(EntryLength);
            BinaryPrimitives.WriteUInt16LittleEndian(entry, source);
            entry[2] = (byte)streamClass;
            BinaryPrimitives.WriteUInt64LittleEndian(entry[3..], incarnation);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[11..], seq);
            chain.Write(entry[19..]);
            destination.Advance(EntryLength);
        }

        destination.Write(PaddingBytes());
    }

    public void Restore(ReadOnlySpan<byte> state)
    {
        State.Clear();
        Assert.True(state[^Padding..].SequenceEqual(PaddingBytes()));
        WasRestored = true;
        for (var rest = state[..^Padding]; !rest.IsEmpty; rest = rest[EntryLength..])
        {
            var source = BinaryPrimitives.ReadUInt16LittleEndian(rest);
            var key = (source, (StreamClass)rest[2], BinaryPrimitives.ReadUInt64LittleEndian(rest[3..]));
            State.Add(key, (BinaryPrimitives.ReadUInt64LittleEndian(rest[11..]), Digest.Read(rest[19..])));
        }
    }

    public void Checkpoint(StreamLife life, IBufferWriter<byte> destination)
    {
        State[KeyOf(life)].Chain.Write(destination.GetSpan(Digest.Length));
        destination.Advance(Digest.Length);
        destination.Write(new byte[Padding]);
    }

    public bool TryJump(StreamLife life, ulong seq, in Digest chain, ReadOnlySpan<byte> state)
    {
        if (seq > Applied(life)) State[KeyOf(life)] = (seq, Digest.Read(state));
        return true;
    }

    private byte[] PaddingBytes() => [.. Enumerable.Range(0, Padding).Select(i => (byte)(i % 251))];

    private static (ushort Source, StreamClass Class, ulong Incarnation) KeyOf(StreamLife life) =>
        (life.Stream.Source, life.Stream.Class, life.Incarnation);
}
