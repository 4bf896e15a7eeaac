using System.Globalization;
using System.Text;
using System.Text.Json;
using Massif.Events;

namespace Massif.Client;

/// <summary>How far one replica has told its streams, and with which question it goes on after a break.</summary>
internal sealed class TailPlace(TailKind kind)
{
    private const int LivesMax = 64; // So many positions fit into a request line.
    private readonly Dictionary<(string Edge, ulong Incarnation), ulong> _seen = [];
    private long? _ordinal;

    /// <summary>Gets or sets whether the replica was reached the last time.</summary>
    public bool Connected { get; set; }

    /// <summary>Gets or sets whether an outage was told already: one is told once, whatever its reasons become.</summary>
    public bool OutageTold { get; set; }

    /// <summary>Notes a message, and returns the id to vote on; null when the message is none of ours.</summary>
    /// <exception cref="JsonException">The replica sends what is no JSON.</exception>
    public string? Advance(SseMessage message)
    {
        if (kind == TailKind.Events)
        {
            if (!EventId.TryParse(message.Id, out var id) || id.Seq == 0) return null;
            var life = (id.Edge, id.Incarnation);
            if (_seen.Count < LivesMax || _seen.ContainsKey(life)) _seen[life] = id.Seq;
            return message.Id;
        }

        if (!long.TryParse(message.Id, NumberStyles.None, CultureInfo.InvariantCulture, out var ordinal)) return null;
        _ordinal = ordinal;
        using var alarm = JsonDocument.Parse(message.Data);
        return alarm.RootElement.ValueKind == JsonValueKind.Object
            && alarm.RootElement.TryGetProperty("id", out var name)
            && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
    }

    /// <summary>Returns the question that begins where this replica stopped; in streams that it never told of, where the vote is.</summary>
    /// <param name="reached">The last batch of every stream of which something was believed.</param>
    public string PathFrom(IEnumerable<KeyValuePair<(string Edge, ulong Incarnation), ulong>> reached)
    {
        if (kind == TailKind.Alarms)
        {
            return _ordinal is { } ordinal
                ? string.Create(CultureInfo.InvariantCulture, $"/v1/stream/alarms?after={ordinal}")
                : "/v1/stream/alarms";
        }

        var path = new StringBuilder("/v1/stream/events");
        var separator = '?';
        foreach (var ((edge, incarnation), seq) in _seen.Concat(reached.Where(life => !_seen.ContainsKey(life.Key))).Take(LivesMax))
        {
            // The batch may have been cut in the middle, so it is asked for once more: saying a thing twice is one vote.
            path.Append(CultureInfo.InvariantCulture, $"{separator}after={Uri.EscapeDataString(edge)}/{incarnation}/{seq - 1}");
            separator = '&';
        }

        return path.ToString();
    }
}
