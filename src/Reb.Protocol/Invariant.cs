using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Massif.Reb.Protocol;

/// <summary>Checks of our own promises; always on. A broken one stops the replica: silence is tolerated, a wrong answer is not.</summary>
public static class Invariant
{
    /// <summary>Demands a condition that only a mistake in this program can break.</summary>
    /// <exception cref="InvariantViolationException">The condition does not hold.</exception>
    public static void Holds(
        [DoesNotReturnIf(false)] bool condition,
        [CallerArgumentExpression(nameof(condition))] string? text = null)
    {
        if (!condition) throw new InvariantViolationException($"Invariant does not hold: {text}");
    }
}

/// <summary>This program broke a promise of its own; the replica ends.</summary>
public sealed class InvariantViolationException : Exception
{
    /// <summary>Makes the exception without a text.</summary>
    public InvariantViolationException()
    {
    }

    /// <summary>Makes the exception with a text.</summary>
    public InvariantViolationException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with a text and a cause.</summary>
    public InvariantViolationException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
