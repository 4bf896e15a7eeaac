using Massif.Reb.Protocol;

namespace Massif.Reb.Tests.Hosting;

/// <summary>What a replica knows after a restart, a crash, a lost disk and a damaged one; and what a lying edge cannot do to it.</summary>
public sealed class ReplicaRestartTests : IDisposable
{
    private readonly HostWorld _world = new(window: 16);

    [Fact]
    public void Published_batches_reach_every_replica_once_and_in_order_and_the_spool_is_freed()
    {
        _world.StartAll();
        _world.Source!.Publish("a", "b", "c");
        _world.Pass(100);
        foreach (var replica in _world.Replicas) Assert.Equal(["a", "b", "c"], Texts(replica!));
        Assert.Equal(3UL, _world.Source.Host.Released);
        Assert.Single(_world.Replicas.Select(r => r!.Tip().Chain).Distinct());
    }

    [Fact]
    public void A_replica_stopped_cleanly_comes_back_with_the_same_tips_and_state_and_catches_up()
    {
        _world.StartAll();
        Publish(40);
        var before = _world.Replicas[0]!;
        var disk = before.Disk.Reopened();
        _world.Kill(0);
        Publish(5);

        var after = _world.Start(0, disk);
        Assert.Equal(before.Tip().Chain, after.Tip().Chain);
        Assert.Equal(before.Application.State, after.Application.State);
        Assert.False(after.Host.EchoForbidden);
        Assert.True(after.Host.StartCounter > before.Host.StartCounter);
        _world.Pass(3000);
        Assert.Equal(45UL, after.Tip().Delivered);
        Assert.Equal(_world.Replicas[1]!.Application.State, after.Application.State);
        Assert.False(after.Host.EchoForbidden);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void From_any_crash_point_all_replicas_come_to_the_same_state(int seed)
    {
        // Small segments: rolls, snapshots and retention happen all the time.
        var random = new Random(seed);
        _world.StartAll(journalLimit: 512 * 1024);
        ulong published = 0;
        for (var crash = 0; crash < 25; crash++)
        {
            var victim = random.Next(4);
            for (var i = random.Next(1, 12); i > 0; i--, published++)
                _world.Source!.Publish(new string((char)('a' + random.Next(26)), random.Next(1, 9000)));
            PassInPart(random);
            var dead = _world.Replicas[victim]!;
            var durable = dead.Tip().Durable;
            var disk = dead.Disk.Crash(random);
            _world.Kill(victim);
            if (random.Next(2) == 0) _world.Pass(random.Next(5) * 10);
            var again = _world.Start(victim, disk, journalLimit: 512 * 1024);
            Assert.True(again.Tip().Delivered >= durable, "A delivery that was reported durable was forgotten.");
            if (random.Next(3) == 0) _world.Pass(100);
        }

        _world.Pass(5000);
        foreach (var replica in _world.Replicas)
        {
            Assert.False(replica!.Host.EchoForbidden);
            Assert.Equal(published, replica.Tip().Delivered);
            Assert.Equal(_world.Replicas[0]!.Tip().Chain, replica.Tip().Chain);
            Assert.Equal(_world.Replicas[0]!.Application.State, replica.Application.State);
            Assert.Equal(0, replica.Count("massif_journal_damage_total"));
        }

        Assert.Equal(published, _world.Source!.Host.Released);
    }

    [Fact]
    public void A_replica_never_echoes_two_batches_of_one_instance_across_a_crash()
    {
        for (var seed = 0; seed < 40; seed++)
        {
            using var world = new HostWorld(window: 16);
            for (var i = 0; i < 4; i++) world.Start(i);
            world.Run();
            var replica = world.Replicas[0]!;
            Isolate(world);
            replica.Take(HostWorld.Edge, world.InitialFor(0, 1, [1]));
            replica.Host.EndTurn(world.Now);
            var left = seed % 2 == 0; // Whether the ECHO left before the crash.
            if (left) replica.AnswerDisk();
            Assert.Equal(left, replica.Links.Take().Count > 0);
            var disk = replica.Disk.Crash(new Random(seed));
            world.Kill(0);
            world.Heal();
            var again = world.Start(0, disk);
            world.Pass(100);
            again.Take(HostWorld.Edge, world.InitialFor(0, 1, [2]));
            if (left) Assert.Equal(1, again.Count("massif_verdicts_total{input=\"initial\",verdict=\"equivocation\"}"));
        }
    }

    [Fact]
    public void A_wiped_disk_is_noticed_and_the_replica_delivers_without_echo()
    {
        _world.StartAll();
        Publish(20);
        _world.Kill(0);
        var again = _world.Start(0);
        _world.Pass(3000);
        Assert.True(again.Host.IsSettled);
        Assert.True(again.Host.EchoForbidden);
        Publish(3);
        Assert.Equal(23UL, again.Tip().Delivered);
        Assert.Equal(_world.Replicas[1]!.Application.State, again.Application.State);

        // It stays so after one more restart, from the journal.
        var disk = again.Disk.Reopened();
        _world.Kill(0);
        Assert.True(_world.Start(0, disk).Host.EchoForbidden);
    }

    [Fact]
    public void An_old_copy_of_the_disk_is_noticed()
    {
        _world.StartAll();
        Publish(5);
        var old = _world.Replicas[0]!.Disk.Reopened();
        var copy = old.Reopened();
        _world.Kill(0);
        _world.Start(0, old);
        _world.Pass(200);
        Publish(5);
        _world.Kill(0);
        var again = _world.Start(0, copy);
        _world.Pass(3000);
        Assert.True(again.Host.EchoForbidden);
        Assert.Equal(10UL, again.Tip().Delivered);
    }

    [Fact]
    public void A_replica_wiped_again_and_again_still_gets_proofs_of_its_first_start()
    {
        // Starts with equal counters and other nonces must not push the signature of the known one out of the peers' memory.
        _world.StartAll();
        for (var wipe = 0; wipe < 4; wipe++)
        {
            _world.Kill(0);
            _world.Start(0);
            for (var i = 1; i < 4; i++) _world.Cut(HostWorld.Core(i), HostWorld.Core(0)); // It never hears an answer.
            _world.Pass(100);
            _world.Heal();
        }

        _world.Kill(0);
        var again = _world.Start(0);
        _world.Pass(3000);
        Assert.True(again.Host.IsSettled);
        Assert.True(again.Host.EchoForbidden);
        Assert.All(
            _world.Replicas,
            r => Assert.Equal(0, r!.Count("massif_verdicts_total{input=\"start_answer\",verdict=\"bad_signature\"}")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    public void A_damaged_journal_forbids_echo_and_the_replica_still_comes_to_the_same_state(int seed)
    {
        var random = new Random(seed);
        _world.StartAll(journalLimit: 4 * 1024 * 1024);
        for (var i = 0; i < 30; i++) PublishLong(8, 7000);
        var disk = _world.Replicas[0]!.Disk.Reopened();
        var files = disk.Files.Where(f => disk.LengthOf(f) > 1000).ToArray();
        Assert.True(files.Length > 2);
        var file = files[random.Next(files.Length - 1)]; // In the newest file it might be a torn tail.
        disk.Medium.Flip(file, random.Next(32, (int)disk.LengthOf(file)));
        _world.Kill(0);
        var again = _world.Start(0, disk, journalLimit: 4 * 1024 * 1024);
        Assert.True(again.Host.EchoForbidden);
        Assert.Equal(1, again.Count("massif_journal_damage_total"));
        _world.Pass(3000);
        PublishLong(2, 10);
        Assert.Equal(_world.Replicas[1]!.Tip().Chain, again.Tip().Chain);
        Assert.Equal(_world.Replicas[1]!.Application.State, again.Application.State);
    }

    [Fact]
    public void A_crash_inside_a_snapshot_does_not_stop_later_starts()
    {
        // The application's state is long, so that most crash points lie inside the snapshot.
        var random = new Random(5);
        for (var i = 0; i < 4; i++) _world.Start(i, journalLimit: i == 0 ? 512 * 1024 : 64 * 1024 * 1024, padding: 20_000);
        _world.Source = new(_world, new HostDisk());
        _world.Run();
        for (var crash = 0; crash < 20; crash++)
        {
            var replica = _world.Replicas[0]!;
            var newest = replica.Disk.Files[^1];
            for (var i = 0; i < 50 && replica.Disk.Files[^1] == newest; i++)
            {
                _world.Source.Publish(new string('x', 9000));
                replica.Host.EndTurn(_world.Now);
                PassInPart(random);
            }

            var disk = replica.Disk.Crash(random);
            _world.Kill(0);
            _world.Start(0, disk, journalLimit: 512 * 1024, padding: 20_000);
            _world.Pass(100);
        }

        _world.Pass(3000);
        Assert.Equal(_world.Replicas[1]!.Application.State, _world.Replicas[0]!.Application.State);
        Assert.False(_world.Replicas[0]!.Host.EchoForbidden);
    }

    [Fact]
    public void A_state_of_several_parts_comes_back_as_it_was_written()
    {
        const int Padding = 1_300_001; // Two whole parts of 512 KiB and some, and no multiple of anything.
        for (var i = 0; i < 4; i++) _world.Start(i, journalLimit: i == 0 ? 512 * 1024 : 64 * 1024 * 1024, padding: i == 0 ? Padding : 0);
        _world.Source = new(_world, new HostDisk());
        _world.Run();
        var replica = _world.Replicas[0]!;
        var newest = replica.Disk.Files[^1];
        for (var i = 0; i < 40 && replica.Disk.Files[^1] == newest; i++) PublishLong(8, 8000);
        Assert.NotEqual(newest, replica.Disk.Files[^1]);
        var disk = replica.Disk.Reopened();
        _world.Kill(0);
        var again = _world.Start(0, disk, journalLimit: 512 * 1024, padding: Padding);
        Assert.True(again.Application.WasRestored);
        _world.Pass(3000);
        Assert.Equal(_world.Replicas[1]!.Application.State, again.Application.State);
    }

    [Fact]
    public void An_undecided_payload_moves_along_with_the_snapshots_and_can_be_read_before_the_next_sync()
    {
        _world.StartAll(journalLimit: 512 * 1024);
        // A second life whose first batch is missing: its second one is held undelivered.
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 2, [2, 2], incarnation: 9));
        _world.Pass(50);
        for (var i = 0; i < 40; i++) PublishLong(8, 8000);
        var replica = _world.Replicas[0]!;
        Assert.Equal(0UL, replica.Tip(9).Delivered);
        Assert.Equal(1, replica.Tip(9).Undecided);

        var disk = replica.Disk.Reopened();
        _world.Kill(0);
        var again = _world.Start(0, disk, journalLimit: 512 * 1024);
        _world.Pass(500);
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 1, [1, 1], incarnation: 9));
        _world.Pass(500);
        Assert.Equal(2UL, again.Application.Applied(new(new(HostWorld.Edge.Value, StreamClass.Bulk), 9)));
        Assert.Equal([[1, 1], [2, 2]], again.Application.Payloads.TakeLast(2));
    }

