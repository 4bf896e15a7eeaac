using System.Diagnostics;

namespace Massif.Actors.Tests;

public sealed class ActorLoopTests
{
    private readonly RecordingActor _actor = new();
    private long _now;

    [Fact]
    public async Task A_flooding_peer_delays_another_by_one_input_only()
    {
        var loop = Loop();
        var flood = loop.AddInbox("flood", 1000);
        var calm = loop.AddInbox("calm", 10);
        for (var i = 0; i < 1000; i++) Assert.True(flood.TryPost(1));
        Assert.True(calm.TryPost(2));

        await RunToEnd(loop);

        Assert.Equal(1, _actor.Log.IndexOf("2"));
    }

    [Fact]
    public async Task A_turn_ends_after_at_most_64_inputs_and_when_nothing_waits()
    {
        var loop = Loop();
        var first = loop.AddInbox("first", 100);
        var second = loop.AddInbox("second", 100);
        for (var i = 0; i < 50; i++) Assert.True(first.TryPost(i) && second.TryPost(100 + i));

        await RunToEnd(loop);

        Assert.Equal(64, _actor.Log.IndexOf(RecordingActor.TurnEnd));
        Assert.Equal(64 + 1 + 36, _actor.Log.LastIndexOf(RecordingActor.TurnEnd));
        Assert.Equal(50 + 50 + 2, _actor.Log.Count);
    }

    [Fact]
    public async Task The_next_burst_goes_on_with_the_peer_whose_turn_it_is()
    {
        var loop = Loop();
        var inboxes = Enumerable.Range(0, 3).Select(i => loop.AddInbox("peer", 100)).ToArray();
        for (var i = 0; i < 30; i++)
        {
            for (var peer = 0; peer < 3; peer++) Assert.True(inboxes[peer].TryPost(peer));
        }

        await RunToEnd(loop);

        var inputs = _actor.Log.Where(line => line != RecordingActor.TurnEnd).ToArray();
        for (var i = 0; i < inputs.Length; i++) Assert.Equal(i % 3, int.Parse(inputs[i], provider: null));
    }

    [Fact]
    public async Task A_full_inbox_refuses_and_counts()
    {
        var loop = Loop();
        var inbox = loop.AddInbox("peer", 2);
        Assert.True(inbox.TryPost(1));
        Assert.True(inbox.TryPost(2));
        Assert.False(inbox.TryPost(3));
        Assert.Equal(new InboxCounters("peer", 2, Depth: 2, HighWater: 2, Posted: 2, Refused: 1, Waited: 0), inbox.Counters);

        await RunToEnd(loop);

        Assert.DoesNotContain("3", _actor.Log);
        Assert.Equal(new InboxCounters("peer", 2, Depth: 0, HighWater: 2, Posted: 2, Refused: 1, Waited: 0), inbox.Counters);
    }

    [Fact]
    public async Task A_poster_waits_while_the_inbox_is_full()
    {
        var loop = Loop();
        var inbox = loop.AddInbox("peer", 1);
        Assert.True(await inbox.PostAsync(1));
        var waiting = inbox.PostAsync(2).AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.Equal(1, inbox.Counters.Waited);

        loop.Start();
        Assert.True(await waiting);
        loop.RequestStop();
        await loop.Completion;

        Assert.Equal(["1", "2"], _actor.Log.Where(line => line != RecordingActor.TurnEnd));
    }

    [Fact]
    public async Task A_waiting_poster_can_be_cancelled_and_then_has_not_posted()
    {
        var loop = Loop();
        var inbox = loop.AddInbox("peer", 1);
        Assert.True(inbox.TryPost(1));
        using var cancel = new CancellationTokenSource();
        var waiting = inbox.PostAsync(2, cancel.Token).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await RunToEnd(loop);

        Assert.DoesNotContain("2", _actor.Log);
    }

    /// <summary>
    /// The loop asks for the deadline between its last look at the inboxes and its word that it sleeps: a post at that very
    /// moment finds nobody to wake. Every question on the way to sleep is tried; the last is the one that matters.
    /// </summary>
    [Fact]
    public async Task No_post_is_overlooked_by_a_loop_that_is_about_to_sleep()
    {
        for (var question = 1; question <= ActorLoop<int>.SpinsBeforeSleep + 2; question++)
        {
            var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var actor = new RecordingActor { OnStep = _ => seen.SetResult() };
            var loop = new ActorLoop<int>("test", actor, () => 0);
            var inbox = loop.AddInbox("peer", 10);
            var asked = 0;
            actor.OnDeadlineAsked = () =>
            {
                if (++asked == question) inbox.TryPost(1);
            };
            loop.Start();
            await seen.Task.WaitAsync(TimeSpan.FromSeconds(30));
            loop.RequestStop();
            await loop.Completion;
        }
    }

