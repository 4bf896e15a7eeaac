using System.Globalization;
using System.Text.Json;

namespace Massif.Client;

/// <summary>One alarm with its events.</summary>
/// <param name="Alarm">The alarm; null when f+1 replicas do not say the same about it.</param>
/// <param name="Events">JSON of those events that f+1 replicas told alike, in the order of the alarm.</param>
/// <param name="Missing">Ids of the others: removed by retention, or not agreed.</param>
/// <param name="Trouble">Why there is no alarm; null when there is.</param>
public sealed record AlarmDetail(AlarmInfo? Alarm, IReadOnlyList<string> Events, IReadOnlyList<string> Missing, string? Trouble);

/// <summary>Asks all replicas of a domain and believes what f+1 of them say.</summary>
/// <remarks>At most f replicas lie, so at least one of f+1 that say the same is correct. Nothing one replica says alone counts.</remarks>
public sealed class VotingClient : IDisposable
{
    private const int PageSize = 1_000;

    // What one replica's list may take here, whatever it sends: 10,000 alarms of a dozen events each have 8 MB.
    private const int PagesMax = 1_000;
    private const long ListCharsMax = 32 * 1024 * 1024;
    private readonly ClientOptions _options;
    private readonly ReplicaConnection[] _replicas;

    /// <summary>Makes a client; it connects when it is first asked.</summary>
    public VotingClient(ClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _options = options;
        _replicas = [.. options.Replicas.Select(address => new ReplicaConnection(address, options))];
    }

    /// <summary>Returns how the replicas stand to each other.</summary>
    public async Task<DomainStatus> GetStatusAsync(CancellationToken cancel)
    {
        var patience = new Patience(_options);
        var answers = await Task.WhenAll(_replicas.Select(async replica =>
        {
            var answer = await replica.GetAsync("/v1/status", patience, cancel);
            using (answer.Document)
            {
                if (answer.Document is null) return (null, ReplicaState.Silent, answer.Trouble);
                return ClientJsonContext.TryRead(answer.Document) is { } report
                    ? (report, ReplicaState.Agrees, null)
                    : ((ReplicaReport?)null, ReplicaState.Differs, "its status cannot be read");
            }
        }));
        return StatusVote.Count(_options, answers);
    }

    /// <summary>Returns the alarms of the domain.</summary>
    public async Task<AlarmList> GetAlarmsAsync(CancellationToken cancel)
    {
        var patience = new Patience(_options);
        return AlarmVote.Count(_options, await Task.WhenAll(_replicas.Select(replica => ListAsync(replica, patience, cancel))));
    }

    /// <summary>Returns one alarm with its events.</summary>
    public async Task<AlarmDetail> GetAlarmAsync(string id, CancellationToken cancel)
    {
        var path = $"/v1/alarms/{Uri.EscapeDataString(id)}";
        var patience = new Patience(_options);
        var answers = await Task.WhenAll(_replicas.Select(replica => replica.GetAsync(path, patience, cancel)));
        var alarm = Agreed(answers.Select(answer => answer.Document?.RootElement.GetRawText()));
        foreach (var answer in answers) answer.Document?.Dispose();
        if (alarm is null)
        {
            var absent = answers.Count(answer => answer.Absent);
            return new(null, [], [], absent >= _options.OneCorrect
                ? "no such alarm: f+1 replicas do not have it"
                : $"fewer than {_options.OneCorrect} replicas say the same about it");
        }

        var info = AlarmInfo.Parse(alarm);
        var forEvents = new Patience(_options);
        var told = await Task.WhenAll(_replicas.Select(replica => EventsAsync(replica, path + "/events", forEvents, cancel)));
        var events = new List<string>();
        var missing = new List<string>();
        foreach (var wanted in info.Events)
        {
            if (Agreed(told.Select(one => one.GetValueOrDefault(wanted))) is { } json) events.Add(json);
            else missing.Add(wanted);
        }

        return new(info, events, missing, null);
    }

    /// <summary>
    /// Follows events or alarms: each is yielded once, when f+1 replicas have sent identical bytes for its id; events
    /// of one stream in their order. Replicas that go are dialled again, and say then what they missed to say.
    /// </summary>
    public IAsyncEnumerable<TailEntry> TailAsync(TailKind kind, CancellationToken cancel) =>
        new Tail(kind, _options, _replicas).RunAsync(cancel);

    /// <inheritdoc />
    public void Dispose()
    {
        foreach (var replica in _replicas) replica.Dispose();
    }

    private string? Agreed(IEnumerable<string?> texts) => texts
        .Where(text => text is not null)
        .GroupBy(text => text, StringComparer.Ordinal)
        .FirstOrDefault(same => same.Count() >= _options.OneCorrect)?.Key;

    private static async Task<AlarmAnswer> ListAsync(ReplicaConnection replica, Patience patience, CancellationToken cancel)
    {
        var byId = new Dictionary<string, string>(StringComparer.Ordinal);
        long after = 0, chars = 0;
        var complete = true;
        for (var page = 0; page < PagesMax; page++)
        {
            var answer = await replica.GetAsync(
                string.Create(CultureInfo.InvariantCulture, $"/v1/alarms?after={after}&limit={PageSize}"), patience, cancel);
            using (answer.Document)
            {
                if (answer.Document is null) return new(new Dictionary<string, string>(), false, answer.Trouble);
                if (!TryReadPage(answer.Document.RootElement, byId, out var count, out var next, out var oldest))
                    return new(new Dictionary<string, string>(), false, "its list of alarms cannot be read");
                complete &= oldest <= 1;
                if (count == 0 || next <= after) break;
                chars += answer.Document.RootElement.GetRawText().Length;
                if (chars > ListCharsMax) return new(new Dictionary<string, string>(), false, "its list of alarms is too long");
                after = next;
            }
        }

        return new(byId, complete, null);
    }

    private static bool TryReadPage(
        JsonElement page, Dictionary<string, string> byId, out int count, out long next, out long oldest)
    {
        count = 0;
        next = oldest = 0;
        try
        {
            next = page.GetProperty("next").GetInt64();
            oldest = page.GetProperty("oldest").GetInt64();
            foreach (var item in page.GetProperty("alarms").EnumerateArray())
            {
                var alarm = item.GetProperty("alarm");
                if (alarm.GetProperty("id").GetString() is { } id) byId.TryAdd(id, alarm.GetRawText());
                count++;
            }

            return true;
        }
        catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            return false;
        }
    }

    private static async Task<Dictionary<string, string>> EventsAsync(
        ReplicaConnection replica, string path, Patience patience, CancellationToken cancel)
    {
        var byId = new Dictionary<string, string>(StringComparer.Ordinal);
        var answer = await replica.GetAsync(path, patience, cancel);
        using (answer.Document)
        {
            try
            {
                if (answer.Document is null) return byId;
                foreach (var one in answer.Document.RootElement.GetProperty("events").EnumerateArray())
                {
                    if (one.GetProperty("event.id").GetString() is { } id) byId.TryAdd(id, one.GetRawText());
                }
            }
            catch (Exception exception) when (exception is InvalidOperationException or KeyNotFoundException)
            {
                // What cannot be read is no vote.
            }
        }

        return byId;
    }
}
