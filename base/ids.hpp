#pragma once

#include "base/strong.hpp"

#include <string>

namespace caucus {

/// A process that runs replicas; never reused within a cluster.
using node_id = strong_u64<struct node_id_tag>;
/// The hash of a cluster's name. Peers of another cluster are refused in the hello.
using cluster_id = strong_u64<struct cluster_id_tag>;
/// The hash of the ids of the nodes that began a cluster (membership/founding.hpp).
using founding_id = strong_u64<struct founding_id_tag>;
/// One Raft instance: hash of (name, generation), so that a re-created group is another group.
using group_id = strong_u64<struct group_id_tag>;
/// Tells the local re-creations of one group's replica apart.
using replica_uid = strong_u64<struct replica_uid_tag>;
/// Random, drawn when a data directory is made: a wiped directory is another directory.
using directory_id = strong_u64<struct directory_id_tag>;
/// Counts the starts of a node on its directory; a peer's newer boot supersedes its older one.
using boot_count = strong_u64<struct boot_count_tag>;

/// Election number. At most one leader exists per term (thesis §3.3).
using term_t = strong_u64<struct term_tag>;
/// 1-based position in one group's log; 0 means "before the first entry".
using index_t = strong_u64<struct index_tag>;

/// Numbers the persist batches of one replica's life. Never reused, so that an acknowledgement
/// can't vouch for entries that were overwritten since (RELIABILITY S-20).
using persist_seq = strong_u64<struct persist_seq_tag>;
/// A proposal waiting at one replica, numbered by that replica's shell.
using request_id = strong_u64<struct request_id_tag>;
/// One offer of a snapshot to a peer and what follows from it; never used again by its sender.
using transfer_id = strong_u64<struct transfer_id_tag>;
/// The index of the entry that opened the session: unique in its group by construction.
using session_id = strong_u64<struct session_id_tag>;
/// Numbers the commands of one session, from 1.
using sequence_t = strong_u64<struct sequence_tag>;
/// Identifies one attempt of a heartbeat round; 0 where no read waits for it.
using read_context = strong_u64<struct read_context_tag>;

/// For people: hexadecimal, the same in logs, errors and refusals.
std::string to_string(cluster_id x);

} // namespace caucus
