namespace Massif.Actors.Tests;

/// <summary>Writes down what it is asked; the test thread reads it after the loop has ended.</summary>
internal sealed class RecordingActor : IActor<int>
{
    public const string TurnEnd = "end";

    public List<string> Log { get; } = [];

    public Action<int>? OnStep { get; set; }

    public Action? OnDeadlineCalled { get; set; }

    /// <summary>Gets or sets what is called when the loop asks for the deadline: before a burst, and before it sleeps.</summary>
    public Action? OnDeadlineAsked { get; set; }

    public long? NextDeadlineNanoseconds
    {
        get
        {
            OnDeadlineAsked?.Invoke();
            return field;
        }
        set;
    }

    public void Step(in int input)
    {
        Log.Add(input.ToString(System.Globalization.CultureInfo.InvariantCulture));
        OnStep?.Invoke(input);
    }

    public void EndTurn() => Log.Add(TurnEnd);

    public void OnDeadline()
    {
        NextDeadlineNanoseconds = null;
        Log.Add("deadline");
        OnDeadlineCalled?.Invoke();
    }
}
