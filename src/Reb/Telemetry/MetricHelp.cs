namespace Massif.Reb.Telemetry;

/// <summary>What each counter of a host says, in one sentence for people.</summary>
public static class MetricHelp
{
    private static readonly Dictionary<string, string> ByName = new(StringComparer.Ordinal)
    {
        ["massif_alarms_total"] = "Alarms made since the start, those of a replayed journal included.",
        ["massif_batches_delivered_total"] = "Batches that the replicas agreed on and this one has delivered.",
        ["massif_batches_published_total"] = "Batches closed and written to the spool.",
        ["massif_batches_released_total"] = "Batches that enough replicas hold durably, so that the spool let them go.",
        ["massif_batches_skipped_total"] =
            "Batches that this replica went past with a checkpoint: it has what they did to its state, not themselves.",
        ["massif_batches_synced_total"] = "Batches whose sync in the spool was confirmed: they may leave.",
        ["massif_batches_unreadable_total"] = "Agreed batches that are no batches of events: their edge lies. They change nothing.",
        ["massif_events_correlated_total"] = "Events that the rules have seen.",
        ["massif_events_delivered_total"] = "Events in delivered batches.",
        ["massif_events_received_total"] = "Events made of what was received.",
        ["massif_evidence_total"] = "Proofs of a lie: two claims of one node that cannot both be honest.",
        ["massif_fetches_unserved_total"] = "Payloads or states that a peer asked for and the journal could not give.",
        ["massif_frames_dropped_total"] = "Frames that did not leave because too much waits for the disk.",
        ["massif_frames_refused_total"] = "Frames that cannot be read or were not this neighbour's to send; the link is closed.",
        ["massif_initial_copies_total"] = "INITIALs that came again over another path: normal with copies.",
        ["massif_initial_refused_total"] = "INITIALs that were not taken, by reason.",
        ["massif_initial_repeats_total"] = "INITIALs sent again because a replica did not report them.",
        ["massif_internal_events_total"] = "Events that the edge itself reported: starts, losses, steps of the clock.",
        ["massif_journal_bytes"] = "Size of the journal on disk, in bytes.",
        ["massif_journal_damage_total"] = "Places of the journal that do not hold what was written.",
        ["massif_listener_discarded_bytes_total"] = "Bytes beyond the largest message or of no frame, by listener.",
        ["massif_listener_events_total"] = "Events by listener.",
        ["massif_listener_lost_datagrams_total"] =
            "UDP datagrams lost before the edge could take them, in the kernel or here, by listener.",
        ["massif_listener_truncated_messages_total"] = "Messages cut at the listener's largest size.",
        ["massif_path_faults_total"] = "Copies refused and blamed on the neighbour that they came from, by reason.",
        ["massif_path_sent_envelopes_total"] = "Envelopes sent, by path.",
        ["massif_path_unsent_envelopes_total"] = "Envelopes that did not leave because the path was down or full; they are repeated.",
        ["massif_payloads_refused_total"] = "Payloads from peers that were not taken, by reason; they are asked for again.",
        ["massif_relay_dropped_frames_total"] = "Frames that the relay did not forward, by reason.",
        ["massif_relay_forwarded_bytes_total"] = "Bytes forwarded; a copy to each of several replicas counts.",
        ["massif_relay_forwarded_frames_total"] = "Frames forwarded; a copy to each of several replicas counts.",
        ["massif_relay_misbehaving"] = "1 while the relay of a demonstration lies on purpose.",
        ["massif_spool_bytes"] = "Size of the spool on disk, in bytes.",
        ["massif_spool_damaged_total"] = "Spools that were found damaged at a start; a new incarnation began.",
        ["massif_spool_lost_total"] = "Spools that were older than what the replicas knew; a new incarnation began.",
        ["massif_state_transfers_refused_total"] =
            "States of checkpoints that are what was named and cannot be read: the peers run another version.",
        ["massif_state_transfers_total"] = "Times that this replica went to a checkpoint of its peers.",
        ["massif_syslog_connections"] = "Open TCP connections of senders.",
        ["massif_verdicts_total"] = "What became of messages of other nodes, by kind and verdict.",
        ["massif_votes_sent_total"] = "Votes sent; one to each of several replicas counts.",
    };

    /// <summary>Gets the names, with the sentence of each.</summary>
    public static IReadOnlyDictionary<string, string> All => ByName;

    /// <summary>Returns the sentence of a counter; the name itself when there is none.</summary>
    public static string Of(string name) => ByName.GetValueOrDefault(name, name);
}
