using Massif.Cep;
using Massif.Mis.Core.Alarms;
using Massif.Mis.Core.Api;
using Massif.Reb.Hosting;

namespace Massif.Mis.Core;

/// <summary>The API's view of a running replica: every question is an input of the host and answered in one of its turns.</summary>
/// <param name="post">Posts an input to the host's inbox for questions, waiting while it is full; false when the host has ended.</param>
/// <param name="application">For the live feeds, which are safe on any thread.</param>
/// <param name="version">Version of the program.</param>
public sealed class CoreReadModel(
    Func<HostInput, CancellationToken, ValueTask<bool>> post, CoreApplication application, string version) : ICoreReadModel
{
    /// <inheritdoc />
    public LiveFeed<DeliveredBatch> Batches => application.Batches;

    /// <inheritdoc />
    public LiveFeed<StoredAlarm> Alarms => application.Alarms;

    /// <inheritdoc />
    public Task<CoreStatus> GetStatusAsync(CancellationToken cancel) =>
        AskAsync(host => host.Status(Environment.ProcessId, version), cancel);

    /// <inheritdoc />
    public Task<AlarmPage> GetAlarmsAsync(long after, int limit, CancellationToken cancel) =>
        AskAsync(host => host.Application.Store.After(after, limit), cancel);

    /// <inheritdoc />
    public Task<Alarm?> FindAlarmAsync(AlarmId id, CancellationToken cancel) =>
        AskAsync(host => host.Application.Store.Find(id), cancel);

    /// <inheritdoc />
    public Task<DeliveredBatch?> FindBatchAsync(string edge, ulong incarnation, ulong seq, CancellationToken cancel) =>
        AskAsync(host => host.FindBatch(edge, incarnation, seq), cancel);

    private async Task<T> AskAsync<T>(Func<CoreHost, T> question, CancellationToken cancel)
    {
        var request = new Question<T>(question);
        if (!await post(HostInput.OfRequest(request), cancel)) throw new InvalidOperationException("The replica has stopped.");
        return await request.Answered.WaitAsync(cancel);
    }

    private sealed class Question<T>(Func<CoreHost, T> question) : IHostRequest
    {
        private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<T> Answered => _answer.Task;

        public void Answer(object host) => _answer.TrySetResult(question((CoreHost)host));
    }
}
