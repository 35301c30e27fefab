#pragma once

#include "base/ids.hpp"

namespace caucus::raft {

inline constexpr uint8_t priority_max = 100;

/// How a replica behaves. Ticks are logical; the shell decides how long one is and validates the
/// whole before it makes a core.
struct core_options {
  group_id group;
  node_id self;
  uint64_t boot = 0; ///< Counts the starts of this replica: what it asked before isn't asked now.
  /// Timeout drawn from [n, 2n). At least 2 * heartbeat_ticks: else followers campaign against a
  /// healthy leader (RELIABILITY S-06).
  uint32_t election_ticks = 10;
  uint32_t heartbeat_ticks = 1;
  /// After so many ticks with nothing to do the group sleeps (quiescence.cpp); 0: never. All
  /// members must agree on it. Needs `pre_vote`: who lost touch asks whether anybody leads.
  uint32_t quiesce_ticks = 0;
  /// Who should rather lead, 0 to 100. Below 100 its timeout gets longer, by `election_ticks` at
  /// 0; a leader gives way to a higher one. At 0 it campaigns only if it is asked to,
  /// also when no other's log is long enough to win.
  uint8_t priority = priority_max;
  bool pre_vote = true;
  bool check_quorum = true;
  /// Whether a leader may answer reads alone for as long as no other can be elected, and whether
  /// this voter keeps still for it. Of voters with other options a leader counts those who promise
  /// at least an election timeout of its own. Needs `check_quorum`.
  bool lease = false;
  int64_t tick_ns = 100'000'000;             ///< Shortest time between ticks; for the lease.
  int64_t clock_drift_max_ns = 50'000'000;   ///< Between two nodes, within an election timeout.
  bool forward_proposals = true;             ///< Else a follower refuses with `not_leader`.
  uint32_t append_bytes_max = 1 << 20;       ///< Entries of one append message; at least one goes.
  uint32_t inflight_messages_max = 256;      ///< Unacknowledged appends per peer.
  uint64_t inflight_bytes_max = 64 << 20;    ///< Unacknowledged entries per peer.
  uint64_t uncommitted_bytes_max = 64 << 20; ///< Leader: beyond it proposals are dropped.
  uint64_t forwarded_bytes_max = 64 << 20;   ///< Follower: sent to the leader and not yet answered.
  uint32_t forwarded_max = 1 << 16;          ///< The same, in proposals.
  uint32_t reads_max = 1 << 16;              ///< Waiting to be confirmed; beyond it refused.
  uint32_t proposal_bytes_max = 1 << 20;     ///< Payload of one command.
  uint64_t tail_bytes_max = 16 << 20;        ///< Entries kept in memory once persisted.
  uint64_t tail_bytes_kept =
    256 << 10; ///< Of them, if nobody waits for the oldest: fits into a cache.
  uint64_t apply_bytes_max = 4 << 20; ///< Committed entries handed out, not yet applied.
  uint64_t seed = 1;                  ///< Mixed with group and node, so that equal seeds don't tie.
};

} // namespace caucus::raft
