namespace Massif.Cep;

/// <summary>State of all rules for one life of a stream.</summary>
internal sealed class StreamState
{
    private readonly RuleSet _rules;
    private readonly CorrelationLimits _limits;
    private readonly KeyTable?[] _tables; // Per rule: live, replayed. Most are never needed.

    public StreamState(SourceStream stream, RuleSet rules, CorrelationLimits limits)
    {
        Stream = stream;
        _rules = rules;
        _limits = limits;
        _tables = new KeyTable?[2 * rules.Rules.Length];
    }

    /// <summary>Gets the life of the stream.</summary>
    public SourceStream Stream { get; }

    /// <summary>Gets or sets the seq of the last batch.</summary>
    public ulong LastSeq { get; set; }

    /// <summary>Gets the tables that exist.</summary>
    public IEnumerable<KeyTable> Tables => _tables.OfType<KeyTable>();

    /// <summary>Returns the table of a rule, which is made when it is first asked for.</summary>
    public KeyTable TableOf(int rule, bool replayed) =>
        _tables[IndexOf(rule, replayed)] ??= new(_rules.Rules[rule], _limits);

    /// <summary>Returns the table of a rule; null when it was never needed.</summary>
    public KeyTable? ExistingTableOf(int rule, bool replayed) => _tables[IndexOf(rule, replayed)];

    private static int IndexOf(int rule, bool replayed) => (2 * rule) + (replayed ? 1 : 0);
}
