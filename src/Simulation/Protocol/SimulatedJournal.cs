namespace Massif.Simulation.Protocol;

/// <summary>The journal of one simulated node: records instead of bytes, with the same ways to lose its end as a real one.</summary>
/// <remarks>A torn record is one that is not there: the segment log cuts it by its checksum, which its own tests show.</remarks>
internal sealed class SimulatedJournal<TRecord>
{
    private readonly List<TRecord> _records = [];

    /// <summary>Gets how many records are there to be read, durable or not.</summary>
    public int Count => _records.Count;

    /// <summary>Gets how many records no crash takes away any more.</summary>
    public int Durable { get; private set; }

    public TRecord this[int index] => _records[index];

    public void Append(in TRecord record) => _records.Add(record);

    /// <summary>A sync has answered for so many records.</summary>
    public void MakeDurable(int count) => Durable = Math.Max(Durable, count);

    /// <summary>The process ends: what it had not handed over is lost. After a power cut, the rest is what the platter has.</summary>
    public void Crash(Prng prng, bool powerCut)
    {
        CutAt(Durable + prng.Below(_records.Count - Durable + 1), powerCut);
    }

    /// <summary>The same, with the place of the cut given: not before what is durable.</summary>
    public void CutAt(int kept, bool powerCut)
    {
        _records.RemoveRange(kept, _records.Count - kept);
        if (powerCut) Durable = kept;
    }

    /// <summary>Goes back to an older state (a restored snapshot of the machine), or to none.</summary>
    public void LoseAllBut(int count)
    {
        _records.RemoveRange(count, _records.Count - count);
        Durable = count;
    }
}
