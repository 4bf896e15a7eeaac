namespace Massif.Actors;

/// <summary>State that is changed by one thread only, one input after another; an <see cref="ActorLoop{TInput}"/> drives it.</summary>
/// <typeparam name="TInput">What it reacts to; usually a struct, so that an input costs no allocation.</typeparam>
/// <remarks>An exception from any member ends the loop and is reported by its completion: fail-stop.</remarks>
public interface IActor<TInput>
{
    /// <summary>Reacts to one input. Must not block: whatever takes time comes back as an input.</summary>
    void Step(in TInput input);

    /// <summary>
    /// Ends a burst of at most <see cref="ActorLoop{TInput}.BurstMax"/> inputs (and perhaps a deadline): the place for one
    /// flush and one sync for all of them.
    /// </summary>
    void EndTurn();

    /// <summary>
    /// Gets when <see cref="OnDeadline"/> wants to be called, in nanoseconds of the loop's clock; null for never. Read
    /// between bursts. A time that stays in the past keeps the loop busy.
    /// </summary>
    long? NextDeadlineNanoseconds { get; }

    /// <summary>
    /// Reacts to the passing of the deadline; followed by <see cref="EndTurn"/>. It may come up to a millisecond late, or
    /// later under load, so it looks at its state first.
    /// </summary>
    void OnDeadline();
}