    [Fact]
    public void An_edge_that_equivocates_ends_no_replica_and_all_deliver_the_same_bytes()
    {
        // It shows replica 0 one batch and the others another, and withholds the batch before, so that nothing is delivered yet.
        _world.StartAll(journalLimit: 512 * 1024);
        for (ulong seq = 2; seq < 10; seq++)
        {
            for (var i = 0; i < 4; i++)
            {
                byte[] lie = i == (int)seq % 4 ? [0, (byte)seq] : [1, (byte)seq];
                _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, seq, lie, incarnation: 9));
            }
        }

        _world.Pass(300); // All is decided, and fetched where another payload was held.
        for (var i = 0; i < 40; i++) PublishLong(8, 8000); // Snapshots are written meanwhile.
        var disk = _world.Replicas[1]!.Disk.Reopened();
        _world.Kill(1);
        _world.Start(1, disk, journalLimit: 512 * 1024);
        _world.Pass(500);
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 1, [7], incarnation: 9));
        _world.Pass(500);
        foreach (var replica in _world.Replicas)
        {
            var delivered = replica!.Application.Payloads.Where(p => p.Length <= 2).Select(p => string.Join('.', p));
            Assert.Equal(["7", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "1.8", "1.9"], delivered);
        }
    }

    [Fact]
    public void A_later_initial_for_what_is_decided_changes_neither_what_is_delivered_nor_what_is_served()
    {
        _world.StartAll();
        _world.Cut(HostWorld.Core(1), HostWorld.Core(0)); // Replica 0 still hears two of three.
        for (var i = 1; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 2, [1, 1], incarnation: 9));
        _world.Pass(500); // Decided everywhere, fetched by replica 0, held up by seq 1.
        var late = _world.Replicas[0]!;
        late.Take(HostWorld.Edge, _world.InitialFor(0, 2, [2, 2], incarnation: 9));
        _world.Pass(50);
        Assert.True(late.Count("massif_verdicts_total{input=\"payload\",verdict=\"accepted\"}") > 0);
        for (var i = 0; i < 4; i++) _world.Replicas[i]!.Take(HostWorld.Edge, _world.InitialFor(i, 1, [7], incarnation: 9));
        _world.Pass(500);
        foreach (var replica in _world.Replicas) Assert.Equal(["7", "1.1"], replica!.Application.Payloads.Select(p => string.Join('.', p)));
        var disk = late.Disk.Reopened();
        _world.Kill(0);
        Assert.Equal(_world.Replicas[1]!.Application.State, _world.Start(0, disk).Application.State);
    }

    [Fact]
    public void A_source_that_went_back_in_time_publishes_again_in_a_new_life()
    {
        _world.StartAll();
        _world.Source!.Publish("a");
        _world.Pass(50);
        var old = _world.Source.Disk.Reopened();
        _world.Source.Publish("b", "c");
        _world.Pass(100);
        var life = _world.Source.Host.Life;

        _world.Source = new(_world, old);
        _world.Source.Publish("d"); // Under a seq that replicas know as "b".
        _world.Pass(2000);
        Assert.Equal(1, _world.Source.Count("massif_spool_lost_total"));
        Assert.True(_world.Source.Host.Life.Incarnation > life.Incarnation);
        foreach (var replica in _world.Replicas) Assert.Equal(["a", "b", "c", "d"], Texts(replica!));
    }

    [Fact]
    public void An_old_spool_is_noticed_also_when_as_many_batches_are_new_as_the_replicas_know_more()
    {
        _world.StartAll();
        _world.Source!.Publish("a");
        _world.Pass(50);
        var old = _world.Source.Disk.Reopened();
        _world.Source.Publish("b", "c");
        _world.Pass(100);

        _world.Source = new(_world, old);
        _world.Source.Publish("d", "e", "f"); // Durable before the first STATUS arrives: the spool ends above what they delivered.
        _world.Pass(2000);
        Assert.Equal(1, _world.Source.Count("massif_spool_lost_total"));
        foreach (var replica in _world.Replicas) Assert.Equal(["a", "b", "c", "d", "e", "f"], Texts(replica!));
    }

    public void Dispose() => _world.Dispose();

    private static IEnumerable<string> Texts(ReplicaNode replica) =>
        replica.Application.Payloads.Select(System.Text.Encoding.UTF8.GetString);

    private static void Isolate(HostWorld world)
    {
        for (var i = 1; i < 4; i++)
        {
            world.Cut(HostWorld.Core(0), HostWorld.Core(i));
            world.Cut(HostWorld.Core(i), HostWorld.Core(0));
        }
    }

    private void Publish(int count)
    {
        for (var i = 0; i < count; i++) _world.Source!.Publish($"batch {i}");
        _world.Pass(300);
    }

    private void PublishLong(int count, int length)
    {
        for (var i = 0; i < count; i++) _world.Source!.Publish(new string((char)('a' + i), length));
        _world.Pass(30);
    }

    /// <summary>A few turns in which some disks answer and some do not, so that a crash finds something pending.</summary>
    private void PassInPart(Random random)
    {
        for (var i = random.Next(4); i >= 0; i--)
        {
            if (random.Next(3) == 0) _world.Run();
            foreach (var replica in _world.Replicas) replica?.Host.EndTurn(_world.Now);
            _world.Source!.Host.EndTurn(_world.Now);
            _world.Source.AnswerDisk();
            foreach (var (to, frame) in _world.Source.Links.Take())
                _world.Replicas[to.Value]?.Take(HostWorld.Edge, frame);
            foreach (var replica in _world.Replicas) replica?.Host.EndTurn(_world.Now);
        }
    }
}
