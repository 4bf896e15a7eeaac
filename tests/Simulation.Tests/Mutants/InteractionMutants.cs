using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Massif.Simulation.Tests.Mutants;

/// <summary>Mistakes that no schedule of the simulation shows, each killed by a named transcript of Reb.Protocol.Tests.</summary>
/// <remarks>
/// "Votes forgotten at delivery, before it is durable" harms nobody by itself: the journal is one ordered file, and a snapshot repeats
/// the deliveries that are not durable (<see cref="HostMutantList"/> has the mistake of leaving them out). The rule says it all the same
/// (R11), because a snapshot must not need what stands outside it. Of state transfer and old spools the adversary of the simulation
/// plays only a part: it forges no state together with its name, and sets back no spool.
/// </remarks>
public sealed class InteractionMutants
{
    private const string Tests = "tests/Reb.Protocol.Tests";

    private static readonly Mutant[] Mutants =
    [
        new("Votes forgotten at delivery, before it is durable (R11)", "src/Reb.Protocol/ReliableBroadcast.Restore.cs",
            Find: "for (var seq = window.Durable + 1; seq < window.End; seq++)",
            Replace: "for (var seq = window.Low; seq < window.End; seq++)",
            Replicas: 4, KilledBy: "snapshot"),
        new("The voice is journalled and not read back (R13)", "src/Reb.Protocol/ReliableBroadcast.Restore.cs",
            Find: "        open.Record(_self, vote.Kind, vote.Digest);\n",
            Replace: "        if (vote.Kind == VoteKind.Echo) open.Record(_self, vote.Kind, vote.Digest);\n",
            Replicas: 4, KilledBy: "restart"),
        new("A checkpoint that one replica names is gone to (R11)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "if (transfer.WhoOffers(offer).Count >= quorums.OneCorrect) lowest = offer;",
            Replace: "if (transfer.WhoOffers(offer).Count >= 1) lowest = offer;",
            Replicas: 4, KilledBy: "transfer"),
        new("The highest checkpoint is gone to, and not the lowest (R11)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "offer.Seq >= lowest?.Seq",
            Replace: "offer.Seq <= lowest?.Seq",
            Replicas: 4, KilledBy: "transfer"),
        new("Who asks for what is beyond memory does not pay for the look-up (R7)", "src/Reb.Protocol/ReliableBroadcast.cs",
            Find: "isInJournal ? JournalBlockBytes + (_options.CheckpointInterval * JournalEntryBytes) : length",
            Replace: "length",
            Replicas: 4, KilledBy: "fetch-rate"),
        new("Who asks for checkpoints does not pay for what is named (R11)", "src/Reb.Protocol/ReliableBroadcast.Transfer.cs",
            Find: "above with { Epoch = QueryKey }, OffersBytes, now",
            Replace: "above with { Epoch = QueryKey }, 0, now",
            Replicas: 4, KilledBy: "query-rate"),
        new("A jump is told as durable before its record is (R11)", "src/Reb.Protocol/Announcer.cs",
            Find: "window.Low, window.High, window.Confirmed, have",
            Replace: "window.Low, window.High, window.Durable, have",
            Replicas: 4, KilledBy: "transfer"),
        new("What cannot be read is fetched again at once (R11)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "transfer.Due = now.PlusMilliseconds(NotUnderstoodMs);",
            Replace: "Ask(transfer, now, effects);",
            Replicas: 4, KilledBy: "transfer-version"),
        new("A whole journal is announced to a peer at once (R9)", "src/Reb.Protocol/Announcer.cs",
            Find: "var allowed = served.AllowDigests(peer, wanted, now);",
            Replace: "var allowed = wanted;",
            Replicas: 4, KilledBy: "announce-rate"),
        new("What a peer could not be told yet counts as told (R9)", "src/Reb.Protocol/Announcer.cs",
            Find: "if (allowed < wanted) to = end = first + (ulong)allowed;",
            Replace: "if (allowed < wanted) to = first + (ulong)allowed;",
            Replicas: 4, KilledBy: "announce-rate"),
        new("GONE of one replica starts a state transfer (R7)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "return gone >= quorums.OneCorrect;",
            Replace: "return gone >= 1;",
            Replicas: 4, KilledBy: "transfer"),
        new("A part of a state may be of any length (R11)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "count != expected",
            Replace: "count < 1",
            Replicas: 4, KilledBy: "transfer"),
        new("One who is left behind by f + 1 waits for ever (R7)", "src/Reb.Protocol/StateTransfer.cs",
            Find: "return ahead >= quorums.OneCorrect;",
            Replace: "return ahead >= quorums.Replicas;",
            Replicas: 4, KilledBy: "transfer-left-behind"),
        new("A spool that may be an old copy sends new batches at once (R0)", "src/Reb.Protocol/BroadcastSource.cs",
            Find: "_openedWith == 0 || _heard.Count >= _quorums.Available ? Newest : _openedWith;",
            Replace: "Newest;",
            Replicas: 4, KilledBy: "source-old-copy"),
        new("Who knows of batches beyond the spool counts as heard (R0)", "src/Reb.Protocol/BroadcastSource.cs",
            Find: "if (!IsAhead(status)) _heard",
            Replace: "_heard",
            Replicas: 4, KilledBy: "source-old-copy"),
        new("Lives that hold payloads are not counted (R8)", "src/Reb.Protocol/HoldingLives.cs",
            Find: "_lives.Count >= options.HoldingLivesPerStream &&",
            Replace: "_lives.Count < 0 &&",
            Replicas: 4, KilledBy: "lives-holding"),
        new("A life without a place takes not even its lowest instance (R8)", "src/Reb.Protocol/ReliableBroadcast.Holding.cs",
            Find: "return hasPlace || seq == window.Low;",
            Replace: "return hasPlace;",
            Replicas: 4, KilledBy: "lives-holding"),
        new("A place is kept for ever (R8)", "src/Reb.Protocol/HoldingLives.cs",
            Find: "if (life.HoldsUndelivered) continue;",
            Replace: "if (life.HoldsUndelivered || life.Low > 0) continue;",
            Replicas: 4, KilledBy: "lives-holding"),
        new("What was decided in a life without a place is never asked for (R7)", "src/Reb.Protocol/ReliableBroadcast.Rules.cs",
            Find: "if (window.IsNarrow && window.Find(window.Low) is { } lowest)",
            Replace: "if (window.IsNarrow && window.Find(window.Low) is { IsDecided: false } lowest)",
            Replicas: 4, KilledBy: "lives-holding"),
    ];

