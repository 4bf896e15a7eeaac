using System.Numerics;

namespace Massif.Events;

/// <summary>The written names of <see cref="EventFlags"/>, as in rules, JSON and conformance vectors.</summary>
public static class FlagNames
{
    // Indexed by bit number.
    private static readonly string[] Names =
    [
        "no_pri", "bad_pri", "pri_leading_zero", "no_timestamp", "nil_timestamp", "bad_timestamp", "year_assumed",
        "year_in_timestamp", "tz_assumed", "tz_name", "iso_timestamp", "epoch_timestamp", "uptime_timestamp", "ts_case",
        "ts_lowercase", "ts_single_digit", "ts_frac_over_6", "clock_unsynced", "no_host", "host_colon", "no_tag",
        "tag_no_colon", "extra_space", "missing_fields", "truncated_header", "field_over_limit", "unknown_version",
        "aix_forwarded", "missing_sd", "bad_sd", "sd_duplicate_id", "sd_unescaped_bracket", "bom", "leading_bom",
        "invalid_utf8", "control_chars", "multiline", "trailer_stripped", "empty", "stray_delimiter", "framing_error",
        "resync", "nonconformant_framing", "unterminated", "truncated", "oversize", "possible_duplicate", "cef", "leef",
        "cee", "json", "kv", "snare", "mark", "repeat", "replayed", "late", "future", "clock_step", "sampled",
        "aggregated", "anonymised", "same_attempt",
    ];

    /// <summary>Gets every defined flag; other bits make a batch invalid.</summary>
    public static EventFlags All { get; } = (EventFlags)((1UL << Names.Length) - 1);

    /// <summary>Returns the name of one flag.</summary>
    /// <exception cref="ArgumentException">The value is not exactly one defined flag.</exception>
    public static string NameOf(EventFlags flag)
    {
        if (!BitOperations.IsPow2((ulong)flag) || (flag & ~All) != 0)
            throw new ArgumentException($"{flag} is not one defined flag.", nameof(flag));
        return Names[BitOperations.TrailingZeroCount((ulong)flag)];
    }

    /// <summary>Returns the names of all flags that are set, in bit order.</summary>
    public static IEnumerable<string> NamesOf(EventFlags flags)
    {
        for (var rest = (ulong)(flags & All); rest != 0; rest &= rest - 1)
            yield return Names[BitOperations.TrailingZeroCount(rest)];
    }

    /// <summary>Finds a flag by its written name.</summary>
    public static bool TryParse(string name, out EventFlags flag)
    {
        var bit = Array.IndexOf(Names, name);
        flag = bit < 0 ? EventFlags.None : (EventFlags)(1UL << bit);
        return bit >= 0;
    }
}
