using Massif.Reb.Hosting;

namespace Massif.Reb.Tests.Hosting;

/// <summary>Links that remember what was sent and closed.</summary>
internal sealed class FakeLinks : ILinks
{
    private readonly HashSet<NodeIndex> _up = [];

    public List<(NodeIndex To, ReadOnlyMemory<byte> Frame)> Sent { get; } = [];

    public List<(NodeIndex To, string Reason)> Closed { get; } = [];

    public bool TrySend(NodeIndex to, ReadOnlyMemory<byte> frame)
    {
        if (!IsUp(to)) return false;
        Sent.Add((to, frame));
        return true;
    }

    public bool IsUp(NodeIndex to) => _up.Contains(to);

    public void Close(NodeIndex to, string reason) => Closed.Add((to, reason));

    public FakeLinks With(params NodeIndex[] up)
    {
        _up.UnionWith(up);
        return this;
    }

    public void Down(NodeIndex node) => _up.Remove(node);

    /// <summary>Takes what was sent so far; the bytes are the receiver's own, as a network would give them.</summary>
    public List<(NodeIndex To, byte[] Frame)> Take()
    {
        var taken = Sent.ConvertAll(sent => (sent.To, sent.Frame.ToArray()));
        Sent.Clear();
        return taken;
    }
}
