namespace Massif.Simulation.Tests.Mutants;

/// <summary>The mistakes that the simulation of the protocol must notice, and by which promise it does.</summary>
/// <remarks>
/// <para>
/// Mistakes that only real hosts can make are listed with the domain world: MAC not checked before a message counts, digest without
/// the header, INITIAL before the spool's sync, payload not synced with its ECHO, votes that leave before they are durable.
/// </para>
/// <para>
/// "Votes forgotten at delivery, before it is durable" is harmless in the cores, whether in memory or in a snapshot: the journal is
/// one ordered file, what forgets stands behind the delivery in it, and STATUS leaves only after that is durable. It becomes visible
/// where a host drops a segment or repeats no deliveries behind a snapshot, which is a mistake of hosts again.
/// </para>
/// </remarks>
public static class MutantList
{
    private const string Quorums = "src/Reb.Protocol/Quorums.cs";
    private const string Broadcast = "src/Reb.Protocol/ReliableBroadcast.cs";
    private const string Rules = "src/Reb.Protocol/ReliableBroadcast.Rules.cs";
    private const string Restore = "src/Reb.Protocol/ReliableBroadcast.Restore.cs";
    private const string Instance = "src/Reb.Protocol/Instance.cs";
    private const string Announcer = "src/Reb.Protocol/Announcer.cs";
    private const string Fetcher = "src/Reb.Protocol/Fetcher.cs";
    private const string Source = "src/Reb.Protocol/BroadcastSource.cs";
    private const string View = "src/Reb.Protocol/ReplicaView.cs";
    private const string Start = "src/Reb.Protocol/ReplicaStart.cs";