    private static readonly CSharpParseOptions Parsing = new(LanguageVersion.Latest, DocumentationMode.None);

    private static readonly Lazy<Func<string, string>> Control = new(() => Compile(null));

    public static TheoryData<string> Names => [.. Mutants.Select(mutant => mutant.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void The_transcript_of_a_mutant_is_another_one(string name)
    {
        var mutant = Mutants.Single(listed => listed.Name == name);
        var transcript = Read($"{Tests}/Interactions/{mutant.KilledBy}.txt").ReplaceLineEndings("\n");
        Assert.Equal(transcript, Control.Value(transcript)); // The same sources without the patch, compiled the same way.
        Assert.NotEqual(transcript, Compile(mutant)(transcript));
    }

    /// <summary>Compiles the core and the rig of its transcripts, and returns what replays one.</summary>
    private static Func<string, string> Compile(Mutant? mutant)
    {
        var trees = MutantCompiler.SourcesBelow("src/Reb.Protocol").Concat(MutantCompiler.SourcesBelow(Tests))
            .Select(path => (Path: path, Text: MutantCompiler.IsTouched(mutant, path) ? MutantCompiler.Patched(mutant!, path) : Read(path)))
            .Select(file => CSharpSyntaxTree.ParseText(file.Text, Parsing, file.Path))
            .Append(CSharpSyntaxTree.ParseText(HostMutantCompiler.ImplicitUsings + "\nglobal using Xunit;", Parsing))
            .ToArray();
        MutantCompiler.AssertComplete(mutant, trees);
        var image = HostMutantCompiler.Emit("Interactions", mutant, trees);
        var assembly = new AssemblyLoadContext(mutant?.Name ?? "control", isCollectible: true).LoadFromStream(new MemoryStream(image));
        var tests = assembly.GetType("Massif.Reb.Protocol.Tests.InteractionTests")!;
        return tests.GetMethod("Replay", BindingFlags.Static | BindingFlags.NonPublic)!.CreateDelegate<Func<string, string>>();
    }

    private static string Read(string path) => File.ReadAllText(Path.Combine(MutantCompiler.Root, path));
}