    [Fact]
    public async Task Many_posters_lose_nothing_and_each_keeps_its_order()
    {
        const int Posters = 4;
        const int Each = 50_000;
        var last = Enumerable.Repeat(-1, Posters).ToArray();
        var actor = new RecordingActor
        {
            OnStep = input =>
            {
                Assert.Equal(last[input % Posters] + 1, input / Posters);
                last[input % Posters]++;
            },
        };
        var loop = new ActorLoop<int>("test", actor, () => 0);
        var shared = loop.AddInbox("shared", 64);
        loop.Start();

        await Task.WhenAll(Enumerable.Range(0, Posters).Select(poster => Task.Run(async () =>
        {
            for (var i = 0; i < Each; i++) Assert.True(await shared.PostAsync((i * Posters) + poster));
        })));
        loop.RequestStop();
        await loop.Completion;

        Assert.All(last, value => Assert.Equal(Each - 1, value));
        Assert.Equal(Posters * Each, shared.Counters.Posted);
        Assert.InRange(shared.Counters.HighWater, 1, 64);
    }

    [Fact]
    public async Task A_deadline_is_not_called_before_its_time_and_then_once_with_a_turn_of_its_own()
    {
        var reached = new TaskCompletionSource();
        _actor.OnDeadlineCalled = reached.SetResult;
        var stepped = new SemaphoreSlim(0);
        _actor.OnStep = _ => stepped.Release();
        _actor.NextDeadlineNanoseconds = long.MaxValue / 2; // Far away: the loop sleeps until the poke below.
        var loop = Loop();
        var inbox = loop.AddInbox("poke", 10);
        loop.Start();
        Assert.True(inbox.TryPost(1));
        await stepped.WaitAsync();
        Assert.False(reached.Task.IsCompleted);

        Volatile.Write(ref _now, long.MaxValue / 2);
        Assert.True(inbox.TryPost(2));
        await reached.Task;
        loop.RequestStop();
        await loop.Completion;

        var at = _actor.Log.IndexOf("deadline");
        Assert.Equal(at, _actor.Log.LastIndexOf("deadline"));
        Assert.Contains(RecordingActor.TurnEnd, _actor.Log[at..]);
    }

    [Fact]
    public async Task A_sleeping_loop_wakes_for_its_deadline()
    {
        var reached = new TaskCompletionSource();
        var clock = () => (long)Stopwatch.GetElapsedTime(0).TotalNanoseconds;
        _actor.NextDeadlineNanoseconds = clock() + 20_000_000;
        _actor.OnDeadlineCalled = reached.SetResult;
        var loop = new ActorLoop<int>("test", _actor, clock);
        loop.Start();

        await reached.Task;
        loop.RequestStop();
        await loop.Completion;

        Assert.Equal(["deadline", RecordingActor.TurnEnd], _actor.Log);
    }

    [Fact]
    public async Task A_failure_ends_the_loop_and_is_reported_and_posters_learn_of_it()
    {
        _actor.OnStep = input => throw new InvalidOperationException($"broken at {input}");
        var loop = Loop();
        var inbox = loop.AddInbox("peer", 1);
        Assert.True(inbox.TryPost(7));
        var waiting = inbox.PostAsync(8).AsTask();
        loop.Start();

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => loop.Completion);

        Assert.Equal("broken at 7", failure.Message);
        Assert.False(inbox.TryPost(9));
        await waiting; // Either it found room before the end or it was told: it does not hang.
        Assert.False(await inbox.PostAsync(10));
        Assert.False(loop.AddInbox("late", 1).TryPost(11));
        Assert.Equal(["7"], _actor.Log);
    }

    [Fact]
    public async Task A_stop_carries_out_what_was_accepted_and_accepts_nothing_more()
    {
        var loop = Loop();
        var inbox = loop.AddInbox("peer", 500);
        for (var i = 0; i < 500; i++) Assert.True(inbox.TryPost(i));

        loop.RequestStop();
        Assert.False(inbox.TryPost(500));
        loop.Start();
        await loop.Completion;

        Assert.Equal(500, _actor.Log.Count(line => line != RecordingActor.TurnEnd));
        Assert.Equal(RecordingActor.TurnEnd, _actor.Log[^1]);
    }

    private ActorLoop<int> Loop() => new("test", _actor, () => Volatile.Read(ref _now));

    private static async Task RunToEnd(ActorLoop<int> loop)
    {
        loop.Start();
        loop.RequestStop();
        await loop.Completion;
    }
}
