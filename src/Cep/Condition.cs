using System.Collections.Immutable;
using Massif.Events;

namespace Massif.Cep;

/// <summary>A checked condition on one event. Reading it allocates nothing and cannot fail.</summary>
/// <remarks>A test on a field that the event does not have is false; so <c>a != 1</c>, being <c>not a == 1</c>, is true.</remarks>
internal abstract class Condition
{
    /// <summary>Returns whether the event fulfils the condition.</summary>
    public abstract bool Holds(in EventView view);
}

internal sealed class AllOf(ImmutableArray<Condition> parts) : Condition
{
    public override bool Holds(in EventView view)
    {
        foreach (var part in parts)
        {
            if (!part.Holds(view)) return false;
        }

        return true;
    }
}

internal sealed class AnyOf(ImmutableArray<Condition> parts) : Condition
{
    public override bool Holds(in EventView view)
    {
        foreach (var part in parts)
        {
            if (part.Holds(view)) return true;
        }

        return false;
    }
}

internal sealed class Not(Condition part) : Condition
{
    public override bool Holds(in EventView view) => !part.Holds(view);
}

internal sealed class Exists(EventField field) : Condition
{
    public override bool Holds(in EventView view) => view.Has(field);
}

internal sealed class HasFlag(EventFlags flag) : Condition
{
    public override bool Holds(in EventView view) => (view.Flags & flag) != 0;
}

/// <summary>Compares bytes, as UTF-8 and with regard to case.</summary>
internal sealed class TextEquals(EventField field, ImmutableArray<byte[]> values) : Condition
{
    public override bool Holds(in EventView view)
    {
        if (!view.Has(field)) return false;
        var text = view.Text(field);
        foreach (var value in values)
        {
            if (text.SequenceEqual(value)) return true;
        }

        return false;
    }
}

internal sealed class TextStartsWith(EventField field, byte[] value) : Condition
{
    public override bool Holds(in EventView view) => view.Has(field) && view.Text(field).StartsWith(value);
}

internal sealed class TextContains(EventField field, byte[] value) : Condition
{
    public override bool Holds(in EventView view) => view.Has(field) && view.Text(field).IndexOf(value) >= 0;
}

/// <summary>Compares addresses as numbers: <c>::ffff:192.0.2.1</c> is <c>192.0.2.1</c>.</summary>
internal sealed class AddressEquals(EventField field, ImmutableArray<IpAddress> values) : Condition
{
    public override bool Holds(in EventView view)
    {
        if (!view.TryGetAddress(field, out var address)) return false;
        foreach (var value in values)
        {
            if (address == value) return true;
        }

        return false;
    }
}

internal sealed class NumberEquals(EventField field, ImmutableArray<long> values) : Condition
{
    public override bool Holds(in EventView view) =>
        view.TryGetNumber(field, out var number) && values.AsSpan().Contains(number);
}

/// <summary>Accepts numbers from least to most, both included.</summary>
internal sealed class NumberInRange(EventField field, long least, long most) : Condition
{
    public override bool Holds(in EventView view) =>
        view.TryGetNumber(field, out var number) && number >= least && number <= most;
}
