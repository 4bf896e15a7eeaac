namespace Massif.Simulation.Tests.Mutants;

/// <summary>The mistakes that only whole hosts can make, and the promise by which the simulation of a domain notices each.</summary>
/// <remarks>
/// The seed that is pinned notices at once; where a change of the world moves it, the ones after it are tried. What the adversary has to
/// do for it: STATUS in the name of others for the MAC of envelopes, two batches that differ in the header only for the digest, old
/// batches again for the votes, false answers for FETCH, power cuts between a frame and a sync for the payload.
/// </remarks>
public static class HostMutantList
{
    private const string Hosting = "src/Reb/Hosting/";
    private const string Overlay = "src/Reb/Overlay/";

    public static IReadOnlyList<Mutant> Domain { get; } =
    [
        new("The MAC entry of an INITIAL is not checked (R1, R12)", Hosting + "InitialIntake.cs",
            Find: "HasMyMac(envelope.Source, message, digest));",
            Replace: "HasMyMac(envelope.Source, message, digest) || true);",
            Replicas: 4, KilledBy: "Authenticity", From: 1),
        new("The MAC of an envelope is not checked (R1)", Overlay + "EnvelopeReceiver.cs",
            Find: "if (!envelope.IsAuthentic(_keys, _self)) return",
            Replace: "if (!envelope.IsAuthentic(_keys, _self) && _self.Value > 65_000) return",
            Replicas: 4, KilledBy: "NoLoss", From: 56),
        new("The digest is that of the payload, without the header (R2)", Hosting + "InitialIntake.cs",
            Find: "var digest = Digest.Of(message.HeaderBytes);",
            Replace: "var digest = message.Header.PayloadHash;",
            Replicas: 4, KilledBy: "Agreement", From: 21,
            Also:
            [
                new("src/Reb/Wire/InitialMessage.cs",
                    Find: "var digest = Digest.Of(bytes.AsSpan(0, BatchHeader.Length));",
                    Replace: "var digest = header.PayloadHash;"),
                new(Hosting + "ReplicaHost.cs",
                    Find: "Digest.Of(headerBytes.Span) : default",
                    Replace: "header.PayloadHash : default"),
                new(Hosting + "JournalRestore.cs",
                    Find: "AddStored(header.Instance, Digest.Of(body[..BatchHeader.Length]),",
                    Replace: "AddStored(header.Instance, header.PayloadHash,"),
                new(Hosting + "JournalRestore.cs",
                    Find: "RestorePayload(header.Instance, Digest.Of(body[..BatchHeader.Length]),",
                    Replace: "RestorePayload(header.Instance, header.PayloadHash,"),
            ]),
        new("INITIAL before the spool's sync (R0)", Hosting + "SourceHost.cs",
            Find: "        _batches.Add();\n        return seq;",
            Replace: "        _core.OnBatchDurable(seq, now.Now, _effects);\n        CarryOut();\n        return seq;",
            Replicas: 4, KilledBy: "SyncedBeforeSent", From: 0),
        new("The payload is not synced with its ECHO (R3)", Hosting + "ReplicaOutbox.cs",
            Find: "if (gate == 0) _links.TrySend(to, frame);",
            Replace: "if (gate >= 0) _links.TrySend(to, frame);",
            Replicas: 4, KilledBy: "HoldsWhatItSays", From: 50),
        new("Votes are not in the journal (R13)", Hosting + "ReplicaJournal.cs",
            Find: "public void LogVote(in Effect effect) => Append(JournalKind.Vote, JournalRecords.Vote(effect.Vote));",
            Replace: "public void LogVote(in Effect effect) => _turnBytes++;",
            Replicas: 4, KilledBy: "VoteOnce", From: 26),
        new("FETCH accepted unchecked (R7)", Hosting + "ReplicaHost.cs",
            Find: "var digest = Digest.Of(payload.Span) == header.PayloadHash ? Digest.Of(headerBytes.Span) : default;",
            Replace: "var digest = Digest.Of(headerBytes.Span);",
            Replicas: 4, KilledBy: "Agreement", From: 12),
        new("The proofs of a start are forgotten (R13)", Hosting + "StartDesk.cs",
            Find: "mark.Counter <= proofs[1].Mark.Counter) return;",
            Replace: "mark.Counter < proofs[1].Mark.Counter) return;",
            Replicas: 4, KilledBy: "Progress", From: 4),
        new("Deliveries that are not durable are not in the snapshot (R11)", Hosting + "JournalSnapshot.cs",
            Find: "        foreach (var delivered in deliveredUndurable) Append(JournalKind.Delivered, delivered);\n",
            Replace: "",
            Replicas: 4, KilledBy: "Invariant", From: 124),
        new("A page of deliveries names what retention has dropped (R11)", Hosting + "DeliveredPages.cs",
            Find: "batch.Address.FileIndex != 0 && batch.Address.FileIndex >= log.OldestFile;",
            Replace: "batch.Address.FileIndex != 0;",
            Replicas: 4, KilledBy: "Progress", From: 124),
        new("A page of deliveries is read before it is durable (R11)", Hosting + "DeliveredPages.cs",
            Find: "        page.Unsynced = batches;\n",
            Replace: "",
            Replicas: 4, KilledBy: "Invariant", From: 0),
        new("The older part of a window is not told (R9, R11)", Hosting + "ReplicaHost.cs",
            Find: "                case EffectKind.SendDones: SendDones(effect); break;\n",
            Replace: "                case EffectKind.SendDones: break;\n",
            Replicas: 4, KilledBy: "Progress", From: 0),
        new("A page of deliveries is written before its payloads are durable where they stand (R11)", Hosting + "PayloadStore.cs",
            Find: "            if (IsDurable(entries, last)) bytes",
            Replace: "            if (IsDurable(entries, last) || last > 0) bytes",
            Replicas: 4, KilledBy: "Invariant", From: 5_905),
        new("A snapshot calls for the next", Hosting + "ReplicaJournal.cs",
            Find: "if (!_log.NeedsRoll || _bytesSinceSnapshot < _segmentBytes / 2) return;",
            Replace: "if (!_log.NeedsRoll) return;",
            Replicas: 4, KilledBy: "BoundedWriting", From: 19),
    ];
}
