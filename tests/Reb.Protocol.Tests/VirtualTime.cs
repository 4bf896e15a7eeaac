namespace Massif.Reb.Protocol.Tests;

/// <summary>Time that jumps from deadline to deadline.</summary>
internal sealed class VirtualTime
{
    public Instant Now { get; private set; }

    /// <summary>Lets so much time pass and calls at every deadline; one that never moves on is a mistake of the core.</summary>
    public void Pass(ulong milliseconds, Func<Instant?> next, Action<Instant> onDeadline)
    {
        var end = Now.PlusMilliseconds((long)milliseconds);
        for (var calls = 0; next() is { } due && due <= end; calls++)
        {
            if (due > Now) (Now, calls) = (due, 0);
            if (calls > 1_000) throw new InvalidOperationException($"The deadline stands still at {due}.");
            onDeadline(Now);
        }

        Now = end;
    }
}
