using Massif.Reb.Hosting;

namespace Massif.Reb.Links;

/// <summary>Counts every refusal by reason, and tells the observer of each reason and peer at most once a second.</summary>
/// <remarks>Whoever is refused decides how often it tries; he shall not decide how large our log grows.</remarks>
internal sealed class RefusalLog(ILinkObserver observer)
{
    private const long QuietMilliseconds = 1_000;

    private readonly long[] _counts = new long[LinkRefusals.Count];
    private readonly Dictionary<(LinkRefusal Reason, NodeIndex? Peer), long> _toldAt = []; // Bounded: reasons times nodes.
    private readonly Lock _lock = new();

    public IReadOnlyDictionary<LinkRefusal, long> Counts =>
        Enum.GetValues<LinkRefusal>().ToDictionary(reason => reason, reason => Volatile.Read(ref _counts[(int)reason]));

    public void Add(LinkRefusal reason, string remote, NodeIndex? peer, string detail)
    {
        var total = Interlocked.Increment(ref _counts[(int)reason]);
        var now = Environment.TickCount64;
        lock (_lock)
        {
            if (_toldAt.TryGetValue((reason, peer), out var before) && now - before < QuietMilliseconds) return;
            _toldAt[(reason, peer)] = now;
        }

        observer.OnRefused(new(reason, remote, peer, detail, total));
    }
}
