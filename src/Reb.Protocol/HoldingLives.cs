namespace Massif.Reb.Protocol;

/// <summary>
/// The lives of one stream that hold payloads for their whole window: a few, whatever number of
/// incarnations its source invents.
/// </summary>
/// <remarks>
/// A window may hold W payloads of B bytes (R8), so a source that leaves instance after instance undecided in life after life would make
/// a replica hold as many windows. Only <see cref="BroadcastOptions.HoldingLivesPerStream"/> lives have a place here. Every other one has
/// a window of one instance, its lowest, so that each goes on: also the new life of a correct source whose old ones, lost with their
/// spools, will never be decided. What is held stays held until it is delivered, because an ECHO says so (R3); a place is free again
/// when its life holds nothing.
/// </remarks>
internal sealed class HoldingLives(BroadcastOptions options)
{
    private readonly List<StreamWindow> _lives = [];

    /// <summary>Returns whether a life may hold payloads for its whole window.</summary>
    public bool Admit(StreamWindow window)
    {
        if (window.HasPlace) return true;
        if (_lives.Count >= options.HoldingLivesPerStream && !TryFreePlace()) return false;
        Occupy(window);
        return true;
    }

    /// <summary>A life holds payloads that were read back: it has its place, whatever the number.</summary>
    public void Occupy(StreamWindow window)
    {
        window.HasPlace = true;
        _lives.Add(window);
    }

    private bool TryFreePlace()
    {
        foreach (var life in _lives)
        {
            if (life.HoldsUndelivered) continue;
            life.HasPlace = false;
            _lives.Remove(life);
            return _lives.Count < options.HoldingLivesPerStream;
        }

        return false;
    }
}
