namespace Massif.Reb.Protocol;

/// <content>Which payloads are held: what bounds memory and journal against a source that invents incarnations (R8).</content>
public sealed partial class ReliableBroadcast
{
    /// <summary>Returns whether an INITIAL brings a payload that would be held.</summary>
    private static bool WouldHold(Instance? open, in Digest digest, bool authentic) =>
        open is null ? authentic : FillsDecision(open, digest) || (authentic && open.Initial is null);

    /// <summary>
    /// Returns whether a payload of an instance may be held: the lowest one always, the others while the life has a place.
    /// </summary>
    private bool MayHold(StreamWindow window, ulong seq, Instant now, Effects effects)
    {
        var hasPlace = window.Holding.Admit(window);
        if (hasPlace == window.IsNarrow)
        {
            window.IsNarrow = !hasPlace;
            _announcer.Changed(window, tellPeers: true);
            if (hasPlace) WantAll(window, now, effects);
        }

        return hasPlace || seq == window.Low;
    }

    /// <summary>Asks for a decided payload that is missing, if it may be held (R7).</summary>
    private void WantIfRoom(Instance open, Instant now, Effects effects)
    {
        if (open.IsDecided && !open.IsComplete && MayHold(open.Window, open.Seq, now, effects)) _fetcher.Want(open, now, effects);
    }

    /// <summary>A life has a place now: what was decided meanwhile is asked for.</summary>
    private void WantAll(StreamWindow window, Instant now, Effects effects)
    {
        for (var seq = window.Low; seq < window.End && window.Open > 0; seq++)
            if (window.Find(seq) is { IsDecided: true, IsComplete: false } open) _fetcher.Want(open, now, effects);
    }

    private void RestorePlaces()
    {
        foreach (var window in _streams.Lives)
            if (!window.HasPlace && window.HoldsUndelivered) window.Holding.Occupy(window);
    }
}
