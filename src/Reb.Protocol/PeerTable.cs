namespace Massif.Reb.Protocol;

/// <summary>What is known of the peers themselves, whatever the stream.</summary>
internal sealed class PeerTable
{
    private readonly Peer[] _peers;

    public PeerTable(ReplicaId self, int replicas)
    {
        _peers = new Peer[replicas];
        Others = ReplicaSet.FirstOf(replicas).Without(self);
        foreach (ref var peer in _peers.AsSpan()) peer.Session = 1;
    }

    /// <summary>Gets everybody but this replica.</summary>
    public ReplicaSet Others { get; }

    /// <summary>Gets those whose direct link is up.</summary>
    public ReplicaSet Connected { get; private set; }

    /// <summary>Gets the session of a peer: a new one after a connect and after a new start of it (R9).</summary>
    public uint SessionOf(ReplicaId peer) => _peers[peer.Index].Session;

    public void Connect(ReplicaId peer)
    {
        Connected = Connected.With(peer);
        _peers[peer.Index].Session++;
    }

    public void Disconnect(ReplicaId peer) => Connected = Connected.Without(peer);

    /// <summary>Notes the start counter of a STATUS; false when it belongs to an earlier start.</summary>
    public bool NoteStart(ReplicaId from, ulong counter)
    {
        ref var peer = ref _peers[from.Index];
        if (counter < peer.StartCounter) return false;
        if (counter > peer.StartCounter) peer.Session++;
        peer.StartCounter = counter;
        return true;
    }

    private struct Peer
    {
        public ulong StartCounter;
        public uint Session;
    }
}
