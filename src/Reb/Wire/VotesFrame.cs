using Massif.Reb.Links;
using Massif.Reb.Protocol;

namespace Massif.Reb.Wire;

/// <summary>Packs the votes of one turn (protocols R14): at most 64 to a frame, 56 bytes each.</summary>
public static class VotesFrame
{
    /// <summary>Most votes in one frame (docs/protocols/BROADCAST.md, budgets).</summary>
    public const int MaxVotes = 64;

    private const int VoteLength = 1 + 23 + Digest.Length;

    /// <summary>Returns one whole frame of up to <see cref="MaxVotes"/> votes.</summary>
    public static byte[] Build(ReadOnlySpan<Vote> votes)
    {
        Invariant.Holds(votes.Length is > 0 and <= MaxVotes);
        var frame = new byte[Frames.HeaderLength + 1 + (votes.Length * VoteLength)];
        var writer = new WireWriter(frame);
        Frames.WriteHeader(writer.Next(Frames.HeaderLength), frame.Length, (byte)FrameType.Votes);
        writer.Byte((byte)votes.Length);
        foreach (ref readonly var vote in votes) WriteVote(ref writer, vote);
        return frame;
    }

    /// <summary>
    /// Reads the body of a frame into <paramref name="votes"/>, which holds <see cref="MaxVotes"/>; −1 when it is malformed.
    /// </summary>
    public static int Read(ReadOnlySpan<byte> body, Span<Vote> votes)
    {
        var reader = new WireReader(body);
        var count = reader.Byte();
        if (count is 0 or > MaxVotes) return -1;
        for (var i = 0; i < count; i++)
        {
            var kind = reader.Byte();
            var instance = reader.Instance();
            votes[i] = new((VoteKind)kind, instance, reader.Digest());
            if (!Enum.IsDefined((VoteKind)kind) || instance.Seq == 0) return -1;
        }

        return reader.OkAndEmpty ? count : -1;
    }

    internal static void WriteVote(ref WireWriter writer, in Vote vote)
    {
        writer.Byte((byte)vote.Kind);
        writer.Instance(vote.Instance);
        writer.Digest(vote.Digest);
    }
}
