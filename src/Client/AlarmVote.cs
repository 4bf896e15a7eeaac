using System.Text.Json;

namespace Massif.Client;

/// <summary>One alarm as text and as what people look at.</summary>
public sealed record AlarmInfo
{
    /// <summary>Gets the id, 32 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the id of the rule.</summary>
    public required string Rule { get; init; }

    /// <summary>Gets the rule's text for people.</summary>
    public required string Title { get; init; }

    /// <summary>Gets low, medium, high or critical.</summary>
    public required string Severity { get; init; }

    /// <summary>Gets the edge.</summary>
    public required string Edge { get; init; }

    /// <summary>Gets the key: field and value.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Key { get; init; }

    /// <summary>Gets the event time of the first event, RFC 3339.</summary>
    public required string First { get; init; }

    /// <summary>Gets the event time of the last event, RFC 3339.</summary>
    public required string Last { get; init; }

    /// <summary>Gets the sum of the events' counts.</summary>
    public required long Count { get; init; }

    /// <summary>Gets the ids of the events.</summary>
    public required IReadOnlyList<string> Events { get; init; }

    /// <summary>Gets how many more events there are.</summary>
    public required int EventsOmitted { get; init; }

    /// <summary>Gets the JSON that f+1 replicas sent, byte for byte.</summary>
    public required string Json { get; init; }

    /// <summary>Reads an alarm.</summary>
    /// <exception cref="FormatException">The text is no alarm. It cannot happen to what f+1 replicas said.</exception>
    public static AlarmInfo Parse(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var alarm = document.RootElement;
            string Text(string name) => alarm.GetProperty(name).GetString() ?? "";
            return new()
            {
                Id = Text("id"),
                Rule = Text("rule"),
                Title = Text("title"),
                Severity = Text("severity"),
                Edge = Text("edge"),
                Key =
                [
                    .. alarm.GetProperty("key").EnumerateObject()
                        .Select(field => KeyValuePair.Create(field.Name, field.Value.GetString() ?? "")),
                ],
                First = Text("first"),
                Last = Text("last"),
                Count = alarm.GetProperty("count").GetInt64(),
                Events = [.. alarm.GetProperty("events").EnumerateArray().Select(id => id.GetString() ?? "")],
                EventsOmitted = alarm.GetProperty("events_omitted").GetInt32(),
                Json = json,
            };
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("This is no alarm.", exception);
        }
    }
}

/// <summary>The alarms of the domain.</summary>
/// <param name="Alarms">What f+1 replicas say, in the order of last event time and id.</param>
/// <param name="Unconfirmed">Ids that fewer than f+1 replicas have, with who has them: on their way, or invented.</param>
/// <param name="Replicas">How each replica stands to the agreed ones.</param>
/// <param name="Answered">Whether f+1 replicas answered; else the list means nothing.</param>
public sealed record AlarmList(
    IReadOnlyList<AlarmInfo> Alarms,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Unconfirmed,
    IReadOnlyList<ReplicaStatus> Replicas,
    bool Answered);

/// <summary>What one replica listed.</summary>
/// <param name="ById">JSON of the alarms by id.</param>
/// <param name="IsComplete">Whether it still has every alarm that it ever made.</param>
/// <param name="Trouble">Why there is no list; null when there is.</param>
internal sealed record AlarmAnswer(IReadOnlyDictionary<string, string> ById, bool IsComplete, string? Trouble);

/// <summary>Compares what replicas list; pure.</summary>
internal static class AlarmVote
{
    public static AlarmList Count(ClientOptions options, IReadOnlyList<AlarmAnswer> answers)
    {
        var agreed = new Dictionary<string, string>(StringComparer.Ordinal);
        var unconfirmed = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var id in answers.SelectMany(answer => answer.ById.Keys).Distinct())
        {
            var voters = Enumerable.Range(0, answers.Count).Where(i => answers[i].ById.ContainsKey(id)).ToArray();
            var most = voters.GroupBy(i => answers[i].ById[id]).MaxBy(same => same.Count())!;
            if (most.Count() >= options.OneCorrect) agreed.Add(id, most.Key);
            else unconfirmed.Add(id, [.. voters.Select(i => options.Replicas[i].Id)]);
        }

        AlarmInfo[] alarms =
        [
            .. agreed.Values.Select(AlarmInfo.Parse)
                .OrderBy(alarm => alarm.Last, StringComparer.Ordinal)
                .ThenBy(alarm => alarm.Id, StringComparer.Ordinal),
        ];
        ReplicaStatus[] replicas = [.. answers.Select((answer, i) => Judge(options.Replicas[i].Id, answer, agreed))];
        return new(alarms, unconfirmed, replicas, answers.Count(answer => answer.Trouble is null) >= options.OneCorrect);
    }

    private static ReplicaStatus Judge(string replica, AlarmAnswer answer, Dictionary<string, string> agreed)
    {
        if (answer.Trouble is not null) return new(replica, ReplicaState.Silent, answer.Trouble, null);
        var missing = 0;
        foreach (var (id, json) in agreed)
        {
            if (!answer.ById.TryGetValue(id, out var theirs)) missing++;
            else if (theirs != json) return new(replica, ReplicaState.Differs, $"tells alarm {id} otherwise", null);
        }

        return missing > 0 && answer.IsComplete
            ? new(replica, ReplicaState.Behind, $"has not got {missing} of the alarms", null)
            : new(replica, ReplicaState.Agrees, null, null);
    }
}
