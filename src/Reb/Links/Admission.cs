using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace Massif.Reb.Links;

/// <summary>
/// Bounds the connections of which nobody knows yet who they are. A newcomer always gets in; when there are too many, an
/// older one goes, first one that has not sent a byte. So connections that say nothing push out each other, and not
/// the handshake of a peer.
/// </summary>
/// <param name="max">Most at once.</param>
/// <param name="perAddressMax">Most of one address at once: a flood from one place meets its own limit first.</param>
internal sealed class Admission(int max, int perAddressMax)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Visit> _visits = []; // Oldest first.

    /// <summary>Gets how many there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _visits.Count;
        }
    }

    /// <summary>Lets a connection in.</summary>
    /// <param name="address">Where it comes from.</param>
    public Visit Enter(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        var visit = new Visit(this, address);
        Visit? victim;
        lock (_lock)
        {
            var same = _visits.Count(other => other.Address.Equals(address));
            victim = same >= perAddressMax ? Oldest(other => other.Address.Equals(address))
                : _visits.Count >= max ? Oldest(_ => true)
                : null;
            if (victim is not null) victim.IsEvicted = Remove(victim);
            visit.Place = _visits.AddLast(visit);
        }

        victim?.Cut(); // Outside the lock: it runs what waits for it.
        return visit;
    }

    private Visit? Oldest(Func<Visit, bool> among) =>
        _visits.FirstOrDefault(visit => !visit.HasSpoken && among(visit)) ?? _visits.FirstOrDefault(among);

    private bool Remove(Visit visit)
    {
        if (visit.Place is not { } place) return false;
        visit.Place = null;
        _visits.Remove(place);
        return true;
    }

    /// <summary>One unauthenticated connection.</summary>
    [SuppressMessage("Design", "CA1001:Types that own disposable fields should be disposable", Justification = "See the field.")]
    internal sealed class Visit(Admission admission, IPAddress address)
    {
        // Never disposed of: it has no timer, and it may be cut while it leaves.
        private readonly CancellationTokenSource _cut = new();

        /// <summary>Whether a byte has arrived.</summary>
        public volatile bool HasSpoken;

        /// <summary>Gets where it comes from.</summary>
        public IPAddress Address { get; } = address;

        /// <summary>Gets what fires when it is cut to make room.</summary>
        public CancellationToken Evicted => _cut.Token;

        /// <summary>Gets or sets whether it was chosen to make room.</summary>
        public bool IsEvicted { get; set; }

        internal LinkedListNode<Visit>? Place { get; set; }

        /// <summary>It is authenticated or gone; false when it was evicted before.</summary>
        public bool Leave()
        {
            lock (admission._lock) return admission.Remove(this);
        }

        internal void Cut() => _cut.Cancel();
    }
}
