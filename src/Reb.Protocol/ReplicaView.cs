using System.Numerics;

namespace Massif.Reb.Protocol;

/// <summary>What a source knows of one replica, and when it repeats what the replica lacks (R8, R9).</summary>
internal sealed class ReplicaView
{
    private readonly Sending[] _ring;
    private readonly int _window;
    private readonly long _bytesMax;
    private long _bytesUnderWay;
    private ulong _oldest; // What is released is fetched from peers: it is not under way.
    private ulong _startCounter;
    private ulong _high;
    private HaveBits _have;
    private RoundTrip _roundTrip;
    private Instant _movedAt; // When its low last rose: a replica that makes progress is not repeated to (RFC 6298 section 5.3).

    public ReplicaView(SourceOptions options, ulong oldest)
    {
        _window = options.Window;
        _bytesMax = options.BytesUnderWayMax;
        _ring = new Sending[(int)BitOperations.RoundUpToPowerOf2((uint)options.Window)];
        _roundTrip = new(options.RtoMs, options.RtoMaxMs);
        (Low, _high, Next) = (oldest, oldest + (ulong)options.Window, oldest); // Until it says otherwise.
    }

    public bool Reachable { get; set; }

    /// <summary>Gets the lowest seq that the replica has not delivered, as it says.</summary>
    public ulong Low { get; private set; }

    /// <summary>Gets the highest seq that it reports delivered and durable.</summary>
    public ulong Durable { get; private set; }

    /// <summary>Gets the lowest seq that was never sent to it in its present start.</summary>
    public ulong Next { get; private set; }

    /// <summary>Gets when the first repeat is due, or earlier.</summary>
    public Instant? NextDue { get; private set; }

    /// <summary>Takes a STATUS; false when it is older than what is known.</summary>
    public bool Update(in StreamStatus status, Instant now)
    {
        if (status.StartCounter < _startCounter) return false;
        if (status.StartCounter == _startCounter && (status.Low < Low || status.Durable < Durable)) return false; // Overtaken on its way.
        if (status.StartCounter == _startCounter || _startCounter == 0) Measure(status, now);
        else Next = status.Low; // A new start: what was in flight to it may be lost.
        _startCounter = status.StartCounter;
        if (status.Low > Low) _movedAt = now;
        (Low, Durable, _have) = (status.Low, status.Durable, status.Have);
        _high = Math.Clamp(status.High, Low + 1, Low + (ulong)_window);
        Next = Math.Min(Next, _high); // What was sent above its window was dropped there: it was never sent.
        CountBytesUnderWay();
        return true;
    }

    /// <summary>Returns the next seq to send for the first time, or 0: durable in the spool, in the window, and lacking.</summary>
    public ulong Unsent(ulong oldest, ulong newest)
    {
        if (!Reachable) return 0;
        Next = Math.Max(Next, Math.Max(Low, oldest));
        if (oldest > _oldest)
        {
            _oldest = oldest;
            CountBytesUnderWay();
        }

        while (Next < _high && Next <= newest && Has(Next)) Next++;
        if (_bytesUnderWay >= _bytesMax) return 0; // More would only wait in the queue of its link, or be dropped there.
        return Next < _high && Next <= newest ? Next : 0; // R8: nothing beyond the window.
    }

    /// <summary>Notes a sending, the first or a repeat, of so many bytes.</summary>
    public void Sent(ulong seq, int attempt, int bytes, Instant now)
    {
        if (attempt > 0) _roundTrip.Repeated(attempt);
        var due = new Instant(now.Nanoseconds + _roundTrip.TimeOut(attempt));
        _ring[Slot(seq)] = new(now, due, attempt, bytes);
        if (seq == Next)
        {
            Next++;
            _bytesUnderWay += bytes;
        }

        if (NextDue is not { } next || due < next) NextDue = due;
    }

    /// <summary>Returns the attempt that a repeat of a seq would be, if one is due now; else 0.</summary>
    public int DueAttempt(ulong seq, ulong oldest, Instant now)
    {
        if (!Reachable || seq < Math.Max(Low, oldest) || seq >= Math.Min(_high, Next) || Has(seq)) return 0;
        ref readonly var sending = ref _ring[Slot(seq)];
        return now >= DueOf(sending) ? sending.Attempt + 1 : 0;
    }

    /// <summary>Gets the range of seqs that were sent and may be lacking.</summary>
    public (ulong From, ulong To) Outstanding(ulong oldest) => (Math.Max(Low, oldest), Math.Min(_high, Next));

    /// <summary>A path to the replica came up: what it lacks is due at once.</summary>
    public void MakeDue(ulong oldest, Instant now)
    {
        var (from, to) = Outstanding(oldest);
        for (var seq = from; seq < to; seq++) _ring[Slot(seq)] = _ring[Slot(seq)] with { Due = now };
        (NextDue, _movedAt) = (now, default);
    }

    /// <summary>Finds out anew when the first repeat is due.</summary>
    public void Reschedule(ulong oldest)
    {
        NextDue = null;
        var (from, to) = Outstanding(oldest);
        for (var seq = from; seq < to; seq++)
            if (!Has(seq)) NextDue = Announcer.Earlier(NextDue, DueOf(_ring[Slot(seq)]));
    }

    /// <summary>
    /// Measures the round trip of the oldest that this STATUS acknowledges for the first time (RFC 6298). Its others were
    /// acknowledged with it: as samples of their own they would make the deviation look smaller than it is.
    /// </summary>
    private void Measure(in StreamStatus status, Instant now)
    {
        var to = Math.Min(_high, Next);
        for (var seq = Low; seq < to; seq++)
        {
            if (Has(seq) || (seq >= status.Low && !status.Have.Has((int)Math.Min(seq - status.Low, int.MaxValue)))) continue;
            ref readonly var sending = ref _ring[Slot(seq)];
            if (sending.Attempt > 0) continue;
            _roundTrip.Measure(now.Nanoseconds - sending.At.Nanoseconds);
            return;
        }
    }

    private Instant DueOf(in Sending sending)
    {
        var afterProgress = new Instant(_movedAt.Nanoseconds + _roundTrip.TimeOut(sending.Attempt));
        return sending.Due < afterProgress ? afterProgress : sending.Due;
    }

    private void CountBytesUnderWay()
    {
        _bytesUnderWay = 0;
        for (var seq = Math.Max(Low, _oldest); seq < Next; seq++)
            if (!Has(seq)) _bytesUnderWay += _ring[Slot(seq)].Bytes;
    }

    private bool Has(ulong seq) => seq < Low || (seq - Low < HaveBits.Capacity && _have.Has((int)(seq - Low)));

    private int Slot(ulong seq) => (int)(seq & (ulong)(_ring.Length - 1));

    private readonly record struct Sending(Instant At, Instant Due, int Attempt, int Bytes);
}
