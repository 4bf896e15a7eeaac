namespace Massif.Reb.Overlay;

/// <summary>What an envelope's number says about it.</summary>
public enum Freshness : byte
{
    /// <summary>Never seen on this path.</summary>
    Fresh,

    /// <summary>Seen before, or too far behind to know: somebody on the path sent it again.</summary>
    Replayed,
}

/// <summary>Remembers which envelopes of one sender came over which path, so that a replay is noticed and blamed.</summary>
/// <remarks>
/// Per session and path a sliding window of 1,024 numbers, as RFC 4303 section 3.4.3 has for IPsec. A sender's session changes at
/// each start; the last 4 sessions are remembered. Delivery is idempotent, so this only decides whom to blame.
/// Bound: 4 sessions of at most 16 paths of 152 bytes per sender.
/// </remarks>
public sealed class ReplayGuard
{
    /// <summary>Most paths of one sender; an envelope that claims another is not one of its.</summary>
    public const int MaxPaths = 16;

    private const int Sessions = 4;
    private readonly List<(ulong Session, PathWindow?[] Paths)> _sessions = new(Sessions);

    /// <summary>Records the number of an authentic envelope.</summary>
    public Freshness Record(ulong session, int path, ulong number)
    {
        if (path >= MaxPaths) return Freshness.Replayed;
        var window = WindowsOf(session)[path] ??= new();
        return window.Record(number);
    }

    private PathWindow?[] WindowsOf(ulong session)
    {
        foreach (var known in _sessions)
        {
            if (known.Session == session) return known.Paths;
        }

        if (_sessions.Count == Sessions) _sessions.RemoveAt(0);
        var paths = new PathWindow?[MaxPaths];
        _sessions.Add((session, paths));
        return paths;
    }

    private sealed class PathWindow
    {
        private const int Bits = 1024;
        private readonly ulong[] _seen = new ulong[Bits / 64];
        private ulong _highest;

        public Freshness Record(ulong number)
        {
            if (number + Bits <= _highest) return Freshness.Replayed;
            if (number > _highest)
            {
                var forgotten = Math.Min(number - _highest, Bits);
                for (ulong i = 1; i <= forgotten; i++) Set(_highest + i, false);
                _highest = number;
            }
            else if (IsSet(number))
            {
                return Freshness.Replayed;
            }

            Set(number, true);
            return Freshness.Fresh;
        }

        private bool IsSet(ulong number) => (_seen[number / 64 % (Bits / 64)] & (1UL << (int)(number % 64))) != 0;

        private void Set(ulong number, bool value)
        {
            ref var word = ref _seen[number / 64 % (Bits / 64)];
            var bit = 1UL << (int)(number % 64);
            word = value ? word | bit : word & ~bit;
        }
    }
}
