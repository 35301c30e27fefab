#pragma once

#include "membership/change_request.hpp"
#include "raft/message.hpp"
#include "raft/snapshot_boundary.hpp"

namespace caucus::raft {

// Everything that can happen to a replica. Any order, duplicates and losses of `received` are
// legal.

/// One logical tick has passed.
struct tick {};

struct received {
  node_id from;
  message body;
};

struct propose {
  request_id request;
  command body;
};

/// Changes who replicates the group; answered like a proposal, by `accepted` with the place of the
/// configuration's entry. A follower sends it on to the leader.
struct propose_change {
  request_id request;
  membership::change_request change;
};

/// All persist batches with seq <= upto are durable.
struct persisted {
  persist_seq upto;
};

/// Whether the disk has room for entries; it always has for a vote. So it begins: with room.
struct storage {
  bool has_room = true;
};

/// The machine has executed everything up to and including `upto`.
struct applied {
  index_t upto;
};

/// The answer to one `log_read`: entries from `first` on, maybe fewer than asked; none at a
/// failure.
struct log_read_done {
  node_id to;
  index_t first;
  std::vector<entry_ptr> entries;
};

/// The link to the peer failed or refused messages; what was sent may be lost.
struct peer_unreachable {
  node_id peer;
};

/// Start an election now, whatever the timer says (tests, and operators).
struct campaign {};

/// How fresh a read must be (REQUIREMENTS B4).
enum class consistency : uint8_t {
  linearizable, ///< Sees what was acknowledged before it was asked: a quorum is heard for it.
  lease,        ///< The same without a round trip, if clocks keep to `clock_drift_max_ns`. Where no
                ///< lease holds, as linearizable.
  stale,        ///< What this replica has applied so far; also without a leader.
};

/// Asks from which index on the machine may answer. Reads and proposals share their numbers.
struct read {
  request_id request;
  enum consistency consistency = consistency::linearizable;
};

/// Give leadership to `target`, or (0) to the best. `request` 0: nobody waits for the answer.
struct transfer {
  request_id request;
  node_id target;
};

/// Stop leading: hand over to the best voter there is, else just become a follower.
struct step_down {
  request_id request;
};

/// A snapshot that goes up to `upto` is durable here: the log up to and including it may go. What
/// the machine hasn't applied stays in any case.
struct compact {
  index_t upto;
};

/// What became of a snapshot for a peer (`ready::snapshots_wanted`). Reports may be lost.
struct snapshot_sent {
  node_id to;
  bool ok = false; ///< It was sent and received as a whole; else it will be asked for again.
};

/// A snapshot from a peer is whole and durable here. If it brings us further, `ready::restore`
/// tells the machine to load it; else it may be deleted.
struct snapshot_installed {
  snapshot_boundary at;
  int64_t wall_ns = 0; ///< Of its last entry.
};

using input = std::variant<tick, received, propose, propose_change, persisted, applied,
                           log_read_done, peer_unreachable, campaign, read, transfer, step_down,
                           compact, snapshot_sent, snapshot_installed, storage>;

} // namespace caucus::raft
