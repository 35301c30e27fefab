#pragma once

#include "raft/entry.hpp"

#include <vector>

namespace caucus::raft {

/// A transfer of leadership from the moment when the leader is asked for it until it's known who
/// leads; so it outlives the leader's role.
struct handover {
  node_id target;
  term_t term; ///< Of the leader who hands over.
  uint64_t since_tick = 0;
  bool must_step_down = false;        ///< Also if the target doesn't take over.
  std::vector<request_id> requests;   ///< To be answered when this target leads.
  std::vector<request_id> step_downs; ///< To be answered when we don't lead any more.
};

} // namespace caucus::raft
