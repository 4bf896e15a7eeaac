using System.Numerics;

namespace Massif.Cep;

/// <summary>Arrays of occurrences by power of two, so that a table in its steady state allocates nothing.</summary>
/// <param name="occurrencesKept">Most occurrences kept in unused arrays; what is beyond is left to the collector.</param>
internal sealed class OccurrencePool(int occurrencesKept)
{
    /// <summary>Smallest array: most keys are seen once or twice.</summary>
    public const int LengthMin = 2;

    private readonly Stack<Occurrence[]>[] _unused = [.. Enumerable.Range(0, 31).Select(_ => new Stack<Occurrence[]>())];
    private int _kept;

    /// <summary>Returns an array for at least that many occurrences; its contents are undefined.</summary>
    public Occurrence[] Rent(int length)
    {
        var capacity = CapacityFor(length);
        if (!_unused[BitOperations.Log2((uint)capacity)].TryPop(out var array)) return new Occurrence[capacity];
        _kept -= capacity;
        return array;
    }

    /// <summary>Takes back an array.</summary>
    public void Return(Occurrence[] array)
    {
        if (_kept + array.Length > occurrencesKept) return;
        _kept += array.Length;
        _unused[BitOperations.Log2((uint)array.Length)].Push(array);
    }

    /// <summary>Returns the length of the array that <see cref="Rent"/> gives.</summary>
    public static int CapacityFor(int length) => (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(length, LengthMin));
}
