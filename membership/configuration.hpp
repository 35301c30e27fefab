#pragma once

#include "base/endpoint.hpp"
#include "base/ids.hpp"

#include <map>
#include <set>
#include <vector>

namespace caucus::membership {

/// Who replicates a group, in force from the moment its entry is appended (thesis §4.1). Ordered
/// containers, so that every walk over members is the same on every node.
struct configuration {
  std::set<node_id> voters;        ///< Incoming half while joint, else all voters.
  std::set<node_id> outgoing;      ///< Outgoing half; empty unless joint.
  std::set<node_id> learners;      ///< Receive the log, don't vote. Disjoint from the voters.
  std::set<node_id> learners_next; ///< Voters of `outgoing` that become learners on leaving joint.
  bool auto_leave = false;         ///< The leader leaves the joint configuration by itself.
  std::map<node_id, endpoint> addresses; ///< Peer addresses of all members named above.

  friend bool operator==(const configuration&, const configuration&) = default;

  [[nodiscard]] bool is_joint() const noexcept { return !outgoing.empty(); }
  [[nodiscard]] bool is_voter(node_id id) const {
    return voters.contains(id) || outgoing.contains(id);
  }
  [[nodiscard]] bool is_member(node_id id) const {
    return is_voter(id) || learners.contains(id) || learners_next.contains(id);
  }
  /// Everybody named, ascending, each once.
  [[nodiscard]] std::vector<node_id> members() const;
};

} // namespace caucus::membership
