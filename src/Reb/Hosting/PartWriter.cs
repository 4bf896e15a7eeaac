using System.Buffers;

namespace Massif.Reb.Hosting;

/// <summary>
/// Hands the state on in parts while it is written. Megabytes in one piece would be copied at every doubling, and what is left
/// of that stays in memory until a full collection.
/// </summary>
internal sealed class PartWriter(Action<ReadOnlyMemory<byte>> take) : IBufferWriter<byte>
{
    /// <summary>Longest part in bytes.</summary>
    public const int PartBytes = 512 * 1024;

    private ArrayBufferWriter<byte> _part = new();
    private bool _isEmpty = true;

    public void Advance(int count) => _part.Advance(count);

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _part.GetMemory(sizeHint);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(sizeHint);
        return _part.GetSpan(sizeHint);
    }

    /// <summary>Hands on what is left; an empty state is one empty part.</summary>
    public void End()
    {
        if (_isEmpty || _part.WrittenCount > 0) HandOn();
    }

    private void MakeRoom(int sizeHint)
    {
        if (_part.WrittenCount > 0 && _part.WrittenCount + Math.Max(1, sizeHint) > PartBytes) HandOn();
    }

    private void HandOn()
    {
        take(_part.WrittenMemory);
        _part = new(); // The disk reads the old one until it is durable.
        _isEmpty = false;
    }
}
