namespace Massif.Reb.Protocol;

/// <summary>What the objects of a broadcast core take in memory; its <see cref="Footprint"/> says how many there are.</summary>
/// <remarks>
/// Upper bounds of what was measured on 64-bit .NET, with the spare room of collections; a test
/// holds them against real cores.
/// </remarks>
public static class BroadcastMemory
{
    private const int LifeBytes = 512;
    private const int PeerBytes = 96;
    private const int InstanceBytes = 448;
    private const int CandidateBytes = 64;
    private const int DigestBytes = Digest.Length + sizeof(int) + 1;
    private const int NameBytes = 16;

    /// <summary>Returns the bytes that so many things take; payloads are the host's.</summary>
    /// <param name="footprint">How many there are.</param>
    /// <param name="options">The constants of the core.</param>
    /// <param name="replicas">The number of replicas.</param>
    public static long BytesOf(in Footprint footprint, BroadcastOptions options, int replicas)
    {
        ArgumentNullException.ThrowIfNull(options);
        var ring = 8L * System.Numerics.BitOperations.RoundUpToPowerOf2((uint)(2 * options.Window));
        var instance = InstanceBytes + (2L * 2 * replicas * CandidateBytes); // At most 2n digests, in an array that doubles.
        return (footprint.Lives * (LifeBytes + ring + ((long)replicas * PeerBytes)))
            + (footprint.Instances * instance)
            + (footprint.Digests * DigestBytes)
            + (footprint.NamedLives * NameBytes);
    }
}
