using Massif.Reb.Crypto;
using Massif.Reb.Hosting;
using Massif.Reb.Links;
using Massif.Reb.Protocol;
using Massif.Reb.Wire;

namespace Massif.Reb.Overlay;

/// <summary>What an envelope carries.</summary>
public enum EnvelopeContent : byte
{
    /// <summary>An <see cref="InitialMessage"/>, from a source to replicas.</summary>
    Initial = 1,

    /// <summary>Stream statuses, from a replica to a source.</summary>
    Status = 2,
}

/// <summary>A source-routed overlay envelope (docs/ARCHITECTURE.md), opened over bytes that a neighbour sent.</summary>
/// <remarks>
/// Layout after the frame header: hop, source, session, number, content, path, route, destinations each with a MAC, hash of the
/// body, body. The MAC of a destination covers everything from source to route, the destination and the hash of the body; only
/// <c>hop</c>, which relays count up, is outside. A relay forwards the same bytes to every destination behind it.
/// </remarks>
public readonly ref struct Envelope
{
    /// <summary>Longest route in relays.</summary>
    public const int MaxRoute = 8;

    /// <summary>Most destinations: as many as there can be replicas. A relay makes a copy for each.</summary>
    public const int MaxDestinations = ReplicaSet.Capacity;

    private const int HopOffset = Frames.HeaderLength;
    private const int EntryLength = 2 + PairwiseKeys.MacLength;
    private const int FixedLength = 2 + 8 + 8 + 1 + 1 + 1;
    private const int MaxMacInput = FixedLength + (2 * MaxRoute) + 2 + Digest.Length;

    private readonly ReadOnlySpan<byte> _frame;
    private readonly int _routeLength;
    private readonly int _destinations;

    private Envelope(ReadOnlySpan<byte> frame, int routeLength, int destinations)
    {
        _frame = frame;
        _routeLength = routeLength;
        _destinations = destinations;
    }

    /// <summary>Gets how many relays have forwarded the envelope; a claim.</summary>
    public int Hop => _frame[HopOffset];

    /// <summary>Gets who made the envelope; a claim until <see cref="IsAuthentic"/>.</summary>
    public NodeIndex Source => new(new WireReader(_frame[(HopOffset + 1)..]).UInt16());

    /// <summary>Gets the run of the source that numbers its envelopes.</summary>
    public ulong Session => new WireReader(_frame[(HopOffset + 3)..]).UInt64();

    /// <summary>Gets the number of the envelope on its path, from 1.</summary>
    public ulong Number => new WireReader(_frame[(HopOffset + 11)..]).UInt64();

    /// <summary>Gets what the body is.</summary>
    public EnvelopeContent Content => (EnvelopeContent)_frame[HopOffset + 19];

    /// <summary>Gets the index of the path among the source's paths.</summary>
    public int Path => _frame[HopOffset + 20];

    /// <summary>Gets the number of relays between source and destination.</summary>
    public int RouteLength => _routeLength;

    /// <summary>Gets how many destinations are listed.</summary>
    public int DestinationCount => _destinations;

    /// <summary>Gets where the body starts, in bytes from the start of the frame.</summary>
    public int BodyOffset => HopOffset + 1 + FixedLength + (2 * _routeLength) + 1 + (_destinations * EntryLength) + Digest.Length;

    /// <summary>Gets the body.</summary>
    public ReadOnlySpan<byte> Body => _frame[BodyOffset..];

    /// <summary>Gets the hash that the body must have.</summary>
    public Digest BodyHash => Digest.Read(_frame[(BodyOffset - Digest.Length)..]);

    /// <summary>Returns the relay at one position of the route.</summary>
    public NodeIndex Relay(int position) => new(new WireReader(_frame[(HopOffset + 1 + FixedLength + (2 * position))..]).UInt16());

    /// <summary>Returns one listed destination.</summary>
    public NodeIndex Destination(int index) => new(new WireReader(_frame[EntryOffset(index)..]).UInt16());

    /// <summary>Opens a frame of type <see cref="FrameType.Envelope"/>; false when its lengths do not fit together.</summary>
    public static bool TryOpen(ReadOnlySpan<byte> frame, out Envelope envelope)
    {
        envelope = default;
        var reader = new WireReader(frame);
        reader.Bytes(HopOffset + 1 + FixedLength - 1);
        var routeLength = reader.Byte();
        if (routeLength > MaxRoute) return false;
        reader.Bytes(2 * routeLength);
        var destinations = reader.Byte();
        reader.Bytes((destinations * EntryLength) + Digest.Length);
        if (!reader.Ok || destinations is 0 or > MaxDestinations) return false;
        var opened = new Envelope(frame, routeLength, destinations);
        if (opened.NamesADestinationTwice()) return false;
        envelope = opened;
        return true;
    }

    /// <summary>Returns whether the source made this envelope for that destination. The body is checked apart.</summary>
    public bool IsAuthentic(PairwiseKeys keys, NodeIndex destination)
    {
        ArgumentNullException.ThrowIfNull(keys);
        for (var i = 0; i < _destinations; i++)
        {
            if (Destination(i) != destination) continue;
            Span<byte> input = stackalloc byte[MaxMacInput];
            var length = MacInput(_frame, _routeLength, BodyHash, destination, input);
            return keys.Verify(Source, MacPurpose.Envelope, input[..length], _frame.Slice(EntryOffset(i) + 2, PairwiseKeys.MacLength));
        }

        return false;
    }

    /// <summary>Counts one more hop in a frame that is about to be forwarded.</summary>
    public static void CountHop(Span<byte> frame) => frame[HopOffset]++;

    /// <summary>Returns a whole frame.</summary>
    /// <param name="address">Who sends it, on which path, under which number.</param>
    /// <param name="destinations">The destinations; each gets its MAC entry.</param>
    /// <param name="bodyHash">Hash of the body: of header and MAC vector for an INITIAL, of everything else for the rest.</param>
    /// <param name="body">The body.</param>
    /// <param name="keys">The source's keys.</param>
    public static byte[] Build(
        in EnvelopeAddress address,
        ReadOnlySpan<NodeIndex> destinations,
        in Digest bodyHash,
        ReadOnlySpan<byte> body,
        PairwiseKeys keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        var route = address.Route.Span;
        var length = HopOffset + 1 + FixedLength + (2 * route.Length) + 1 + (destinations.Length * EntryLength)
            + Digest.Length + body.Length;
        var frame = GC.AllocateUninitializedArray<byte>(length); // Written to its end below.
        var writer = new WireWriter(frame);
        Frames.WriteHeader(writer.Next(Frames.HeaderLength), length, (byte)FrameType.Envelope);
        writer.Byte(0);
        writer.UInt16(address.Source.Value);
        writer.UInt64(address.Session);
        writer.UInt64(address.Number);
        writer.Byte((byte)address.Content);
        writer.Byte(address.Path);
        writer.Byte((byte)route.Length);
        foreach (var relay in route) writer.UInt16(relay.Value);
        writer.Byte((byte)destinations.Length);
        Span<byte> input = stackalloc byte[MaxMacInput];
        foreach (var destination in destinations)
        {
            var inputLength = MacInput(frame, route.Length, bodyHash, destination, input);
            writer.UInt16(destination.Value);
            keys.Mac(destination, MacPurpose.Envelope, input[..inputLength], writer.Next(PairwiseKeys.MacLength));
        }

        writer.Digest(bodyHash);
        writer.Bytes(body);
        return frame;
    }

    private static int MacInput(ReadOnlySpan<byte> frame, int routeLength, in Digest bodyHash, NodeIndex destination, Span<byte> input)
    {
        var writer = new WireWriter(input);
        writer.Bytes(frame.Slice(HopOffset + 1, FixedLength + (2 * routeLength)));
        writer.UInt16(destination.Value);
        writer.Digest(bodyHash);
        return writer.Written;
    }

    /// <summary>One frame must not become many copies for one node.</summary>
    private bool NamesADestinationTwice()
    {
        for (var i = 1; i < _destinations; i++)
        {
            for (var earlier = 0; earlier < i; earlier++)
            {
                if (Destination(i) == Destination(earlier)) return true;
            }
        }

        return false;
    }

    private int EntryOffset(int index) => HopOffset + 1 + FixedLength + (2 * _routeLength) + 1 + (index * EntryLength);
}

/// <summary>Who sends an envelope, on which path and under which number.</summary>
/// <param name="Source">The node that makes it.</param>
/// <param name="Session">The run of that node.</param>
/// <param name="Number">Rises by one per envelope and path.</param>
/// <param name="Content">What the body is.</param>
/// <param name="Path">Index of the path among the source's paths.</param>
/// <param name="Route">The relays to pass, in order; empty for the direct path.</param>
public readonly record struct EnvelopeAddress(
    NodeIndex Source,
    ulong Session,
    ulong Number,
    EnvelopeContent Content,
    byte Path,
    ReadOnlyMemory<NodeIndex> Route);
