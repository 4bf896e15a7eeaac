namespace Massif.Get.Conformance;

/// <summary>What became of one vector.</summary>
public enum ConformanceOutcome : byte
{
    /// <summary>Everything expected was found.</summary>
    Passed,

    /// <summary>Something differed.</summary>
    Failed,

    /// <summary>The vector is about a protocol or format that this build does not have.</summary>
    NotSupported,
}

/// <summary>The result of one vector.</summary>
/// <param name="Source">Name of the file that the vector came from.</param>
/// <param name="Line">Its line there, from 1.</param>
/// <param name="Id">Its id; empty when the line could not be read.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Differences">One sentence for each thing that differed, or the reason why it is not supported.</param>
public sealed record ConformanceResult(
    string Source, int Line, string Id, ConformanceOutcome Outcome, IReadOnlyList<string> Differences);
