using System.Buffers;
using System.Security.Cryptography;
using Massif.Events;

namespace Massif.Cep;

/// <summary>One life of a stream, as the engine knows it: state never crosses from one to another.</summary>
/// <param name="Edge">Id of the edge in the domain description.</param>
/// <param name="Class">Urgency class of the stream: 0 bulk, 1 urgent.</param>
/// <param name="Incarnation">Life of the edge's spool.</param>
public readonly record struct SourceStream(string Edge, byte Class, ulong Incarnation);

/// <summary>What the engine made of a batch.</summary>
public enum BatchOutcome : byte
{
    /// <summary>Its events were seen by the rules.</summary>
    Correlated,

    /// <summary>Its seq is not above the last one of the stream: nothing changed.</summary>
    Repeated,

    /// <summary>It is no batch; the stream goes on behind it. Only a faulty edge makes one.</summary>
    Unreadable,
}

/// <summary>Where alarms go, in the order in which they are made.</summary>
public interface ICorrelationOutput
{
    /// <summary>Takes one alarm. The same alarm comes again when batches are replayed after a restart.</summary>
    void OnAlarm(Alarm alarm);
}

/// <summary>What the engine has seen since its process started; not part of the replicated state.</summary>
/// <param name="Batches">Batches that were correlated.</param>
/// <param name="Events">Events in them.</param>
/// <param name="Matches">Events that a rule's condition and key accepted, once per rule.</param>
/// <param name="Alarms">Alarms made.</param>
/// <param name="UnreadableBatches">Batches of a faulty edge.</param>
/// <param name="ForgottenKeys">Keys forgotten because a table was full.</param>
/// <param name="ForgottenEvents">Remembered events forgotten because a table or a key was full.</param>
public readonly record struct CorrelationCounters(
    long Batches,
    long Events,
    long Matches,
    long Alarms,
    long UnreadableBatches,
    long ForgottenKeys,
    long ForgottenEvents);

/// <summary>Runs the rules over delivered batches. A pure function: equal batches per stream give equal alarms, byte for byte.</summary>
/// <remarks>
/// Until total order exists replicas interleave streams differently, so all state belongs to one life of one stream.
/// For an event at time t the counts of its key's events so far with time in (t - w, t] are added up; when the sum first
/// reaches the threshold, one immutable alarm is made of that window, and the key is silent until an event later than
/// t + suppress. Event time is the edge's trusted time; for an event that carries <c>replayed</c> it is the claimed time.
/// Replayed and live events have tables of their own, so that they cannot make each other late.
/// Cost: no allocation per event; a matched event costs one look-up and, in time order, a constant number of steps.
/// </remarks>
public sealed class CorrelationEngine
{
    private readonly RuleSet _rules;
    private readonly CorrelationLimits _limits;
    private readonly Dictionary<SourceStream, StreamState> _streams = [];
    private readonly byte[] _key = new byte[KeyReader.BytesMax];
    private long _batches, _events, _matches, _alarms, _unreadable;

    /// <summary>Makes an engine without state.</summary>
    public CorrelationEngine(RuleSet rules, CorrelationLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(rules);
        _rules = rules;
        _limits = limits ?? new();
    }

    /// <summary>Gets the counters.</summary>
    public CorrelationCounters Counters
    {
        get
        {
            long keys = 0, events = 0;
            foreach (var state in _streams.Values)
            {
                foreach (var table in state.Tables)
                {
                    keys += table.ForgottenKeys;
                    events += table.ForgottenOccurrences;
                }
            }

            return new(_batches, _events, _matches, _alarms, _unreadable, keys, events);
        }
    }

    /// <summary>Returns the seq of the last batch taken from a stream; 0 when there was none.</summary>
    public ulong LastSeqOf(in SourceStream stream) => _streams.TryGetValue(stream, out var state) ? state.LastSeq : 0;

    /// <summary>Takes the next delivered batch of a stream; batches of one stream come in the order of seq.</summary>
    public BatchOutcome OnBatch(
        in SourceStream stream, ulong seq, ReadOnlySpan<byte> payload, ICorrelationOutput output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var state = StateOf(stream);
        if (seq <= state.LastSeq) return BatchOutcome.Repeated;

        state.LastSeq = seq;
        if (!BatchReader.TryOpen(payload, out var batch, out _))
        {
            _unreadable++;
            return BatchOutcome.Unreadable;
        }

        var rules = _rules.Rules;
        var index = 0;
        foreach (var view in batch)
        {
            for (var rule = 0; rule < rules.Length; rule++)
            {
                if (rules[rule].Where.Holds(view)) Count(state, rule, view, new(seq, index), output);
            }

            index++;
        }

        _batches++;
        _events += index;
        return BatchOutcome.Correlated;
    }

