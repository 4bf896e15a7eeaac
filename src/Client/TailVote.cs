using System.Security.Cryptography;
using Massif.Events;

namespace Massif.Client;

/// <summary>What a tail follows.</summary>
public enum TailKind
{
    /// <summary>Events, in the order of their stream.</summary>
    Events,

    /// <summary>Alarms.</summary>
    Alarms,
}

/// <summary>Counts who sent what for which id; pure. Items are believed once, when f+1 replicas sent identical bytes.</summary>
/// <remarks>
/// A replica sends its items of a stream in their order, so f+1 votes come in order too. An item that gets its votes
/// behind a later one of its stream was skipped while replicas were being dialled; it stays skipped, because order is
/// promised. Memory is bounded per replica: votes that wait for others beyond it are given up, the oldest first.
/// </remarks>
internal sealed class TailVote(TailKind kind, int replicas, int oneCorrect)
{
    /// <summary>Most votes of one replica that wait for others; with an event of 1 kB each that is 32 MB.</summary>
    public const int WaitingMax = 32_768;

    private const int RememberedMax = 65_536;
    private readonly Dictionary<string, Waiting> _waiting = new(StringComparer.Ordinal);
    private readonly Queue<string>[] _votes = [.. Enumerable.Range(0, replicas).Select(_ => new Queue<string>())];
    private readonly Dictionary<(string Edge, ulong Incarnation), (ulong Seq, int Index)> _reached = [];
    private readonly Dictionary<string, UInt128> _believed = new(StringComparer.Ordinal);
    private readonly Queue<string> _believedOrder = new();

    /// <summary>Takes what a replica sent; returns what is believed now, or nothing.</summary>
    /// <param name="replica">Index of the replica.</param>
    /// <param name="id">The id that it gave.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="differs">Indices of replicas that are now known to have said something else for that id.</param>
    public string? Offer(int replica, string id, string data, out IReadOnlyList<int> differs)
    {
        differs = [];
        EventId eventId = default;
        if (kind == TailKind.Events && !EventId.TryParse(id, out eventId))
        {
            differs = [replica];
            return null;
        }

        var digest = DigestOf(data);
        if (_believed.TryGetValue(id, out var believed))
        {
            if (believed != digest) differs = [replica];
            return null;
        }

        if (kind == TailKind.Events && !IsNext(eventId)) return null;
        var waiting = Register(replica, id, digest, data);
        if (waiting.VotersOf(digest) < oneCorrect) return null;

        differs = waiting.Others(digest);
        _waiting.Remove(id);
        Remember(id, digest);
        if (kind == TailKind.Events) _reached[(eventId.Edge, eventId.Incarnation)] = (eventId.Seq, eventId.Index);
        return data;
    }

    private bool IsNext(EventId id) =>
        !_reached.TryGetValue((id.Edge, id.Incarnation), out var reached)
        || id.Seq > reached.Seq || (id.Seq == reached.Seq && id.Index > reached.Index);

    private Waiting Register(int replica, string id, UInt128 digest, string data)
    {
        if (!_waiting.TryGetValue(id, out var waiting)) _waiting.Add(id, waiting = new(replicas));
        if (!waiting.TryVote(replica, digest)) return waiting;

        var votes = _votes[replica];
        votes.Enqueue(id);
        if (votes.Count > WaitingMax && votes.TryDequeue(out var oldest) && _waiting.TryGetValue(oldest, out var given)
            && given.TakeBack(replica))
        {
            _waiting.Remove(oldest);
        }

        return waiting;
    }

    private void Remember(string id, UInt128 digest)
    {
        _believed.Add(id, digest);
        _believedOrder.Enqueue(id);
        if (_believedOrder.Count > RememberedMax) _believed.Remove(_believedOrder.Dequeue());
    }

    private static UInt128 DigestOf(string data)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(data.AsSpan()), hash);
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    /// <summary>The votes for one id: only digests are kept, for the bytes come again with the vote that decides.</summary>
    private sealed class Waiting(int replicas)
    {
        private readonly UInt128?[] _votes = new UInt128?[replicas];

        public bool TryVote(int replica, UInt128 digest)
        {
            if (_votes[replica] is not null) return false; // One voice per replica: the first.
            _votes[replica] = digest;
            return true;
        }

        /// <summary>Takes a vote back, and returns whether none is left.</summary>
        public bool TakeBack(int replica)
        {
            _votes[replica] = null;
            return Array.TrueForAll(_votes, vote => vote is null);
        }

        public int VotersOf(UInt128 digest) => _votes.Count(vote => vote == digest);

        public IReadOnlyList<int> Others(UInt128 digest) =>
            [.. Enumerable.Range(0, _votes.Length).Where(i => _votes[i] is { } vote && vote != digest)];
    }
}
