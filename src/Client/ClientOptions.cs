using System.Security.Cryptography.X509Certificates;

namespace Massif.Client;

/// <summary>Where one replica answers.</summary>
/// <param name="Id">Its id in the domain description; its certificate must carry it.</param>
/// <param name="Host">Address or host name.</param>
/// <param name="Port">Port of the API.</param>
public sealed record ReplicaAddress(string Id, string Host, int Port)
{
    /// <summary>
    /// Gets the public key that the domain description pins (SubjectPublicKeyInfo, DER): its certificate must be for this key,
    /// so that a stolen CA cannot stand in for a replica. Empty: no key is demanded.
    /// </summary>
    public ReadOnlyMemory<byte> PublicKey { get; init; }
}

/// <summary>What a client must know to ask a domain.</summary>
/// <param name="Domain">Name of the domain, as in its certificates.</param>
/// <param name="Faults">f: so many replicas may lie; f+1 that say the same are believed.</param>
/// <param name="Replicas">All replicas, in the order of the domain description.</param>
/// <param name="Authority">The domain's CA; nothing else is trusted.</param>
/// <param name="Certificate">The operator's certificate with its key.</param>
public sealed record ClientOptions(
    string Domain,
    int Faults,
    IReadOnlyList<ReplicaAddress> Replicas,
    X509Certificate2 Authority,
    X509Certificate2 Certificate)
{
    /// <summary>Gets how long a replica may take; then it is silent. Default 2 s (design, section 8).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Gets how long replicas may take while fewer than f+1 have answered: a machine under load is slow for all of them, and
    /// without f+1 answers nothing can be said anyway. Default 10 s.
    /// </summary>
    public TimeSpan LongestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets what is told, in one line, when a question takes longer than <see cref="Timeout"/> for that reason.</summary>
    public Action<string>? OnSlow { get; init; }

    /// <summary>Gets after how much silence a live stream counts as dead; replicas give a sign each second. Default 5 s.</summary>
    public TimeSpan StreamTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the pause before a broken live stream is opened again. Default 500 ms.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Gets how many replicas must say the same: at least one of so many is correct.</summary>
    public int OneCorrect => Faults + 1;
}
