#pragma once

#include "raft/forward_queue.hpp"
#include "raft/tracker.hpp"
#include "raft/uncommitted.hpp"
#include "raft/vote_box.hpp"

#include <variant>

namespace caucus::raft {

// What a replica knows only while it plays one role. Leaving the role forgets it: stale answers
// find nothing that they could change.

struct follower_role {
  forward_queue forwarded;
};

struct pre_candidate_role {
  vote_box votes;
};

struct candidate_role {
  vote_box votes;
  bool is_transfer = false; ///< The leader asked for this election.
  bool has_asked = false;   ///< Our own vote is durable, the others are asked.
};

struct leader_role {
  tracker peers;
  index_t term_start; ///< Our no-op: nothing commits by counting below it (thesis §3.6.2).
  uncommitted proposed;
  uint32_t heartbeat_elapsed = 0; ///< Ticks since the last heartbeats.
  uint32_t quorum_elapsed = 0;    ///< Ticks since the last check of the quorum.
};

/// In the order of `enum class role`.
using role_data = std::variant<follower_role, pre_candidate_role, candidate_role, leader_role>;

} // namespace caucus::raft
