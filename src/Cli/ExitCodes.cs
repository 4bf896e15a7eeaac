namespace Massif.Cli;

/// <summary>What the program says to scripts.</summary>
internal static class ExitCodes
{
    /// <summary>Everything asked for was done, and every promise was kept.</summary>
    public const int Ok = 0;

    /// <summary>It ran, and something that should hold does not.</summary>
    public const int Failed = 1;

    /// <summary>Wrong arguments or configuration; nothing was started.</summary>
    public const int Usage = 2;

    /// <summary>The disk does not give back what it confirmed: starting again without looking at it would not help.</summary>
    public const int Disk = 3;
}
