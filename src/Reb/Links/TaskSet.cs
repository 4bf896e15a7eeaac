namespace Massif.Reb.Links;

/// <summary>Tasks that run beside their maker, so that it can wait for all of them when it stops.</summary>
internal sealed class TaskSet
{
    private readonly Lock _lock = new();
    private readonly HashSet<Task> _running = [];

    public void Add(Task task)
    {
        lock (_lock) _running.Add(task);
        task.ContinueWith(Remove, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    /// <summary>Waits for those that run now; a failure of one is thrown.</summary>
    public Task WhenEmptyAsync()
    {
        lock (_lock) return Task.WhenAll(_running);
    }

    private void Remove(Task task)
    {
        lock (_lock) _running.Remove(task);
    }
}
