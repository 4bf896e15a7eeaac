using Massif.Events;
using Massif.Get.Framing;
using Massif.Get.Recognition;

namespace Massif.Benchmarks;

/// <summary>Framing, translation and encoding of 200-byte sshd lines on one core: what an edge does per event before its disk.</summary>
internal static class ParseBenchmark
{
    /// <summary>Measures; a value of this row is events per second of CPU time.</summary>
    public static Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancel)
    {
        run.Request.Progress("parse: framing, translation and encoding on one core");
        var work = new Work();
        var end = Environment.TickCount64 + (long)run.WarmUp.TotalMilliseconds;
        while (Environment.TickCount64 < end) work.Block();
        var costs = new List<double>();
        for (var slice = 0; slice < run.Slices; slice++)
        {
            cancel.ThrowIfCancellationRequested();
            var (events, cpu) = (work.Events, Environment.CpuUsage.TotalTime);
            end = Environment.TickCount64 + 1000;
            while (Environment.TickCount64 < end) work.Block();
            costs.Add((Environment.CpuUsage.TotalTime - cpu).TotalMicroseconds / (work.Events - events));
        }

        var cost = Measurement.Median(costs);
        var row = BenchRow.OfEvents("parse", 1e6 / cost, cost, run.Machine.MemoryCopy / SyslogLines.LineBytes, "memory copy of the lines");
        return Task.FromResult<IReadOnlyList<BenchRow>>([row]);
    }

    private sealed class Work
    {
        private readonly SyslogFraming _framing = new(8192, overTls: false);
        private readonly EventDraft _draft = new();
        private readonly BatchBuilder _batch = new();
        private readonly byte[] _bytes = new byte[BatchBuilder.SingleEventBytesMax];

        public long Events { get; private set; }

        public void Block()
        {
            var context = new ReceiveContext { ReceivedWallNanoseconds = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100 };
            _framing.Push(SyslogLines.Block);
            while (_framing.TryRead(out var frame))
            {
                EventTranslator.Translate(frame.Bytes, context, _draft, frame.Flags);
                if (!_batch.TryAdd(_draft))
                {
                    _batch.Write(_bytes);
                    _batch.Reset();
                    _batch.TryAdd(_draft);
                }

                Events++;
            }
        }
    }
}
