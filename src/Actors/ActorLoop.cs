using System.Runtime.CompilerServices;

[assembly: InternalsVisibleTo("Massif.Actors.Tests")]

namespace Massif.Actors;

/// <summary>Drives one actor: one thread takes from bounded inboxes in turn, in bursts, and keeps its deadline.</summary>
/// <typeparam name="TInput">The actor's input.</typeparam>
/// <remarks>
/// It has a thread of its own instead of one of the pool's: a turn may take milliseconds, and what delays the pool (a
/// thousand sockets at once) must not delay it. It sleeps in the kernel while there is nothing to do.
/// </remarks>
public sealed class ActorLoop<TInput>
{
    /// <summary>Most inputs in one burst, before <see cref="IActor{TInput}.EndTurn"/>: 64, as many votes as one frame carries.</summary>
    public const int BurstMax = 64;

    /// <summary>
    /// Looks at empty inboxes before the thread sleeps, the later ones giving the processor away: some microseconds. A busy
    /// poster then pays for a wake-up (a system call) per hundreds of inputs; measured 1.2 M inputs/s without, 5 M/s with.
    /// </summary>
    internal const int SpinsBeforeSleep = 20;

    private readonly IActor<TInput> _actor;
    private readonly Func<long> _clock;
    private readonly WakeSignal _wake = new();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _gate = new();

    // Replaced as a whole when an inbox is added, so the loop reads it without a lock.
    private Inbox<TInput>[] _inboxes = [];
    private Thread? _thread;
    private int _next;
    private bool _closed;
    private volatile bool _stopping;

    /// <summary>Makes a loop; it runs after <see cref="Start"/>.</summary>
    /// <param name="name">For the thread's name and messages.</param>
    /// <param name="actor">What it drives.</param>
    /// <param name="clock">Monotonic time in nanoseconds, of the same origin as the actor's deadline.</param>
    public ActorLoop(string name, IActor<TInput> actor, Func<long> clock)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(actor);
        ArgumentNullException.ThrowIfNull(clock);
        Name = name;
        _actor = actor;
        _clock = clock;
    }

    /// <summary>Gets the name given to it.</summary>
    public string Name { get; }

    /// <summary>
    /// Gets the end of the loop: completed after <see cref="RequestStop"/> and after everything accepted before it was
    /// carried out; faulted with the actor's exception when one escaped.
    /// </summary>
    public Task Completion => _completion.Task;

    /// <summary>Gets the inboxes in the order in which they are served.</summary>
    public IReadOnlyList<Inbox<TInput>> Inboxes => Volatile.Read(ref _inboxes);

    /// <summary>Adds the inbox of one peer; before or after the start.</summary>
    /// <param name="name">Whose inbox it is.</param>
    /// <param name="capacity">Most inputs that wait in it, at least 1.</param>
    public Inbox<TInput> AddInbox(string name, int capacity)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        var inbox = new Inbox<TInput>(name, capacity, _wake);
        lock (_gate)
        {
            if (_closed) inbox.Close();
            Volatile.Write(ref _inboxes, [.. _inboxes, inbox]);
        }

        return inbox;
    }

    /// <summary>Starts the thread; once.</summary>
    public void Start()
    {
        lock (_gate)
        {
            if (_thread is not null) throw new InvalidOperationException($"The loop {Name} was started before.");
            _thread = new Thread(Run) { IsBackground = true, Name = Name };
        }

        _thread.Start();
    }

    /// <summary>Closes the inboxes, lets the loop carry out what they accepted, and ends it. Returns at once.</summary>
    public void RequestStop()
    {
        CloseInboxes();
        _stopping = true;
        Interlocked.MemoryBarrier(); // Before the look at the sleeper: the other half is in Announce.
        _wake.Wake();
    }

    private void Run()
    {
        var patience = new SpinWait();
        try
        {
            while (true)
            {
                var stopping = _stopping; // Read first: what was accepted before the stop is then seen by this burst.
                if (RunBurst(stopping))
                {
                    patience.Reset();
                    continue;
                }

                if (stopping) break;
                if (patience.Count < SpinsBeforeSleep) patience.SpinOnce(sleep1Threshold: -1);
                else SleepUntilWorkOrDeadline();
            }

            _completion.TrySetResult();
        }
        catch (Exception failure)
        {
            CloseInboxes();
            _completion.TrySetException(failure);
        }
    }

    private bool RunBurst(bool stopping)
    {
        var due = _actor.NextDeadlineNanoseconds is { } deadline && deadline <= _clock() && !stopping;
        if (due) _actor.OnDeadline();
        var taken = TakeInTurn(stopping);
        if (!due && taken == 0) return false;
        _actor.EndTurn();
        return true;
    }

    /// <summary>Takes one input of each inbox, again and again, and goes on next time where it stopped.</summary>
    private int TakeInTurn(bool stopping)
    {
        var inboxes = Volatile.Read(ref _inboxes);
        var taken = 0;
        var emptyInARow = 0;
        while (taken < BurstMax && emptyInARow < inboxes.Length)
        {
            if (_next >= inboxes.Length) _next = 0;
            var inbox = inboxes[_next++];
            if (stopping ? inbox.TryTakeUncounted(out var input) : inbox.TryTake(out input))
            {
                _actor.Step(in input);
                taken++;
                emptyInARow = 0;
            }
            else
            {
                emptyInARow++;
            }
        }

        return taken;
    }

    private void SleepUntilWorkOrDeadline()
    {
        var deadline = _actor.NextDeadlineNanoseconds; // Only a turn changes it, and none is under way.
        _wake.Announce();
        if (_stopping || HasWork())
        {
            _wake.TakeBack();
            return;
        }

        var milliseconds = Timeout.Infinite;
        if (deadline is { } at)
        {
            // Rounded up: to wake a moment too early would cost a second turn.
            var left = (at - _clock() + 999_999) / 1_000_000;
            milliseconds = (int)Math.Clamp(left, 0, int.MaxValue);
        }

        if (milliseconds == 0) _wake.TakeBack();
        else _wake.Sleep(milliseconds);
    }

    private bool HasWork()
    {
        foreach (var inbox in Volatile.Read(ref _inboxes))
        {
            if (inbox.HasWork) return true;
        }

        return false;
    }

    private void CloseInboxes()
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var inbox in _inboxes) inbox.Close();
        }
    }
}
