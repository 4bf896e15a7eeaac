using System.Buffers;
using System.Collections.Immutable;
using System.Security.Cryptography;
using Massif.Events;

namespace Massif.Cep;

/// <summary>A checked rule, ready to run.</summary>
public sealed class Rule
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    internal Rule(RuleDefinition definition, Condition where, ImmutableArray<EventField> key)
    {
        Definition = definition;
        Where = where;
        Key = key;
        WindowNanoseconds = definition.WindowSeconds * NanosecondsPerSecond;
        SuppressNanoseconds = definition.SuppressSeconds * NanosecondsPerSecond;
        Digest = [.. DigestOf(definition)];
    }

    /// <summary>Gets the rule as it was written.</summary>
    public RuleDefinition Definition { get; }

    /// <summary>Gets SHA-256 over everything that the state of the rule depends on, and its title and severity.</summary>
    public ImmutableArray<byte> Digest { get; }

    internal Condition Where { get; }

    internal ImmutableArray<EventField> Key { get; }

    internal long WindowNanoseconds { get; }

    internal long SuppressNanoseconds { get; }

    private static byte[] DigestOf(RuleDefinition definition)
    {
        var bytes = new ArrayBufferWriter<byte>();
        bytes.WriteText(definition.Id);
        bytes.WriteInt32(definition.Version);
        bytes.WriteText(definition.Title);
        bytes.WriteByte((byte)definition.Severity);
        bytes.WriteText(definition.Where);
        bytes.WriteByte((byte)definition.Key.Count);
        foreach (var name in definition.Key) bytes.WriteText(name);
        bytes.WriteInt32(definition.Threshold);
        bytes.WriteInt32(definition.WindowSeconds);
        bytes.WriteInt32(definition.SuppressSeconds);
        return SHA256.HashData(bytes.WrittenSpan);
    }
}
