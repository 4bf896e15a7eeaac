using Massif.Reb.Storage;

namespace Massif.Reb.Tests.Storage;

/// <summary>Random lives of a log with power cuts at random moments, each from one seed.</summary>
public sealed class SegmentLogCrashTests
{
    private const int Seeds = 600;
    private const int SegmentBytes = 4096;

    [Fact]
    public void After_a_crash_the_log_is_what_was_synced_and_perhaps_more_without_a_hole()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            try
            {
                new Life(seed).Run();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed} of {nameof(SegmentLogCrashTests)}: {failure.Message}", failure);
            }
        }
    }

    private sealed class Life(int seed)
    {
        private readonly Random _random = new(seed);
        private MemoryDisk _disk = new();
        private List<(RecordAddress Address, byte[] Body)> _appended = [];
        private int _synced;
        private long _oldestAfterSync;

        public void Run()
        {
            var log = SegmentLog.Open(_disk, "log", SegmentBytes);
            for (var crash = 0; crash < 4; crash++)
            {
                for (var step = _random.Next(60); step > 0; step--) Step(log);
                _disk = _disk.Crash(_random);
                log = SegmentLog.Open(_disk, "log", SegmentBytes);
                CheckAfterCrash(log);
            }
        }

        private void Step(SegmentLog log)
        {
            switch (_random.Next(10))
            {
                case 0:
                    _disk.Sync(1);
                    (_synced, _oldestAfterSync) = (_appended.Count, log.OldestFile);
                    break;
                case 1:
                    log.Roll(self => Append(self));
                    break;
                case 2 when log.Files > 2:
                    log.DropOldest();
                    break;
                default:
                    if (log.NeedsRoll) log.Roll();
                    Append(log);
                    break;
            }
        }

        private void Append(SegmentLog log)
        {
            var body = new byte[_random.Next(3) == 0 ? _random.Next(3000) : _random.Next(40)];
            _random.NextBytes(body);
            var first = _random.Next(body.Length + 1);
            _appended.Add((log.Append(1, body.AsMemory(0, first), body.AsMemory(first)), body));
        }

        private void CheckAfterCrash(SegmentLog log)
        {
            Assert.Empty(log.Damage);
            var found = new List<(RecordAddress Address, byte[] Body)>();
            log.Scan((address, _, body) => found.Add((address, body.ToArray())));
            Assert.Empty(log.Damage);
            if (_synced > 0) Assert.True(log.OldestFile >= _oldestAfterSync, "A file that was durably dropped is back.");

            // Dropped records are those of whole files at the front; what is lost is at the end.
            var expected = _appended.FindAll(record => record.Address.FileIndex >= log.OldestFile);
            var dropped = _appended.Count - expected.Count;
            Assert.True(dropped + found.Count >= _synced, $"{_synced - dropped - found.Count} synced records are lost.");
            for (var i = 0; i < found.Count; i++)
            {
                Assert.Equal(expected[i].Address, found[i].Address);
                Assert.Equal(expected[i].Body, found[i].Body);
                Assert.Equal(LogReadResult.Read, log.Read(found[i].Address, out _, out var body));
                Assert.Equal(expected[i].Body, body);
            }

            (_appended, _synced) = (found, found.Count);
            _oldestAfterSync = log.OldestFile;
        }
    }
}
