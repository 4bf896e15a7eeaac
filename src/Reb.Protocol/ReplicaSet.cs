using System.Globalization;
using System.Numerics;

namespace Massif.Reb.Protocol;

/// <summary>Index of a core replica, 0 to n − 1, in the order of the domain description.</summary>
public readonly record struct ReplicaId(byte Index)
{
    /// <inheritdoc />
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"r{Index}");
}

/// <summary>A set of replicas in one machine word; enumerates in index order.</summary>
public readonly record struct ReplicaSet(ulong Bits)
{
    /// <summary>Largest group: one bit per replica.</summary>
    public const int Capacity = 64;

    /// <summary>Gets the number of members.</summary>
    public int Count => BitOperations.PopCount(Bits);

    /// <summary>Gets whether the set has no member.</summary>
    public bool IsEmpty => Bits == 0;

    /// <summary>Returns the set of the replicas 0 to <paramref name="count"/> − 1.</summary>
    public static ReplicaSet FirstOf(int count) => new(count >= Capacity ? ulong.MaxValue : (1UL << count) - 1);

    /// <summary>Returns the set of one replica.</summary>
    public static ReplicaSet Of(ReplicaId member) => new(1UL << member.Index);

    /// <summary>Returns whether the replica is a member.</summary>
    public bool Contains(ReplicaId member) => (Bits & (1UL << member.Index)) != 0;

    /// <summary>Returns this set with one more member.</summary>
    public ReplicaSet With(ReplicaId member) => new(Bits | (1UL << member.Index));

    /// <summary>Returns this set with one member less.</summary>
    public ReplicaSet Without(ReplicaId member) => new(Bits & ~(1UL << member.Index));

    /// <summary>Returns an enumerator over the members in index order.</summary>
    public Enumerator GetEnumerator() => new(Bits);

    /// <inheritdoc />
    public override string ToString()
    {
        var names = new List<string>(Count);
        foreach (var member in this) names.Add(member.ToString());
        return "{" + string.Join(',', names) + "}";
    }

    /// <summary>Walks the members in index order without allocation.</summary>
    public struct Enumerator(ulong bits)
    {
        private ulong _rest = bits;

        /// <summary>Gets the current member.</summary>
        public ReplicaId Current { get; private set; }

        /// <summary>Goes to the next member.</summary>
        public bool MoveNext()
        {
            if (_rest == 0) return false;
            Current = new((byte)BitOperations.TrailingZeroCount(_rest));
            _rest &= _rest - 1;
            return true;
        }
    }
}