    public static IReadOnlyList<Mutant> Protocol { get; } =
    [
        new("Echo quorum of the MASSIF text, n = 5", Quorums,
            Find: "=> ((Replicas + Faults) / 2) + 1;",
            Replace: "=> (Replicas + Faults + 1) / 2;",
            Replicas: 5, KilledBy: "Agreement|Invariant|Progress|VoteOnce", Scenario: "Split"),
        new("Echo quorum of the MASSIF text, n = 8", Quorums,
            Find: "=> ((Replicas + Faults) / 2) + 1;",
            Replace: "=> (Replicas + Faults + 1) / 2;",
            Replicas: 8, KilledBy: "Agreement|Invariant|Progress|VoteOnce", Scenario: "Split"),
        new("No amplification (R5)", Rules,
            Find: "        if (open.For(digest).Voices.Count >= _quorums.OneCorrect) ReadyOnce(open, digest, now, effects);\n",
            Replace: "",
            Replicas: 4, KilledBy: "Progress"),
        new("Decide at f + 1 (R5)", Rules,
            Find: "open.For(digest).Voices.Count >= _quorums.CorrectMajority",
            Replace: "open.For(digest).Voices.Count >= _quorums.OneCorrect",
            Replicas: 7, KilledBy: "Progress|Agreement", Scenario: "Split"),
        new("Decide at 2f (R5), n = 7", Rules,
            Find: "open.For(digest).Voices.Count >= _quorums.CorrectMajority",
            Replace: "open.For(digest).Voices.Count >= _quorums.CorrectMajority - 1",
            Replicas: 7, KilledBy: "Progress|Agreement", Scenario: "Split"),
        new("Decide at 2f (R5), n = 5", Rules,
            Find: "open.For(digest).Voices.Count >= _quorums.CorrectMajority",
            Replace: "open.For(digest).Voices.Count >= _quorums.CorrectMajority - 1",
            Replicas: 5, KilledBy: "Progress|Agreement", Scenario: "Split"),
        new("A second ECHO counts (R4)", Instance,
            Find: "            if (_echoed.Contains(from))\n                return known",
            Replace: "            if (known >= 0 && _candidates[known].Echoes.Contains(from))\n                return known",
            Replicas: 4, KilledBy: "FirstVoteCounts"),
        new("A second voice counts (R4)", Instance,
            Find: "        if (spoken && (known < 0 || !_candidates[known].Voices.Contains(from))) return Verdict.Equivocation;\n        if (spoken && ",
            Replace: "        if (spoken && known >= 0 && _candidates[known].Voices.Contains(from) && ",
            Replicas: 4, KilledBy: "FirstVoteCounts"),
        new("DONE at one (R6)", Rules,
            Find: "Dones.Count >= _quorums.OneCorrect",
            Replace: "Dones.Count >= 1",
            Replicas: 4, KilledBy: "Agreement|Validity|Progress|Invariant"),
        new("DONE is not a voice (R6)", Instance,
            Find: "        voiced.Voices = voiced.Voices.With(from);\n",
            Replace: "        if (kind == VoteKind.Ready) voiced.Voices = voiced.Voices.With(from);\n",
            Replicas: 4, KilledBy: "Progress|NoFalseEvidence"),
        new("No announcement again (R9)", Announcer,
            Find: "        to = Math.Min(to, window.Top);\n",
            Replace: "        to = from;\n",
            Replicas: 4, KilledBy: "Progress"),
        new("A low that stands still is not told again (R9)", Announcer,
            Find: "        Announce(window, peer, view.Low, end, effects);\n",
            Replace: "",
            Replicas: 4, KilledBy: "Progress"),
        new("INITIAL not repeated (R9)", Source,
            Find: "            if (attempt == 0) continue;\n",
            Replace: "            continue;\n",
            Replicas: 4, KilledBy: "Progress"),
        new("A payload without its ECHO counts as held (R3)", Instance,
            Find: "=> Initial is null && !IsDecided;",
            Replace: "=> Initial is null && HeldCount == 0 && !IsDecided;",
            Replicas: 7, KilledBy: "Progress", Seeds: 2000),
        new("A new journal segment begins without the votes (R11, R13)", Restore,
            Find: "        if (open.OwnEcho is { } echo) sink.Vote(new(VoteKind.Echo, id, echo));\n        if (open.OwnReady is { } ready) sink.Vote(new(VoteKind.Ready, id, ready));\n",
            Replace: "",
            Replicas: 4, KilledBy: "VoteOnce|Progress", Seeds: 2000),
        new("A MAC entry that does not verify is taken for one that does (R12)", Broadcast,
            Find: "        if (authentic && open.Initial is null)\n",
            Replace: "        if (open.Initial is null)\n",
            Replicas: 4, KilledBy: "Validity|NoFalseEvidence|VoteOnce|Progress|Agreement"),
        new("Spool released at the first report", Source,
            Find: "durable[^_quorums.CorrectMajority]",
            Replace: "durable[^1]",
            Replicas: 4, KilledBy: "NoLoss"),
        new("Spool released at f + 1 reports", Source,
            Find: "durable[^_quorums.CorrectMajority]",
            Replace: "durable[^_quorums.OneCorrect]",
            Replicas: 4, KilledBy: "NoLoss"),
        new("ECHO again after a lost vote log (R13)", Rules,
            Find: "        if (EchoForbidden) return;",
            Replace: "        if (false) return;",
            Replicas: 7, KilledBy: "NoEchoAfterLoss", Scenario: "Storm"),
        new("A lost or old log is not noticed (R13)", Start,
            Find: "            ForbidEcho(effects);\n",
            Replace: "",
            Replicas: 7, KilledBy: "NoEchoAfterLoss", Scenario: "Storm"),
        new("Window ignored (R8)", Rules,
            Find: "        if (seq >= window.High) return Verdict.Early;\n",
            Replace: "",
            Replicas: 4, KilledBy: "Invariant|BoundedMemory"),
        new("FETCH accepted unchecked (R7)", Broadcast,
            Find: "        if (FillsDecision(open, digest))\n        {\n            Hold(open, digest, length, effects);\n            Filled(open, asked",
            Replace: "        if (!open.IsComplete)\n        {\n            Hold(open, open.Decided.Digest, length, effects);\n            Filled(open, asked",
            Replicas: 4, KilledBy: "Integrity"),
        new("FETCH asks the same one again (R7)", Fetcher,
            Find: "        fetch.Asked = fetch.Asked.With(target);\n",
            Replace: "",
            Replicas: 7, KilledBy: "Progress|Invariant", Scenario: "Split", Seeds: 2000),
        new("ECHO without holding the payload (R3)", Broadcast,
            Find: "            Hold(open, digest, length, effects); // Payload",
            Replace: "            // Payload",
            Replicas: 4, KilledBy: "HoldsWhatItSays"),
        new("An overtaken STATUS counts at the source (R9)", View,
            Find: "        if (status.StartCounter == _startCounter && (status.Low < Low || status.Durable < Durable)) return false;",
            Replace: "",
            Replicas: 4, KilledBy: "NoLoss|Progress|Invariant"),
        new("The voice is journalled and not read back (R13)", Restore,
            Find: "        open.Record(_self, vote.Kind, vote.Digest);\n",
            Replace: "        if (vote.Kind == VoteKind.Echo) open.Record(_self, vote.Kind, vote.Digest);\n",
            Replicas: 4, KilledBy: "VoteOnce|Progress"),
        new("The ECHO is journalled and not read back (R13)", Restore,
            Find: "        open.Record(_self, vote.Kind, vote.Digest);\n",
            Replace: "        if (vote.Kind != VoteKind.Echo) open.Record(_self, vote.Kind, vote.Digest);\n",
            Replicas: 4, KilledBy: "VoteOnce|Progress", Scenario: "Storm"),
        new("Delivery over a hole (R10)", Rules,
            Find: "window.Find(window.Low) is { IsComplete: true } next",
            Replace: "(window.Find(window.Low) ?? window.Find(window.Low + 1)) is { IsComplete: true } next",
            Replicas: 4, KilledBy: "Fifo|Invariant"),
    ];
}
