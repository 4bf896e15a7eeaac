namespace Massif.Simulation;

/// <summary>Kinds of faults. Each seed enables a random subset (swarm testing): a fault that is always on hides others.</summary>
[Flags]
public enum FaultKinds
{
    /// <summary>No fault.</summary>
    None = 0,

    /// <summary>Frames overtake each other, get lost and come twice on some links.</summary>
    Datagrams = 1 << 0,

    /// <summary>Some delays are longer than usual by orders of magnitude.</summary>
    LongTail = 1 << 1,

    /// <summary>One direction between groups of nodes is blocked for a while.</summary>
    OneWayPartition = 1 << 2,

    /// <summary>The nodes fall into groups for a while.</summary>
    Partition = 1 << 3,

    /// <summary>Single links stand still for a while.</summary>
    Clog = 1 << 4,

    /// <summary>One node hears nothing for a long time.</summary>
    Starve = 1 << 5,

    /// <summary>One link is slower than the others for the whole run.</summary>
    SlowLink = 1 << 6,

    /// <summary>Connections break and lose what was in flight.</summary>
    Reset = 1 << 7,

    /// <summary>Nodes crash and come back with their disk.</summary>
    Crash = 1 << 8,

    /// <summary>A crash takes away what was not synced, not only what was not yet written.</summary>
    PowerCut = 1 << 9,

    /// <summary>A node comes back with an empty or an old disk; counts among f.</summary>
    LoseState = 1 << 10,

    /// <summary>Syncs take long.</summary>
    SlowSync = 1 << 11,

    /// <summary>Clocks drift and are skewed.</summary>
    Drift = 1 << 12,

    /// <summary>All nodes stop and start again.</summary>
    Blackout = 1 << 13,

    /// <summary>Everything above.</summary>
    All = (1 << 14) - 1,
}
