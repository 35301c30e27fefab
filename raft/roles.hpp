#pragma once

#include "raft/forward_queue.hpp"
#include "raft/lease.hpp"
#include "raft/read_queue.hpp"
#include "raft/tracker.hpp"
#include "raft/uncommitted.hpp"
#include "raft/vote_box.hpp"

#include <variant>

namespace caucus::raft {

// What a replica knows only while it plays one role. Leaving the role forgets it: stale answers
// find nothing that they could change.

struct follower_role {
  bool is_leader_unreachable = false; ///< Until it is heard again nothing is forwarded.
  forward_queue forwarded;
  read_queue reads;        ///< Wait for the leader's answer.
  uint64_t asked_tick = 0; ///< When the leader was asked last.
  bool is_ask_due = false; ///< The question, or its answer, may be lost: ask again.
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
  read_queue reads;               ///< Wait for a round of heartbeats.
  read_queue lease_reads;         ///< Came since the last ready, and may do without.
  lease right;                    ///< To answer reads alone.
  read_context last_round;        ///< Of heartbeats that ask for an echo; counts from 1.
  bool has_yielded = false;       ///< Gave way to a higher priority, or tried to.
  bool is_heartbeat_due = false;  ///< The next ready sends to all.
  uint32_t heartbeat_elapsed = 0; ///< Ticks since the last heartbeats.
  uint32_t quorum_elapsed = 0;    ///< Ticks since the last check of the quorum.
  uint32_t idle_ticks = 0;        ///< Since there was something to do.
};

/// In the order of `enum class role`.
using role_data = std::variant<follower_role, pre_candidate_role, candidate_role, leader_role>;

} // namespace caucus::raft
