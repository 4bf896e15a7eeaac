namespace Massif.Reb.Storage;

/// <summary>
/// The disk does not give back what it has confirmed. A node that went on could send or deliver something else, so it ends:
/// silence is tolerated, a wrong answer is not.
/// </summary>
public sealed class DiskFailedException : IOException
{
    /// <summary>Makes the exception without a text.</summary>
    public DiskFailedException()
    {
    }

    /// <summary>Makes the exception with a text.</summary>
    public DiskFailedException(string message)
        : base(message)
    {
    }

    /// <summary>Makes the exception with a text and a cause.</summary>
    public DiskFailedException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>Makes the exception for a file that the operating system cannot read.</summary>
    public static DiskFailedException Unreadable(string path, long offset, Exception cause)
    {
        ArgumentNullException.ThrowIfNull(cause);
        return new($"{path} cannot be read at byte {offset}: {cause.Message}", cause);
    }

    /// <summary>Makes the exception for bytes that the disk has confirmed and that are gone or changed.</summary>
    public static DiskFailedException Changed(LogDamage damage)
    {
        ArgumentNullException.ThrowIfNull(damage);
        return new(damage.Reason.TrimEnd('.')); // It names file and place.
    }
}