    /// <summary>Writes the whole state. Equal state gives equal bytes at all replicas, however they interleaved the streams.</summary>
    public void Snapshot(IBufferWriter<byte> destination) =>
        EngineSnapshot.Write(destination, _rules, _streams);

    /// <summary>Replaces the state by one that <see cref="Snapshot(IBufferWriter{byte})"/> wrote.</summary>
    /// <remarks>
    /// State of a rule that is not in the rule set any more, or was changed, is left out: its tables start empty.
    /// </remarks>
    /// <exception cref="FormatException">The bytes are no snapshot of this version; the state is unchanged.</exception>
    public void Restore(ReadOnlySpan<byte> snapshot)
    {
        var restored = EngineSnapshot.Read(snapshot, _rules, _limits);
        _streams.Clear();
        foreach (var (stream, state) in restored) _streams.Add(stream, state);
    }

    /// <summary>Writes the state of one life of a stream; equal batches of it give equal bytes at all replicas.</summary>
    public void Snapshot(in SourceStream stream, IBufferWriter<byte> destination)
    {
        var one = new Dictionary<SourceStream, StreamState>();
        if (_streams.TryGetValue(stream, out var state)) one.Add(stream, state);
        EngineSnapshot.Write(destination, _rules, one);
    }

    /// <summary>Replaces the state of one life of a stream by one that was written for it elsewhere.</summary>
    /// <exception cref="FormatException">The bytes are no such state; nothing is changed.</exception>
    public void Restore(in SourceStream stream, ReadOnlySpan<byte> snapshot)
    {
        var restored = EngineSnapshot.Read(snapshot, _rules, _limits);
        var known = restored.TryGetValue(stream, out var state);
        if (restored.Count > (known ? 1 : 0)) throw new FormatException("The state is not of this stream alone.");
        _streams.Remove(stream);
        if (!known) return;
        _streams.Add(stream, state!);
        ForgetOldLives(stream.Edge);
    }

    /// <summary>Returns SHA-256 over what <see cref="Snapshot(IBufferWriter{byte})"/> writes.</summary>
    public byte[] StateDigest()
    {
        var bytes = new ArrayBufferWriter<byte>();
        Snapshot(bytes);
        return SHA256.HashData(bytes.WrittenSpan);
    }

    private StreamState StateOf(in SourceStream stream)
    {
        if (_streams.TryGetValue(stream, out var state)) return state;
        state = new(stream, _rules, _limits);
        _streams.Add(stream, state);
        ForgetOldLives(stream.Edge);
        return state;
    }

    /// <summary>The state of an edge's oldest lives goes: there is nothing to come of them, unless the edge lies.</summary>
    private void ForgetOldLives(string edge)
    {
        var lives = new List<SourceStream>();
        foreach (var known in _streams.Keys)
            if (known.Edge == edge) lives.Add(known);
        var tooMany = Math.Max(0, lives.Count - _limits.LivesPerEdge);
        foreach (var old in lives.OrderBy(life => life.Incarnation).ThenBy(life => life.Class).Take(tooMany))
            _streams.Remove(old);
    }

    private void Count(
        StreamState state, int ruleIndex, in EventView view, BatchPosition position, ICorrelationOutput output)
    {
        var rule = _rules.Rules[ruleIndex];
        var length = KeyReader.Read(view, rule.Key.AsSpan(), _key);
        if (length < 0) return;

        _matches++;
        var replayed = (view.Flags & EventFlags.Replayed) != 0;
        var table = state.TableOf(ruleIndex, replayed);
        var item = new Occurrence(EventTime.Of(view), position.Seq, position.Index, view.Count);
        var name = _key.AsSpan(0, length);
        if (!table.Add(name, item, out var key, out var window)) return;

        output.OnAlarm(AlarmMaker.Make(rule, state.Stream, replayed, name, window, _limits.EventsPerAlarm));
        table.Silence(key, item.Time);
        _alarms++;
    }
}
